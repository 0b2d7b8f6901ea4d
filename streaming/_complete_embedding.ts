import { ChatModelError, type EmbeddingResponse } from "../types/mod.ts";
import type { ParsedEmbeddingRequest } from "../types/_parse_embedding.ts";
import { isJsonObject } from "../types/_schema.ts";
import { invalidOutput } from "./_checks.ts";

/**
 * Brings what an author's `embed` gives into OpenAI's form.
 *
 * @param result What it gave.
 * @param request What was asked.
 * @param model Name of the model.
 * @returns The answer.
 * @throws {ChatModelError} If there is not one vector for each text, or one that is none.
 */
export function completeEmbedding(
  result: unknown,
  { input, params: { dimensions }, encodingFormat }: ParsedEmbeddingRequest,
  model: string,
): EmbeddingResponse {
  const { embeddings, usage } = isJsonObject(result) ? result : { embeddings: result, usage: undefined };
  if (!Array.isArray(embeddings)) throw invalidOutput("what embed gives", "an array of vectors", embeddings);
  if (embeddings.length !== input.length) {
    throw wrongOutput(`embed gave ${embeddings.length} vectors for ${input.length} texts`);
  }
  const length = dimensions ?? lengthOf(embeddings[0]);
  const data = embeddings.map((vector: unknown, index) => {
    const numbers = readVector(vector, index);
    if (numbers.length !== length) {
      throw wrongOutput(`vector ${index} of embed has ${numbers.length} numbers, and must have ${length}`);
    }
    const embedding = encodingFormat === "base64" ? encodeVector(numbers, index) : numbers;
    return { object: "embedding" as const, index, embedding };
  });
  const prompt_tokens = readTokens(usage);
  return { object: "list", data, model, usage: { prompt_tokens, total_tokens: prompt_tokens } };
}

function lengthOf(vector: unknown): number {
  return isVector(vector) ? vector.length : 0;
}

function isVector(value: unknown): value is readonly unknown[] | Float32Array | Float64Array {
  return Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array;
}

function readVector(vector: unknown, index: number): number[] {
  if (!isVector(vector)) throw invalidOutput(`vector ${index} of embed`, "an array of numbers", vector);
  if (vector.length === 0) throw wrongOutput(`vector ${index} of embed is empty`);
  const numbers: number[] = [];
  for (const value of vector) {
    // JSON has no other numbers: what is none would arrive as null.
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw wrongOutput(`vector ${index} of embed holds what is no finite number`);
    }
    numbers.push(value);
  }
  return numbers;
}

function readTokens(usage: unknown): number {
  if (usage === undefined || usage === null) return 0;
  const tokens = isJsonObject(usage) ? usage["prompt_tokens"] : undefined;
  if (typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0) return tokens;
  throw wrongOutput('the "usage" of embed has no number of "prompt_tokens"');
}

/** 32-bit floats, little-endian whatever the machine is, in base64. */
function encodeVector(numbers: readonly number[], index: number): string {
  const bytes = new Uint8Array(numbers.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, number] of numbers.entries()) {
    if (!Number.isFinite(Math.fround(number))) {
      throw wrongOutput(`vector ${index} of embed holds a number that is too large for 32 bits`);
    }
    view.setFloat32(i * 4, number, true);
  }
  return bytes.toBase64();
}

function wrongOutput(what: string): ChatModelError {
  return new ChatModelError(`Cannot read the model's output: ${what}`, { code: "invalid_model_output" });
}
