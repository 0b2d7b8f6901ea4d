import type { RedisClient } from "./_connection.ts";

/** A script that Redis keeps: it is sent once, and named by its hash from then on. */
export class Script {
  readonly #source: string;
  #hash: string | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  /** Runs it, in one round trip unless Redis does not know it. */
  async run(client: RedisClient, keys: string[], given: string[]): Promise<unknown> {
    const known = this.#hash;
    if (known !== undefined) {
      try {
        return await client.evalSha(known, { keys, arguments: given });
      } catch (error) {
        // Redis was restarted, or another one took its place.
        if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      }
    }
    this.#hash = await client.scriptLoad(this.#source);
    return await client.evalSha(this.#hash, { keys, arguments: given });
  }
}
