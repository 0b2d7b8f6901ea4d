import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Answer, htmlError, json, ndjson, text } from "../support/fake_upstream.ts";
import { ask, type Asking, done, type Outcome, type Stack, startStack, token, within } from "./_stack.ts";

const LIMITS = { firstTokenTimeout: 300, idleTimeout: 300 };
const TOKENS = [token("One "), token("two "), token("three")];
const JSON_HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n";
/** The prompt on which the upstream answers well, so that the next request can be shown to succeed. */
const NEXT = "And now?";

type Failure = readonly [status: number, code: string];

/** Who asks: streaming or not, and not streaming where the model only streams, so that the upstream does. */
const CLIENTS = {
  "the client streams": { stream: true },
  "the client does not stream": { stream: false },
  "only the upstream streams": { stream: false, model: "stream_only" },
  "only the client streams": { stream: true, model: "predict_only" },
} satisfies Record<string, Asking>;

function upstreamStreams({ stream, model }: Asking): boolean {
  return model === "stream_only" || (stream === true && model !== "predict_only");
}

/** Starts a stack whose upstream answers as told, and {@linkcode NEXT} well. */
async function startFaulty(answers: readonly Answer[], options: Parameters<typeof startStack>[1] = {}): Promise<Stack> {
  let index = 0;
  return await startStack((request) => {
    const { stream, messages } = JSON.parse(request.body);
    if (messages[0].content === NEXT) return stream ? ndjson([token("Fine"), done()]) : json(done("Fine"));
    return answers[Math.min(index++, answers.length - 1)] ?? ["close"];
  }, options);
}

/** One error, with the right status and code; told once, in OpenAI's form. */
function assertFailed(outcome: Outcome, failure: Failure, sent: string): void {
  const [status, code] = failure;
  assertEquals(outcome.status, sent === "" ? status : 200);
  assertEquals(outcome.content, sent);
  assert(typeof outcome.error === "object" && outcome.error !== null);
  assertEquals(Reflect.get(outcome.error, "code"), code, JSON.stringify(outcome.error));
}

async function assertGoesOn(stack: Stack, asking: Asking): Promise<void> {
  const { content, error } = await ask(stack, { ...asking, prompt: NEXT });
  assertEquals([content, error], ["Fine", undefined]);
}

/** Failures before an answer begins. */
const REFUSALS: readonly (readonly [name: string, answer: Answer, failure: Failure, requests: number])[] = [
  ["404", json({ error: "model 'plain' not found" }, { status: 404 }), [404, "model_not_found"], 1],
  ["400", json({ error: "input length exceeds the context length" }, { status: 400 }), [
    400,
    "context_length_exceeded",
  ], 1],
  [
    "503 again and again",
    json({ error: "busy" }, { status: 503, headers: { "retry-after": "0.01" } }),
    [503, "overloaded"],
    3,
  ],
  [
    "500 with nested JSON",
    json({ error: '{"error":{"code":500,"message":"deep","type":"server_error"}}' }, { status: 500 }),
    [502, "upstream_error"],
    1,
  ],
  ["502 in HTML", htmlError(), [502, "upstream_unavailable"], 1],
  ["a reset before the headers", ["reset"], [502, "upstream_unreachable"], 3],
  ["an end before the headers", ["close"], [502, "upstream_unreachable"], 3],
  ["a stall before the headers", ["stall"], [504, "first_token_timeout"], 1],
  [
    "a stall inside an error",
    [{ send: "HTTP/1.1 500 Oops\r\ncontent-length: 99\r\n\r\n{" }, "stall"],
    [504, "first_token_timeout"],
    1,
  ],
];

for (const [name, answer, failure, requests] of REFUSALS) {
  for (const [client, asking] of Object.entries(CLIENTS)) {
    Deno.test(`createApp() answers with ${failure.join(" ")} when the upstream gives ${name} and ${client}`, async () => {
      await using stack = await startFaulty([answer], answer.includes("stall") ? LIMITS : {});
      assertFailed(await ask(stack, asking), failure, "");
      assertEquals(stack.errors.length, failure[0] >= 500 ? 1 : 0);
      assertEquals(stack.upstream.requests.length, requests);
      if (answer.includes("stall")) await within(stack.upstream.allClosed(), "the upstream's connections to close");
      await assertGoesOn(stack, asking);
    });
  }
}

for (const [client, asking] of Object.entries(CLIENTS)) {
  Deno.test(`createApp() answers with a hint when no upstream is there and ${client}`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    await using stack = await startStack([], { host: `http://127.0.0.1:${port}` });
    const outcome = await ask(stack, asking);
    assertFailed(outcome, [502, "upstream_unreachable"], "");
    assertStringIncludes(JSON.stringify(outcome.error), "ollama serve");
    assertEquals(stack.errors.length, 1);
    const version = await fetch(`${stack.url}/version`);
    assertEquals([version.status, (await version.text()).length > 0], [200, true]);
  });
}

/** What goes wrong inside an answer. */
interface Break {
  /** Ends a stream after the given records. */
  readonly stream: (records: readonly unknown[]) => Answer;
  /** The answer where the upstream does not stream. */
  readonly whole: Answer;
  /** The error in a stream, or before its first token. */
  readonly failure: Failure;
  /** The error where it differs because there were tokens. */
  readonly later?: Failure;
  /** The error where it differs because the upstream does not stream. */
  readonly wholeFailure?: Failure;
  /** Whether a stream remains unfinished, so that its connection must be closed. */
  readonly unfinished?: boolean;
  /** Whether there can be no tokens before it. */
  readonly onlyAtOnce?: boolean;
}

const NESTED = { error: '{"error":{"code":500,"message":"deep","type":"server_error"}}' };

const BREAKS: Record<string, Break> = {
  "an error line": {
    stream: (records) => ndjson([...records, { error: "boom" }]),
    whole: json({ error: "boom" }),
    failure: [502, "upstream_error"],
  },
  "an error line with nested JSON, and then stalls": {
    stream: (records) => ndjson([...records, NESTED], { end: "stall" }),
    whole: json(NESTED),
    failure: [502, "upstream_error"],
    unfinished: true,
  },
  "an end without done": {
    stream: (records) => ndjson(records),
    whole: json(token("One two three")),
    failure: [502, "upstream_incomplete"],
  },
  "a cut inside a chunk": {
    stream: (records) => ndjson(records, { end: "cut" }),
    whole: [{ send: `${JSON_HEAD}{"message":` }, "close"],
    failure: [502, "upstream_lost"],
    unfinished: true,
  },
  "a garbage line": {
    stream: (records) => ndjson([...records, '{"message":', done()]),
    whole: text('{"message":', { headers: { "content-type": "application/json" } }),
    failure: [502, "upstream_bad_record"],
  },
  "a wrong shape": {
    stream: (records) => ndjson([...records, { message: { content: 5 } }, done()]),
    whole: json({ message: { content: 5 }, done: true }),
    failure: [502, "upstream_bad_record"],
  },
  "a reset midway": {
    // Waits first, as a reset takes back what is still on its way.
    stream: (records) => [...ndjson(records, { end: "stall" }).slice(0, -1), { wait: 30 }, "reset"],
    whole: [{ send: `${JSON_HEAD}{"message":` }, { wait: 30 }, "reset"],
    failure: [502, "upstream_lost"],
    unfinished: true,
  },
  "a stall": {
    stream: (records) => ndjson(records, { end: "stall" }),
    whole: [{ send: `${JSON_HEAD}{"message":` }, "stall"],
    failure: [504, "first_token_timeout"],
    later: [504, "idle_timeout"],
    unfinished: true,
  },
  "a stall inside a record": {
    stream: (records) => [...ndjson(records, { end: "stall" }).slice(0, -1), { send: '9\r\n{"message\r\n' }, "stall"],
    whole: [{ send: JSON_HEAD }, "stall"],
    failure: [504, "first_token_timeout"],
    later: [504, "idle_timeout"],
    unfinished: true,
  },
  "an empty body": {
    stream: () => text(""),
    whole: text("", { headers: { "content-type": "application/json" } }),
    failure: [502, "upstream_incomplete"],
    wholeFailure: [502, "upstream_bad_record"],
    onlyAtOnce: true,
  },
};

for (const [name, fault] of Object.entries(BREAKS)) {
  for (const [client, asking] of Object.entries(CLIENTS)) {
    const streams = upstreamStreams(asking);
    for (const count of streams && !fault.onlyAtOnce ? [0, 3] : [0]) {
      const moment = !streams ? "" : count === 0 ? " at once" : ` after ${count} tokens`;
      Deno.test(`createApp() tells one error when the upstream gives ${name}${moment} and ${client}`, async () => {
        const answer = streams ? fault.stream(TOKENS.slice(0, count)) : fault.whole;
        await using stack = await startFaulty([answer], answer.includes("stall") ? LIMITS : {});
        const failure = (count > 0 ? fault.later : streams ? undefined : fault.wholeFailure) ?? fault.failure;
        assertFailed(await ask(stack, asking), failure, count > 0 && asking.stream ? "One two three" : "");
        assertEquals(stack.errors.length, 1);
        assertEquals(stack.upstream.requests.length, 1, "tried again after the answer had begun");
        if (streams ? fault.unfinished : answer.includes("stall")) {
          await within(stack.upstream.allClosed(), "the upstream's connection to close");
        }
        await assertGoesOn(stack, asking);
      });
    }
  }
}
