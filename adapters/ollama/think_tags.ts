const OPEN = "<think>";
const CLOSE = "</think>";

/**
 * Takes a leading `<think>…</think>` block out of text that comes in pieces. Models that think although they were
 * told not to leave it in their answer; no one asked for it.
 *
 * Only a block at the very start counts, since further on the tag may be what the text is about. A block that is
 * never closed takes the whole of the text.
 */
export class ThinkTagStripper {
  #state: "start" | "inside" | "after" | "done" = "start";
  #held = "";

  /** Whether the next piece goes through unchanged. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** Whether text was taken out and none came after it yet. */
  get stripping(): boolean {
    return this.#state === "inside" || this.#state === "after";
  }

  /**
   * Takes the next piece.
   *
   * @param piece The piece.
   * @returns What of the text is certain not to belong to the block, maybe nothing.
   */
  push(piece: string): string {
    if (this.#state === "done") return piece;
    this.#held += piece;
    if (this.#state === "start") {
      const text = this.#held.trimStart();
      if (text.length < OPEN.length && OPEN.startsWith(text)) return "";
      if (!text.startsWith(OPEN)) return this.#release();
      this.#state = "inside";
      this.#held = text.slice(OPEN.length);
    }
    if (this.#state === "inside") {
      const end = this.#held.indexOf(CLOSE);
      if (end === -1) {
        // Only what may be the start of the closing tag is still needed.
        this.#held = this.#held.slice(-(CLOSE.length - 1));
        return "";
      }
      this.#state = "after";
      this.#held = this.#held.slice(end + CLOSE.length);
    }
    this.#held = this.#held.trimStart();
    return this.#held === "" ? "" : this.#release();
  }

  /**
   * Ends the text.
   *
   * @returns What was held back because it might have become a tag.
   */
  end(): string {
    return this.#state === "start" ? this.#release() : "";
  }

  #release(): string {
    const text = this.#held;
    this.#held = "";
    this.#state = "done";
    return text;
  }
}
