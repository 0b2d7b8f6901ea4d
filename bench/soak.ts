/**
 * Memory under mixed load, half of the streams cancelled: `deno run -A bench/soak.ts [--seconds 300] [--clients 50]`.
 * After all of the time it may be 10 % more than after a fifth of it (a minute of five).
 *
 * All guards are on; each of chats, streams, responses and wrong requests is a quarter. The second measure is the
 * median of the last tenth, the first that of the tenth around the fifth, as a garbage collector comes and goes.
 */
import { CHAT, chatBody, flag, memoryOf, percentile, report, sleep, startServer } from "./_server.ts";

const seconds = flag("seconds", 300);
const clients = flag("clients", 50);
const GROWTH = 1.1;
const SECRET = `sk-${"s".repeat(40)}`;

const MODEL = `export default class extends ChatModel {
  async *predictStream() {
    for (let i = 0; i < 20; i++) {
      yield "word ".repeat(20);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}`;

const folder = await Deno.makeTempDir();
await using server = await startServer({
  model: MODEL,
  flags: ["--max-concurrency=1000", "--metrics-port=0", "--access-log", `${folder}/access.log`],
  env: { CHATMODEL_API_KEYS: `soak=${SECRET}` },
});

const counts = { answered: 0, cancelled: 0, refused: 0 };
const failures = new Map<string, number>();
let isOver = false;

async function post(path: string, body: string): Promise<Response> {
  return await fetch(server.url + path, { method: "POST", headers: { authorization: `Bearer ${SECRET}` }, body });
}

async function stream(isCancelled: boolean): Promise<void> {
  const response = await post(CHAT, chatBody("Hello", true));
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const leavesAt = isCancelled ? Math.random() * 5_000 : Infinity;
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    text += part.value;
    if (text.length < leavesAt) continue;
    counts.cancelled++;
    return await reader?.cancel();
  }
  if (!text.endsWith("data: [DONE]\n\n")) throw new Error("a stream is not whole");
  counts.answered++;
}

async function whole(path: string, body: string, status: number): Promise<void> {
  const response = await post(path, body);
  await response.body?.cancel();
  if (response.status !== status) throw new Error(`status ${response.status}`);
  if (status === 200) counts.answered++;
  else counts.refused++;
}

async function run(client: number): Promise<void> {
  for (let i = client; !isOver; i++) {
    try {
      // Each fourth is a stream, and every other of those is left.
      if (i % 4 === 0) await stream(i % 8 === 0);
      else if (i % 4 === 1) await whole(CHAT, chatBody("Hello", false), 200);
      else if (i % 4 === 2) await whole("/v1/responses", JSON.stringify({ model: "bench", input: "Hello" }), 200);
      else await whole(CHAT, '{"messages":[{"role":"nobody"}]}', 400);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      failures.set(what, (failures.get(what) ?? 0) + 1);
    }
  }
}

const running = Array.from({ length: clients }, (_, i) => run(i));
const samples: number[] = [];
const begin = performance.now();
const period = Math.min(1_000, seconds * 10);
while (performance.now() - begin < seconds * 1_000) {
  await sleep(period);
  samples.push(await memoryOf(server.pid));
}
isOver = true;
await Promise.all(running);

/** Median of the tenth of all samples that ends at a share of the time. */
function around(share: number): number {
  const end = Math.ceil(share * samples.length);
  return percentile(samples.slice(Math.max(0, end - Math.ceil(samples.length / 10)), end), 0.5);
}

const early = around(0.25);
const late = around(1);
const missed: string[] = [];
if (!(late <= early * GROWTH)) missed.push(`memory grew by ${((late / early - 1) * 100).toFixed(0)} %`);
for (const [what, count] of failures) missed.push(`${count} requests: ${what}`);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
server.kill("SIGTERM");
const { code } = await server.ended;
if (code !== 0) missed.push(`exit code ${code}`);
const exitCode = report(`Mixed load for ${seconds} s, ${clients} clients, half of the streams cancelled`, {
  "requests": `${counts.answered} answered, ${counts.cancelled} left, ${counts.refused} refused`,
  "memory after a fifth": megabytes(early),
  "memory in the end": `${megabytes(late)} (${(late / early).toFixed(2)}, goal ${GROWTH} at most)`,
  "over time": Array.from({ length: 10 }, (_, i) => megabytes(around((i + 1) / 10))).join(", "),
}, missed);
await Deno.remove(folder, { recursive: true });
Deno.exit(exitCode);
