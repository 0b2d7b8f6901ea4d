/** Bytes that there is room for at first. */
const FIRST_ROOM = 16_384;

const NEWLINE = 10;

const encoder = new TextEncoder();

/**
 * Lines that wait to be written, as the bytes that they will be: thousands of small strings that wait are dear to
 * whoever collects garbage, and to put together.
 */
export class LineBuffer {
  readonly #limit: number;
  #bytes = firstBytes();
  #length = 1;
  #count = 0;

  /**
   * Makes a buffer without lines.
   *
   * @param limit Bytes that may wait.
   */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many lines wait. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds a line.
   *
   * @param line The line, with the character that ends it.
   * @returns Whether there was room.
   */
  add(line: string): boolean {
    const { length } = line;
    if (!this.#makeRoom(length)) return false;
    const bytes = this.#bytes;
    const start = this.#length;
    for (let i = 0; i < length; i++) {
      const code = line.charCodeAt(i);
      if (code > 127) return this.#addEncoded(encoder.encode(line));
      bytes[start + i] = code;
    }
    this.#length += length;
    this.#count++;
    return true;
  }

  /**
   * Takes all lines out.
   *
   * @param isCut Whether what was written last is the beginning of a line, so that another must begin.
   * @returns Their bytes.
   */
  take(isCut: boolean): Uint8Array {
    const bytes = this.#bytes.subarray(isCut ? 0 : 1, this.#length);
    this.#bytes = firstBytes();
    this.#length = 1;
    this.#count = 0;
    return bytes;
  }

  #addEncoded(line: Uint8Array): boolean {
    if (!this.#makeRoom(line.length)) return false;
    this.#bytes.set(line, this.#length);
    this.#length += line.length;
    this.#count++;
    return true;
  }

  #makeRoom(count: number): boolean {
    const needed = this.#length + count;
    if (needed > this.#limit) return false;
    if (needed <= this.#bytes.length) return true;
    const bytes = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    return true;
  }
}

/** Before the first line stands the end of one, for where that is needed. */
function firstBytes(): Uint8Array {
  const bytes = new Uint8Array(FIRST_ROOM);
  bytes[0] = NEWLINE;
  return bytes;
}
