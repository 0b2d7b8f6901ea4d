/** Kinds of values in the head of a GGUF file, by their number there. */
const KINDS = { u32: 4, i32: 5, f32: 6, bool: 7, text: 8, list: 9 } as const;

/** A value in the head of a GGUF file. */
export type GgufValue =
  | { readonly kind: "u32" | "i32" | "f32"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "texts"; readonly value: readonly string[] }
  | { readonly kind: "i32s"; readonly value: readonly number[] };

/** Weights: 32-bit floats, the first dimension the one that runs fastest. */
export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const ALIGNMENT = 32;

/** Puts a GGUF file (version 3) together, as llama.cpp reads it. */
export function writeGguf(head: ReadonlyMap<string, GgufValue>, tensors: readonly GgufTensor[]): Uint8Array {
  const writer = new Writer();
  writer.bytes(new TextEncoder().encode("GGUF"));
  writer.u32(3);
  writer.u64(tensors.length);
  writer.u64(head.size);
  for (const [name, value] of head) {
    writer.text(name);
    writer.value(value);
  }
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    writer.text(name);
    writer.u32(shape.length);
    for (const size of shape) writer.u64(size);
    writer.u32(0); // 32-bit floats
    writer.u64(offset);
    offset += Math.ceil(data.byteLength / ALIGNMENT) * ALIGNMENT;
  }
  for (const { data } of tensors) {
    writer.align(ALIGNMENT);
    writer.bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  writer.align(ALIGNMENT);
  return writer.take();
}

/** Little-endian bytes, one after the other. */
class Writer {
  #bytes = new Uint8Array(1 << 20);
  #length = 0;

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  u32(value: number): void {
    this.#number(4, (view, at) => view.setUint32(at, value, true));
  }

  u64(value: number): void {
    this.#number(8, (view, at) => view.setBigUint64(at, BigInt(value), true));
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length);
    this.bytes(bytes);
  }

  value(value: GgufValue): void {
    switch (value.kind) {
      case "texts":
        return this.#list(KINDS.text, value.value, (text) => this.text(text));
      case "i32s":
        return this.#list(KINDS.i32, value.value, (number) => this.#i32(number));
      case "text":
        this.u32(KINDS.text);
        return this.text(value.value);
      case "bool":
        this.u32(KINDS.bool);
        return this.bytes(new Uint8Array([value.value ? 1 : 0]));
      case "f32":
        this.u32(KINDS.f32);
        return this.#number(4, (view, at) => view.setFloat32(at, value.value, true));
      case "u32":
        this.u32(KINDS.u32);
        return this.u32(value.value);
      case "i32":
        this.u32(KINDS.i32);
        return this.#i32(value.value);
    }
  }

  align(to: number): void {
    this.bytes(new Uint8Array((to - this.#length % to) % to));
  }

  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #i32(value: number): void {
    this.#number(4, (view, at) => view.setInt32(at, value, true));
  }

  #list<T>(kind: number, items: readonly T[], write: (item: T) => void): void {
    this.u32(KINDS.list);
    this.u32(kind);
    this.u64(items.length);
    for (const item of items) write(item);
  }

  #number(size: number, write: (view: DataView, at: number) => void): void {
    this.#room(size);
    write(new DataView(this.#bytes.buffer), this.#length);
    this.#length += size;
  }

  #room(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
