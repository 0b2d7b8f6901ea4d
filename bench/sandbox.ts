// deno-lint-ignore-file no-console -- a command talks to its user
/**
 * Measures what a sandbox costs: the same model in one and without, in one run, in turn. Three rounds; the median of
 * each counts.
 *
 * Run it: `deno run -A --unstable-worker-options bench/sandbox.ts`.
 */
import { join } from "@std/path";
import type { LoadedChatModel } from "../loaded_chat_model.ts";
import { loadModel } from "../models/mod.ts";

const ROUNDS = 3;
const REQUESTS = 5_000;
const STREAMS = 50;
const CHUNKS = 1_000;
/** Requests that run at once. */
const CONCURRENCY = 50;

const MODEL = `import { ChatModel } from "@chatmodel/chat-model";
export default class extends ChatModel {
  override predict() { return "Hello, how are you today?"; }
  override async *predictStream() { for (let chunk = 0; chunk < ${CHUNKS}; chunk++) yield "word "; }
}
`;
const PACED = MODEL.replace('yield "word "', '{ await new Promise((resolve) => setTimeout(resolve)); yield "word "; }');

const request = { messages: [{ role: "user" as const, content: "Hello, how are you today?" }] };

async function one(model: LoadedChatModel): Promise<void> {
  for (let count = 0; count < REQUESTS; count++) await model.predict(request);
}

async function many(model: LoadedChatModel): Promise<void> {
  await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    for (let count = 0; count < REQUESTS / CONCURRENCY; count++) await model.predict(request);
  }));
}

async function stream(model: LoadedChatModel): Promise<void> {
  for (let count = 0; count < STREAMS; count++) await drain(model);
}

async function drain(model: LoadedChatModel): Promise<void> {
  for await (const _ of model.predictStream(request));
}

async function paced(model: LoadedChatModel): Promise<void> {
  await Promise.all(Array.from({ length: STREAMS }, () => drain(model)));
}

/** Microseconds of one of so many. */
async function timed(action: () => Promise<void>, count: number): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) * 1_000 / count;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

const folder = await Deno.makeTempDir();
const stop = new AbortController();
try {
  await Deno.writeTextFile(join(folder, "model.ts"), MODEL);
  await Deno.writeTextFile(join(folder, "paced.ts"), PACED);
  const load = (file: string) => loadModel(join(folder, file));
  const sandboxed = (file: string) => loadModel(join(folder, file), { sandbox: { signal: stop.signal } });
  const started = performance.now();
  const inside = await sandboxed("model.ts");
  console.log(`start of a worker, model imported: ${Math.round(performance.now() - started)} ms`);
  const outside = await load("model.ts");
  const comparisons = [
    { title: "request, one after the other", run: one, count: REQUESTS, outside, inside },
    { title: `request, ${CONCURRENCY} at once`, run: many, count: REQUESTS, outside, inside },
    { title: "chunk of a stream, model never waits", run: stream, count: STREAMS * CHUNKS, outside, inside },
    {
      title: `chunk of ${STREAMS} streams, model waits before each`,
      run: paced,
      count: STREAMS * CHUNKS,
      outside: await load("paced.ts"),
      inside: await sandboxed("paced.ts"),
    },
  ];
  for (const { title, run, count, outside, inside } of comparisons) {
    const times: { readonly outside: number[]; readonly inside: number[] } = { outside: [], inside: [] };
    await run(outside);
    await run(inside);
    for (let round = 0; round < ROUNDS; round++) {
      times.outside.push(await timed(() => run(outside), count));
      times.inside.push(await timed(() => run(inside), count));
    }
    const [plain, boxed] = [median(times.outside), median(times.inside)];
    console.log(
      `${title}: ${plain.toFixed(1)} µs without, ${boxed.toFixed(1)} µs in a sandbox: +${
        (boxed - plain).toFixed(1)
      } µs, ×${(boxed / plain).toFixed(2)}`,
    );
  }
} finally {
  stop.abort();
  await Deno.remove(folder, { recursive: true });
}
