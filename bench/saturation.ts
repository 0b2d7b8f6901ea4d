/**
 * Twice as many requests as a server can take: `deno run -A bench/saturation.ts [--seconds 10] [--load 2]`.
 * It must answer with 200, 429 or 503 and nothing else, and those that it serves within the time that its queue allows.
 *
 * The server has 20 places, a model that takes 100 ms, a queue of 40, and keys of which one has a limit for a minute:
 * 200 requests a second are served, and a request waits 40 / 200 s = 200 ms behind the longest queue.
 */
import { CHAT, chatBody, flag, percentile, report, sleep, startServer } from "./_server.ts";

const seconds = flag("seconds", 10);
const load = flag("load", 2);
const places = 20;
const queue = 40;
const time = 100;

const MODEL = `export default class extends ChatModel {
  async *predictStream() {
    for (let i = 0; i < 5; i++) {
      yield "word ";
      await new Promise((resolve) => setTimeout(resolve, ${time / 5}));
    }
  }
}`;
const KEYS = { free: `sk-${"f".repeat(40)}`, limited: `sk-${"l".repeat(40)}` };
const limit = 300;

async function hash(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return bytes.toHex();
}

const keys = await Deno.makeTempFile({ suffix: ".json" });
await Deno.writeTextFile(
  keys,
  JSON.stringify({
    keys: [
      { name: "free", sha256: await hash(KEYS.free) },
      { name: "limited", sha256: await hash(KEYS.limited), requests_per_minute: limit },
    ],
  }),
);
await using server = await startServer({
  model: MODEL,
  flags: ["--api-keys", keys, `--max-concurrency=${places}`, `--max-queue=${queue}`, "--metrics-port=0"],
});

const statuses = new Map<string, number>();
const served: number[] = [];
const refused: number[] = [];
let granted = 0;
let broken = 0;

async function ask(index: number): Promise<void> {
  const isLimited = index % 4 === 3;
  const stream = index % 2 === 0;
  const begin = performance.now();
  let status = "broken";
  try {
    const response = await fetch(server.url + CHAT, {
      method: "POST",
      headers: { authorization: `Bearer ${isLimited ? KEYS.limited : KEYS.free}` },
      body: chatBody("Hello", stream),
    });
    const text = await response.text();
    status = `${response.status}`;
    const isWhole = () =>
      stream ? text.endsWith("data: [DONE]\n\n") : JSON.parse(text).choices[0].finish_reason === "stop";
    if (status === "200" && !isWhole()) broken++;
    if (isLimited && status === "200") granted++;
    if (status !== "200" && !response.headers.has("retry-after-ms")) status += " without retry-after-ms";
    (status === "200" ? served : refused).push(performance.now() - begin);
  } catch {
    status = "broken";
  }
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
}

await Promise.all(Array.from({ length: 20 }, (_, i) => ask(4 * i))); // So that what is measured is compiled.
statuses.clear();
served.length = 0;
const rate = load * places / time * 1_000;
const asking: Promise<void>[] = [];
const begin = performance.now();
for (let index = 0; performance.now() - begin < seconds * 1_000;) {
  const due = (performance.now() - begin) / 1_000 * rate;
  while (index < due) asking.push(ask(index++));
  await sleep(5);
}
await Promise.all(asking);
const elapsed = (performance.now() - begin) / 1_000;
await Deno.remove(keys);

/**
 * Milliseconds that who comes last in a full queue waits, at the rate at which requests were really served; twice as
 * much, as that rate is not the same all the time, and some for clients that share the machine.
 */
const bound = 2 * (queue + places) / (served.length / elapsed) * 1_000 + 200;
const p99 = percentile(served, 0.99);
const missed: string[] = [];
for (const status of statuses.keys()) {
  if (!["200", "429", "503"].includes(status)) missed.push(`status ${status}: ${statuses.get(status)}`);
}
if (broken > 0) missed.push(`${broken} answers with status 200 are not whole`);
if (!(p99 <= bound)) missed.push(`p99 of those served is ${p99.toFixed(0)} ms, bound ${bound.toFixed(0)} ms`);
if (granted > limit) missed.push(`the limited key got ${granted} answers, limit ${limit}`);
Deno.exit(
  report(`${load} times saturation for ${seconds} s: ${rate} requests/s, ${places / time * 1_000} can be served`, {
    "answers by status": [...statuses].sort().map(([status, count]) => `${status}: ${count}`).join(", "),
    "served a second": (served.length / elapsed).toFixed(0),
    "ms of those served": `p50 ${percentile(served, 0.5).toFixed(0)}, p99 ${p99.toFixed(0)} (bound ${
      bound.toFixed(0)
    })`,
    "ms of those refused": `p50 ${percentile(refused, 0.5).toFixed(0)}, p99 ${percentile(refused, 0.99).toFixed(0)}`,
    "answers of the limited key": `${granted} (limit ${limit} a minute)`,
  }, missed),
);
