/**
 * Uploads in parts to a server whose artifacts are in S3. Prints as JSON what it made, for the checks in Python.
 *
 * Usage: `multipart.ts CHUNK_SIZE`, which must be what MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE says.
 */
import { assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { join } from "@std/path";
import { closeTracking, getTrackingStore, setExperiment, startRun, TrackingError } from "../tracking/mod.ts";

const chunkSize = Number(Deno.args[0]);
const PARTS = 3;
const folder = await Deno.makeTempDir({ prefix: "interop-multipart-" });
const file = join(folder, "random.bin");
const size = (PARTS - 1) * chunkSize + 12_345;
await writeRandom(file, size);

await setExperiment("in-parts");
const { runId, artifactUri } = await startRun({ runName: "in-parts" }, (run) => Promise.resolve(run.info));
const artifacts = getTrackingStore().artifacts(artifactUri);

const seen: number[] = [];
await artifacts.upload(file, "deep/é random.bin", { onProgress: ({ bytes }) => seen.push(bytes) });
assertEquals(seen, [chunkSize, 2 * chunkSize, size], "each part is told of");
const back = join(folder, "back.bin");
await artifacts.download("deep/é random.bin", back);
const hash = await hashOf(file);
assertEquals(await hashOf(back), hash);

// A signal in the middle: what was sent is thrown away.
const controller = new AbortController();
const reason = new Error("enough");
const aborted = await assertRejects(() =>
  artifacts.upload(file, "aborted.bin", { signal: controller.signal, onProgress: () => controller.abort(reason) })
);
assertStrictEquals(aborted, reason);

// Parts that S3 finds too small, which it says only in the end.
Deno.env.set("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", "1048576");
const refused = await assertRejects(() => artifacts.upload(file, "refused.bin"), TrackingError);
assertMatch(
  refused.message,
  /^Cannot upload artifact "refused.bin" in parts: .*raise MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE$/,
);
assertEquals((await artifacts.list()).map(({ path }) => path), ["deep"]);

// deno-lint-ignore no-console -- read by run.ts
console.log(
  JSON.stringify({
    run_id: runId,
    path: "deep/é random.bin",
    parts: PARTS,
    size,
    sha256: hash,
  }),
);
await closeTracking();
await Deno.remove(folder, { recursive: true });

async function writeRandom(path: string, length: number): Promise<void> {
  using target = await Deno.open(path, { write: true, create: true });
  const writer = target.writable.getWriter();
  for (let rest = length; rest > 0; rest -= 65_536) {
    await writer.write(crypto.getRandomValues(new Uint8Array(Math.min(rest, 65_536))));
  }
  await writer.close();
}

async function hashOf(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}
