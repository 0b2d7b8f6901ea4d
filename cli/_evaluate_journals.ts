import { basename, dirname, extname, join } from "@std/path";

/** The files that take down what is done, so that an evaluation can go on where it was. */
export interface Journals {
  /** That of the model. */
  readonly candidate: string;
  /** That of the baseline: beside it. */
  readonly baseline: string;
  /** Whether they are there for this one time, as no one named them. */
  readonly areTemporary: boolean;
  /** Removes them, if they are temporary. */
  remove(): Promise<void>;
}

/**
 * Names the journals. Those that no one asked for are made all the same: results of many rows would not fit in memory,
 * and whoever interrupts an evaluation may think of going on afterwards.
 *
 * @param resume Path of the model's, if it was named.
 * @returns The journals; none is written yet.
 */
export async function openJournals(resume: string | undefined): Promise<Journals> {
  const folder = resume === undefined ? await Deno.makeTempDir({ prefix: "chatmodel-evaluation-" }) : undefined;
  const candidate = resume ?? join(folder ?? "", "evaluation.jsonl");
  const extension = extname(candidate);
  return {
    candidate,
    baseline: join(dirname(candidate), `${basename(candidate, extension)}.baseline${extension}`),
    areTemporary: folder !== undefined,
    async remove() {
      if (folder !== undefined) await Deno.remove(folder, { recursive: true });
    },
  };
}
