import type { ApiKey } from "./api_key.ts";
import { bearerKey, unknownKey } from "./_authorization.ts";
import { parseApiKeys, toEntry } from "./_key_schema.ts";
import { indexOfHash, writeWords } from "./_secret_hash.ts";
import { HASH_WORDS, writeSha256 } from "./_sha256.ts";

/** What knows which keys there are. */
export interface ApiKeySource {
  /**
   * Finds the key that a request came with.
   *
   * @param authorization Value of its `Authorization` header; `null` if it has none.
   * @returns The key. After a change of the keys it may be another object: its name says which it is.
   * @throws {ChatModelError} Status 401, code `invalid_api_key`, if there is none or it is not known. Nothing of the
   * header is in the message.
   */
  find(authorization: string | null): ApiKey;
}

/** Keys that stay as they are. */
export class ApiKeys implements ApiKeySource {
  readonly #keys: readonly ApiKey[];
  readonly #hashes: Int32Array;
  readonly #given = new Int32Array(HASH_WORDS);

  /**
   * Takes keys.
   *
   * @param keys The keys; without any, nobody is let in.
   * @throws {ValidationError} If one of them is not as it must be, or two have one name or hash. Paths are those of a
   * file.
   */
  constructor(keys: readonly ApiKey[]) {
    this.#keys = parseApiKeys({ keys: keys.map(toEntry) }, "API keys");
    this.#hashes = new Int32Array(HASH_WORDS * this.#keys.length);
    this.#keys.forEach(({ sha256 }, index) => writeWords(sha256, this.#hashes, HASH_WORDS * index));
  }

  /** The keys. */
  get keys(): readonly ApiKey[] {
    return this.#keys;
  }

  /**
   * Finds the key that a request came with, in a time that does not tell how much of it is right.
   *
   * @param authorization Value of its `Authorization` header; `null` if it has none.
   * @returns The key.
   * @throws {ChatModelError} Status 401, code `invalid_api_key`, if there is none or it is not known.
   */
  find(authorization: string | null): ApiKey {
    writeSha256(bearerKey(authorization), this.#given);
    const key = this.#keys[indexOfHash(this.#given, this.#hashes)];
    if (key === undefined) throw unknownKey();
    return key;
  }
}
