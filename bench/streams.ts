/**
 * A thousand event streams at once, a frame every 20 ms each, of which none may get lost or out of order:
 * `deno run -A bench/streams.ts [--streams 1000] [--seconds 5] [--interval 20]`.
 *
 * Hard is that every frame comes. How late they come tells how much there is to spare: on one machine with its clients,
 * most of that is theirs.
 */
import { CHAT, chatBody, flag, memoryOf, percentile, report, sleep, startServer } from "./_server.ts";

const streams = flag("streams", 1_000);
const seconds = flag("seconds", 5);
const interval = flag("interval", 20);
const frames = Math.round(seconds * 1_000 / interval);

/** Says numbers, at the times at which they are due: one that is late does not make those behind it late. */
const MODEL = `export default class extends ChatModel {
  async *predictStream() {
    const begin = performance.now();
    for (let i = 0; i < ${frames}; i++) {
      yield i + ",";
      const wait = begin + (i + 1) * ${interval} - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}`;

interface Outcome {
  readonly isWhole: boolean;
  /** Milliseconds between frames, longest. */
  readonly longestGap: number;
  readonly duration: number;
  /** Milliseconds from asking to the first frame. */
  readonly first: number;
}

const WHOLE = Array.from({ length: frames }, (_, i) => `${i},`).join("");

async function read(url: string): Promise<Outcome> {
  const asked = performance.now();
  const response = await fetch(url + CHAT, { method: "POST", body: chatBody("Count", true) });
  let said = "";
  let rest = "";
  let first = NaN;
  let last = NaN;
  let longestGap = 0;
  let isDone = false;
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const now = performance.now();
    if (Number.isNaN(first)) first = now;
    else longestGap = Math.max(longestGap, now - last);
    last = now;
    const lines = (rest + part).split("\n\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "data: [DONE]") isDone = true;
      else if (line.startsWith("data: ")) said += JSON.parse(line.slice(6)).choices?.[0]?.delta?.content ?? "";
    }
  }
  return { isWhole: isDone && said === WHOLE, longestGap, duration: last - first, first: first - asked };
}

await using server = await startServer({ model: MODEL, flags: ["--metrics-port=0"] });
const outcomes: Outcome[] = [];
let failures = 0;
await Promise.all(
  Array.from({ length: streams }, async (_, i) => {
    // Not all in one moment: that is what `saturation.ts` is for.
    await sleep(i * 1_000 / streams);
    await read(server.url).then((outcome) => outcomes.push(outcome), () => failures++);
  }),
);
const memory = await memoryOf(server.pid);
const whole = outcomes.filter(({ isWhole }) => isWhole).length;
const missed: string[] = [];
if (whole < streams) missed.push(`${streams - whole} streams are not whole, ${failures} of them broke`);
const gaps = outcomes.map(({ longestGap }) => longestGap);
const late = outcomes.map(({ duration }) => duration - (frames - 1) * interval);
Deno.exit(report(`${streams} streams at once, ${frames} frames each, one every ${interval} ms`, {
  "whole streams": `${whole} of ${streams}`,
  "frames": `${whole * frames}`,
  "ms to the first frame": `p50 ${percentile(outcomes.map(({ first }) => first), 0.5).toFixed(0)}, p99 ${
    percentile(outcomes.map(({ first }) => first), 0.99).toFixed(0)
  }`,
  "longest gap in a stream, ms": `p50 ${percentile(gaps, 0.5).toFixed(0)}, p99 ${percentile(gaps, 0.99).toFixed(0)}`,
  "end behind its time, ms": `p50 ${percentile(late, 0.5).toFixed(0)}, p99 ${percentile(late, 0.99).toFixed(0)}`,
  "memory of the server": `${(memory / 1e6).toFixed(0)} MB`,
}, missed));
