/** An item of a JSON array. */
export interface JsonItem {
  /** Position, from 0. */
  readonly index: number;
  /** Its text. */
  readonly text: string;
}

const SPACE = /[ \t\r\n]/;

/** The text is no JSON array, as far as can be told without reading the items. */
export class NotAnArrayError extends Error {
  /** Name of the class. */
  override name = "NotAnArrayError";
}

/**
 * Cuts a JSON array into its items, holding no more than one item and one piece of the text. What is inside of the items
 * is only looked at as far as is needed to find their ends.
 *
 * @param pieces The text, in pieces of any size.
 * @returns The items' texts.
 * @throws {NotAnArrayError} If it is no array. The message is the end of a sentence.
 */
export async function* readJsonArray(pieces: AsyncIterable<string>): AsyncGenerator<JsonItem> {
  const cutter = new Cutter();
  for await (const piece of pieces) yield* cutter.push(piece);
  cutter.end();
}

class Cutter {
  #state: "before" | "first" | "item" | "next" | "after" = "before";
  #depth = 0;
  #inText = false;
  #escaped = false;
  #item: string[] = [];
  #index = 0;

  *push(piece: string): Generator<JsonItem> {
    let start = 0;
    for (let i = 0; i < piece.length; i++) {
      const character = piece.charAt(i);
      if (this.#state !== "item") {
        if (SPACE.test(character)) continue;
        if (this.#between(character)) {
          start = i;
          i--; // The item's first character is looked at as one of the item.
        }
        continue;
      }
      if (this.#inText) {
        if (this.#escaped) this.#escaped = false;
        else if (character === "\\") this.#escaped = true;
        else if (character === '"') this.#inText = false;
        continue;
      }
      if (character === '"') this.#inText = true;
      else if (character === "{" || character === "[") this.#depth++;
      else if (this.#depth > 0) {
        if (character === "}" || character === "]") this.#depth--;
      } else if (character === "," || character === "]") {
        this.#item.push(piece.slice(start, i));
        yield { index: this.#index++, text: this.#item.join("") };
        this.#item = [];
        this.#state = character === "," ? "next" : "after";
      }
    }
    if (this.#state === "item") this.#item.push(piece.slice(start));
  }

  end(): void {
    if (this.#state === "before") throw new NotAnArrayError("is empty, but must hold a JSON array of rows");
    if (this.#state !== "after") throw new NotAnArrayError('breaks off before the "]" that ends its array');
  }

  /** Whether an item begins here. */
  #between(character: string): boolean {
    if (this.#state === "before") {
      if (character !== "[") {
        throw new NotAnArrayError("must hold a JSON array of rows. Lines of JSON belong in a .jsonl file");
      }
      this.#state = "first";
      return false;
    }
    if (this.#state === "after") throw new NotAnArrayError("goes on after its array");
    if (character === "]" && this.#state === "first") {
      this.#state = "after";
      return false;
    }
    if (character === "]" || character === ",") {
      throw new NotAnArrayError(`has a "," too many, before row ${this.#index}`);
    }
    this.#state = "item";
    return true;
  }
}
