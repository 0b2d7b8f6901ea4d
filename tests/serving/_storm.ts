/** Many clients that leave at any moment: shared by the test and its child process with forced garbage collections. */
import { assertEquals } from "@std/assert";
import { ndjson, type UpstreamRequest } from "../support/fake_upstream.ts";
import type { Answer } from "../support/fake_upstream.ts";
import { RawClient } from "./_raw_client.ts";
import { ask, type Asking, done, startStack, token, until, within } from "./_stack.ts";

const CLIENTS = 200;
/** Clients at a time. */
const ROUND = 20;
const WORDS = ["One ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight"];
const CLOSE = "connection: close\r\n";

const ASKINGS: readonly Asking[] = [
  { stream: true },
  {},
  { stream: true, model: "predict_only" },
  { model: "stream_only" },
  { stream: true, n: 2 },
  { n: 2 },
];

/** What became of a storm. */
export interface Storm {
  /** Clients that left. */
  readonly left: number;
  /** Clients that stayed and got their whole answer. */
  readonly answered: number;
  /** Calls without end that came to the upstream. */
  readonly endless: number;
}

/** Numbers from 0 to 1 that are the same every time (xorshift). */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A prompt that the upstream answers without end, so that its calls end only by being given up. */
const ENDLESS = "Endless";

/** Answers piece by piece, and then closes, so that no connection stays open in good order. */
function slowly({ body }: UpstreamRequest): Answer {
  const { stream, messages } = JSON.parse(body);
  const endless = messages[0].content === ENDLESS;
  if (stream) {
    const [head, ...rest] = ndjson([...WORDS.map(token), done()]);
    const steps = rest.flatMap((step) => [{ wait: 5 }, step]);
    // Without the last record and what follows it there is no end.
    return [withClose(head), ...endless ? [...steps.slice(0, -4), "stall" as const] : [...steps, "close" as const]];
  }
  const content = new TextEncoder().encode(JSON.stringify(done(WORDS.join(""))));
  const half = content.length >> 1;
  return [
    { wait: 20 },
    { send: `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${CLOSE}content-length: ${content.length}\r\n\r\n` },
    { send: content.subarray(0, half) },
    ...endless ? ["stall" as const] : [{ wait: 20 }, { send: content.subarray(half) }, "close" as const],
  ];
}

function withClose(head: Answer[number] | undefined): Answer[number] {
  if (typeof head !== "object" || !("send" in head) || typeof head.send !== "string") throw new Error("no head");
  return { send: head.send.replace("\r\n\r\n", `\r\n${CLOSE}\r\n`) };
}

/**
 * Has clients ask and leave.
 *
 * @param seed Makes the moments.
 * @param options `halfway` is run in the middle of each round, in which all leave after `latest` milliseconds at most.
 * @returns What became of it.
 * @throws {Error} If calls of the upstream stay open.
 */
export async function storm(
  seed: number,
  options: { readonly halfway?: () => Promise<void>; readonly latest?: number } = {},
): Promise<Storm> {
  const { halfway = () => {}, latest = 60 } = options;
  await using stack = await startStack(slowly);
  const random = makeRandom(seed);
  const plans = Array.from({ length: CLIENTS }, (_, index) => {
    const leavesAfter = random() < 0.15 ? undefined : random() * latest;
    // Some leave just when their answer ends.
    const endless = leavesAfter !== undefined && random() < 0.7;
    return { asking: { ...ASKINGS[index % ASKINGS.length], ...(endless && { prompt: ENDLESS }) }, leavesAfter };
  });
  let left = 0;
  let answered = 0;
  const run = async ({ asking, leavesAfter }: typeof plans[number]) => {
    await using client = await RawClient.ask(stack.port, asking);
    if (leavesAfter === undefined) {
      await within(client.ended(), "an answer", 20_000);
      // Right to the end, in the middle of it all.
      assertWhole(client.received, asking);
      answered++;
    } else {
      await new Promise((resolve) => setTimeout(resolve, leavesAfter));
      left++;
      client.close();
    }
  };
  const { connections, requests } = stack.upstream;
  const open = () => connections.filter(({ isOpen }) => isOpen).length;
  while (plans.length > 0) {
    const clients = plans.splice(0, ROUND).map(run);
    await new Promise((resolve) => setTimeout(resolve, latest / 2));
    await halfway();
    await Promise.all(clients);
    // After each round, as the garbage collections of the next would close what was forgotten.
    await until(() => open() === 0, "the calls of the upstream to end");
  }
  const next = await ask(stack, { stream: true });
  assertEquals([next.content, next.error], [WORDS.join(""), undefined]);
  assertEquals(stack.errors, []);
  const endless = requests.filter(({ body }) => body.includes(ENDLESS)).length;
  return { left, answered, endless };
}

function assertWhole(received: string, { stream = false, n = 1 }: Asking): void {
  const end = stream ? "data: [DONE]\n\n\r\n0\r\n\r\n" : "}";
  assertEquals(received.slice(-end.length), end);
  for (const word of WORDS) assertEquals(received.split(word).length - 1 >= n, true, received);
}
