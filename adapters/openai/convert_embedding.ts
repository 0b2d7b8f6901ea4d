import { isJsonObject } from "../../types/_schema.ts";
import type { EmbeddingParams } from "../../types/mod.ts";
import type { OpenAIAnswer, OpenAIEmbedRequest, OpenAIVectors } from "./wire.ts";

/**
 * Turns a request for vectors into the body of `POST /embeddings`. Pure. Nothing is added: what is unset stays unset.
 *
 * @param model Name of the model, as the server knows it.
 * @param input The texts.
 * @param params The parameters, which are handed on with all fields that this package does not know.
 * @returns The body.
 */
export function convertEmbedding(model: string, input: readonly string[], params: EmbeddingParams): OpenAIEmbedRequest {
  const { extra, ...own } = params;
  return { ...extra, ...own, model, input };
}

/**
 * Takes the vectors out of an answer: numbers, or 32-bit floats in base64, which some servers send unasked.
 *
 * @param answer The answer.
 * @param count How many texts there were.
 * @param makeError Makes the error for an answer that is not as it must be.
 * @returns The vectors, in the order of the texts.
 */
export function readVectors(answer: OpenAIAnswer, count: number, makeError: (fault: string) => Error): OpenAIVectors {
  const { data, usage } = answer;
  if (!Array.isArray(data)) throw makeError('has no vectors: "data" is no array');
  if (data.length !== count) throw makeError(`has ${data.length} vectors for ${count} texts`);
  const vectors = new Map<number, readonly number[]>();
  data.forEach((item: unknown, position) => {
    const { index = position, embedding } = isJsonObject(item) ? item : {};
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= count || vectors.has(index)) {
      throw makeError(`has a vector of no text: "data.${position}.index"`);
    }
    const vector = readVector(embedding);
    if (vector === undefined) throw makeError(`has no numbers in "data.${position}.embedding"`);
    vectors.set(index, vector);
  });
  const tokens = isJsonObject(usage) ? usage.prompt_tokens : undefined;
  const embeddings = [...vectors].sort(([a], [b]) => a - b).map(([, vector]) => vector);
  return typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0
    ? { embeddings, promptTokens: tokens }
    : { embeddings };
}

function readVector(value: unknown): readonly number[] | undefined {
  if (typeof value === "string") return decodeVector(value);
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const numbers = value.filter((item: unknown) => typeof item === "number");
  return numbers.length === value.length ? numbers : undefined;
}

/** 32-bit floats, little-endian, in base64. */
function decodeVector(base64: string): readonly number[] | undefined {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.fromBase64(base64);
  } catch {
    return undefined; // Told by who asks, who knows where it stands.
  }
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
}
