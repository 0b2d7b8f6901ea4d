import { type GgufTensor, type GgufValue, writeGguf } from "./_gguf.ts";

/** What a model says after a prompt that ends in a trigger. */
export interface Script {
  readonly text: string;
  /** Whether it begins anew at its end, for ever. @default {false} */
  readonly isEndless?: boolean;
}

/** How a scripted model is made. */
export interface ScriptedModelOptions {
  /** What it says after any other prompt. */
  readonly otherwise: string;
  /** What it says after each trigger, which is a token of its own, such as `<|count|>`. */
  readonly scripts: Readonly<Record<string, Script>>;
  /** Template that makes a prompt of messages. */
  readonly chatTemplate: string;
  /** Most tokens of prompt and answer. */
  readonly contextLength: number;
}

const NORMAL = 1;
const CONTROL = 3;
const HEAD_SIZE = 32;
const FEED_FORWARD = 32;
/** Bytes of a token of an answer at least: less than some characters have, so that these come in pieces. */
const PIECE = 3;

/**
 * Makes a model of llama's architecture that replays texts: a tiny one, whose attention does nothing, so that the last
 * token alone says which one follows.
 *
 * Tokens of answers cannot come of a prompt, since the tokenizer has no merges: prompts are tokens of single bytes.
 */
export function makeScriptedModel(options: ScriptedModelOptions): Uint8Array {
  const vocabulary = new Vocabulary();
  const end = vocabulary.add("<|end|>", CONTROL);
  const followers = new Map<number, number>();
  const chain = (text: string): readonly number[] => {
    const ids = vocabulary.split(new TextEncoder().encode(text));
    ids.forEach((id, i) => followers.set(id, ids[i + 1] ?? end));
    return ids;
  };
  const [first = end] = chain(options.otherwise);
  for (let byte = 0; byte < 256; byte++) followers.set(byte, first);
  for (const [trigger, { text, isEndless = false }] of Object.entries(options.scripts)) {
    const id = vocabulary.add(trigger, CONTROL);
    const ids = chain(text);
    const start = ids[0] ?? end;
    followers.set(id, start);
    const last = ids.at(-1);
    if (isEndless && last !== undefined) followers.set(last, start);
  }
  return writeGguf(makeHead(vocabulary, end, options), makeTensors(vocabulary.size, followers, end));
}

/** The tokens, in the byte alphabet of GPT-2's tokenizer. */
class Vocabulary {
  readonly tokens: string[] = [];
  readonly types: number[] = [];
  readonly #known = new Set<string>();

  constructor() {
    for (const character of BYTES) this.add(character, NORMAL);
  }

  get size(): number {
    return this.tokens.length;
  }

  add(token: string, type: number): number {
    if (this.#known.has(token)) throw new Error(`the token "${token}" is there already`);
    this.#known.add(token);
    this.types.push(type);
    return this.tokens.push(token) - 1;
  }

  /** Cuts a text into new tokens: each as short as it can be without being one that is there. */
  split(bytes: Uint8Array): number[] {
    const pieces: string[] = [];
    const isKnown = (piece: string) => this.#known.has(piece) || pieces.includes(piece);
    let start = 0;
    while (start < bytes.length) {
      let stop = start + PIECE;
      while (stop < bytes.length && isKnown(spell(bytes.subarray(start, stop)))) stop++;
      if (bytes.length - stop <= 1) stop = bytes.length;
      pieces.push(spell(bytes.subarray(start, stop)));
      start = stop;
    }
    // What is left at the end may be known, and then it goes with the one before.
    for (let last = pieces.pop(); last !== undefined; last = `${pieces.pop() ?? ""}${last}`) {
      if (!isKnown(last)) {
        pieces.push(last);
        break;
      }
      if (pieces.length === 0) throw new Error("a script begins like another one and is too short");
    }
    return pieces.map((piece) => this.add(piece, NORMAL));
  }
}

/** A character for each byte: those that can be seen as they are, the others from 256 on. */
const BYTES: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isVisible = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCodePoint(isVisible ? byte : next++);
  });
})();

function spell(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => BYTES[byte]).join("");
}

function makeHead(vocabulary: Vocabulary, end: number, options: ScriptedModelOptions): Map<string, GgufValue> {
  const width = widthOf(vocabulary.size);
  const text = (value: string): GgufValue => ({ kind: "text", value });
  const u32 = (value: number): GgufValue => ({ kind: "u32", value });
  return new Map<string, GgufValue>([
    ["general.architecture", text("llama")],
    ["general.name", text("scripted")],
    ["general.file_type", u32(0)],
    ["llama.context_length", u32(options.contextLength)],
    ["llama.embedding_length", u32(width)],
    ["llama.block_count", u32(1)],
    ["llama.feed_forward_length", u32(FEED_FORWARD)],
    ["llama.attention.head_count", u32(width / HEAD_SIZE)],
    ["llama.attention.head_count_kv", u32(1)],
    ["llama.attention.layer_norm_rms_epsilon", { kind: "f32", value: 1e-5 }],
    ["llama.vocab_size", u32(vocabulary.size)],
    ["tokenizer.ggml.model", text("gpt2")],
    ["tokenizer.ggml.pre", text("gpt-2")],
    ["tokenizer.ggml.tokens", { kind: "texts", value: vocabulary.tokens }],
    ["tokenizer.ggml.token_type", { kind: "i32s", value: vocabulary.types }],
    // It must have one: of two bytes that stand in no text.
    ["tokenizer.ggml.merges", { kind: "texts", value: [`${BYTES[0]} ${BYTES[1]}`] }],
    ["tokenizer.ggml.bos_token_id", u32(end)],
    ["tokenizer.ggml.eos_token_id", u32(end)],
    ["tokenizer.ggml.add_bos_token", { kind: "bool", value: false }],
    ["tokenizer.chat_template", text(options.chatTemplate)],
  ]);
}

function widthOf(size: number): number {
  return Math.ceil(size / HEAD_SIZE) * HEAD_SIZE;
}

function makeTensors(size: number, followers: ReadonlyMap<number, number>, end: number): GgufTensor[] {
  const width = widthOf(size);
  const embedding = new Float32Array(width * size);
  const output = new Float32Array(width * size);
  for (let id = 0; id < size; id++) {
    embedding[id * width + id] = 1;
    output[(followers.get(id) ?? end) * width + id] = 2;
  }
  const ones = new Float32Array(width).fill(1);
  const zeros = (name: string, columns: number, rows: number): GgufTensor => ({
    name: `blk.0.${name}.weight`,
    shape: [columns, rows],
    data: new Float32Array(columns * rows),
  });
  return [
    { name: "token_embd.weight", shape: [width, size], data: embedding },
    { name: "output_norm.weight", shape: [width], data: ones },
    { name: "output.weight", shape: [width, size], data: output },
    { name: "blk.0.attn_norm.weight", shape: [width], data: ones },
    zeros("attn_q", width, width),
    zeros("attn_k", width, HEAD_SIZE),
    zeros("attn_v", width, HEAD_SIZE),
    zeros("attn_output", width, width),
    { name: "blk.0.ffn_norm.weight", shape: [width], data: ones },
    zeros("ffn_gate", width, FEED_FORWARD),
    zeros("ffn_up", width, FEED_FORWARD),
    zeros("ffn_down", FEED_FORWARD, width),
  ];
}
