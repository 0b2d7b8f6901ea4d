/** What goes wrong with an upstream, and what a client of ours is told of it: once, and truly. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Answer, garbage, htmlError, json, text } from "../../support/fake_upstream.ts";
import { ask, type Asking, type Outcome, within } from "../../serving/_stack.ts";
import { chunk, DONE, finish, goodStream, sse, type Stack, startStack, token, USAGE_CHUNK, whole } from "./_stack.ts";

const LIMITS = { firstTokenTimeout: 300, idleTimeout: 300 };
const TOKENS = [token("One "), token("two "), token("three")];
const JSON_HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n";
/** The prompt on which the upstream answers well, so that the next request can be shown to succeed. */
const NEXT = "And now?";

type Failure = readonly [status: number, code: string];

/** Who asks: streaming or not, and where only one side of the model streams. */
const CLIENTS = {
  "the client streams": { stream: true },
  "the client does not stream": { stream: false },
  "only the upstream streams": { stream: false, model: "stream_only" },
  "only the client streams": { stream: true, model: "predict_only" },
} satisfies Record<string, Asking>;

function upstreamStreams({ stream, model }: Asking): boolean {
  return model === "stream_only" || (stream === true && model !== "predict_only");
}

async function startFaulty(answers: readonly Answer[], options: Parameters<typeof startStack>[1] = {}): Promise<Stack> {
  let index = 0;
  return await startStack(({ body }) => {
    const { stream, messages } = JSON.parse(body);
    if (messages[0].content === NEXT) return stream ? goodStream("Fine") : json(whole("Fine"));
    return answers[Math.min(index++, answers.length - 1)] ?? ["close"];
  }, options);
}

/** One error, with the right status and code; told once, in OpenAI's form. */
function assertFailed(outcome: Outcome, [status, code]: Failure, sent: string): void {
  assertEquals(outcome.status, sent === "" ? status : 200, JSON.stringify(outcome.error));
  assertEquals(outcome.content, sent);
  assert(typeof outcome.error === "object" && outcome.error !== null);
  assertEquals(Reflect.get(outcome.error, "code"), code, JSON.stringify(outcome.error));
}

async function assertGoesOn(stack: Stack, asking: Asking): Promise<void> {
  const { content, error } = await ask(stack, { ...asking, prompt: NEXT });
  assertEquals([content, error], ["Fine", undefined]);
}

const openaiError = (message: string, rest: Readonly<Record<string, unknown>> = {}) => ({
  error: { message, type: "invalid_request_error", param: null, code: null, ...rest },
});

/** Failures before an answer begins. */
const REFUSALS: readonly (readonly [name: string, answer: Answer, failure: Failure, requests: number])[] = [
  ["404 for the model", json(openaiError("no such thing", { code: "model_not_found" }), { status: 404 }), [
    404,
    "model_not_found",
  ], 1],
  ["404 of FastAPI for the path", json({ detail: "Not Found" }, { status: 404 }), [502, "upstream_error"], 1],
  ["400 with OpenAI's code", json(openaiError("too long", { code: "context_length_exceeded" }), { status: 400 }), [
    400,
    "context_length_exceeded",
  ], 1],
  [
    "400 of llama.cpp",
    json({
      error: {
        code: 400,
        message: "the request exceeds the available context size",
        type: "exceed_context_size_error",
      },
    }, { status: 400 }),
    [400, "context_length_exceeded"],
    1,
  ],
  ["400 in plain JSON", json({ error: "temperature is odd" }, { status: 400 }), [400, "upstream_rejected"], 1],
  [
    "422 of FastAPI",
    json({ detail: [{ loc: ["body", "n"], msg: "too many", input: "SECRET PROMPT" }] }, {
      status: 422,
    }),
    [400, "upstream_rejected"],
    1,
  ],
  ["401", json(openaiError("who?"), { status: 401 }), [502, "upstream_authentication"], 1],
  ["403", json(openaiError("no"), { status: 403 }), [502, "upstream_forbidden"], 1],
  ["429 without a time", json(openaiError("slow down"), { status: 429 }), [429, "rate_limit_exceeded"], 1],
  ["429 again and again", json(openaiError("slow down"), { status: 429, headers: { "retry-after": "0.01" } }), [
    429,
    "rate_limit_exceeded",
  ], 3],
  ["503 again and again", json({ error: "busy" }, { status: 503, headers: { "retry-after-ms": "10" } }), [
    503,
    "overloaded",
  ], 3],
  ["503 in HTML with a time", text("<p>busy</p>", { status: 503, headers: { "retry-after": "0.01" } }), [
    503,
    "overloaded",
  ], 3],
  ["503 that is for good", json({ error: "busy" }, { status: 503, headers: { "x-should-retry": "false" } }), [
    503,
    "overloaded",
  ], 1],
  ["500", json(openaiError("deep", { type: "server_error" }), { status: 500 }), [502, "upstream_error"], 1],
  ["502 in HTML", htmlError(), [502, "upstream_unavailable"], 1],
  ["a redirect", text("", { status: 307, headers: { location: "http://127.0.0.1:1/v1/chat/completions" } }), [
    502,
    "upstream_redirect",
  ], 1],
  ["a page with status 200", htmlError(200), [502, "upstream_error"], 1],
  ["bytes that are no HTTP", garbage(), [502, "upstream_unreachable"], 1],
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
    Deno.test(`OpenAIChatModel fails with ${failure.join(" ")} when the upstream gives ${name} and ${client}`, async () => {
      await using stack = await startFaulty([answer], answer.includes("stall") ? LIMITS : {});
      const outcome = await ask(stack, asking);
      assertFailed(outcome, failure, "");
      assert(!JSON.stringify(outcome.error).includes("SECRET PROMPT"));
      assertEquals(stack.upstream.requests.length, requests);
      if (answer.includes("stall")) await within(stack.upstream.allClosed(), "the upstream's connections to close");
      await assertGoesOn(stack, asking);
    });
  }
}

for (const [client, asking] of Object.entries(CLIENTS)) {
  Deno.test(`OpenAIChatModel tells what to do when no upstream is there and ${client}`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    await using stack = await startStack([], { baseUrl: `http://127.0.0.1:${port}/v1` });
    const outcome = await ask(stack, asking);
    assertFailed(outcome, [502, "upstream_unreachable"], "");
    assertStringIncludes(JSON.stringify(outcome.error), "check the base URL");
  });
}

/** What goes wrong inside an answer. */
interface Break {
  /** Ends a stream after the given chunks. */
  readonly stream: (chunks: readonly unknown[]) => Answer;
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
  /** Whether there must be tokens before it. */
  readonly onlyLater?: boolean;
}

const NESTED = openaiError("deep", { type: "server_error", code: 500 });

const BREAKS: Record<string, Break> = {
  "an error frame": {
    stream: (chunks) => sse([...chunks, NESTED]),
    whole: json(NESTED),
    failure: [502, "upstream_error"],
  },
  "an error frame with a text, and then stalls": {
    stream: (chunks) => sse([...chunks, { error: "boom" }], { end: "stall" }),
    whole: json({ error: "boom" }),
    failure: [502, "upstream_error"],
    unfinished: true,
  },
  "an error frame of a limit": {
    stream: (chunks) => sse([...chunks, { error: { message: "slow down", code: 429 } }]),
    whole: json({ error: { message: "slow down", code: 429 } }),
    failure: [429, "rate_limit_exceeded"],
  },
  "an event of type error": {
    stream: (chunks) => sse([...chunks, 'event: error\ndata: {"message":"boom"}\n']),
    whole: json({ object: "error", message: "boom" }),
    failure: [502, "upstream_error"],
  },
  "an error in a choice": {
    stream: (chunks) => sse([...chunks, chunk({}, { error: { code: 502, message: "lost" }, finish_reason: "error" })]),
    whole: json(whole("", { choices: [{ error: { code: 502, message: "lost" }, message: { content: "" } }] })),
    failure: [502, "upstream_unavailable"],
  },
  "the finish reason error": {
    stream: (chunks) => sse([...chunks, finish("error"), DONE]),
    whole: json(whole("", { choices: [{ message: { content: "" }, finish_reason: "error" }] })),
    failure: [502, "upstream_incomplete"],
  },
  "an end without finish and [DONE]": {
    stream: (chunks) => sse(chunks),
    whole: json(whole("", { choices: [] })),
    failure: [502, "upstream_incomplete"],
  },
  "a cut inside a chunk": {
    stream: (chunks) => sse(chunks, { end: "cut" }),
    whole: [{ send: `${JSON_HEAD}{"choices":` }, "close"],
    failure: [502, "upstream_lost"],
    unfinished: true,
  },
  "a frame of garbage": {
    stream: (chunks) => sse([...chunks, 'data: {"choices":\n', DONE]),
    whole: text('{"choices":', { headers: { "content-type": "application/json" } }),
    failure: [502, "upstream_bad_record"],
  },
  "a wrong shape": {
    stream: (chunks) => sse([...chunks, chunk({ content: 5 }), DONE]),
    whole: json(whole("", { choices: [{ message: { content: 5 } }] })),
    failure: [502, "upstream_bad_record"],
  },
  "what is neither a chunk nor an answer": {
    stream: (chunks) => sse([...chunks, { content: "hi" }, DONE]),
    whole: json({ content: "hi" }),
    failure: [502, "upstream_bad_record"],
  },
  "a reset midway": {
    // Waits first, as a reset takes back what is still on its way.
    stream: (chunks) => [...sse(chunks, { end: "stall" }).slice(0, -1), { wait: 30 }, "reset"],
    whole: [{ send: `${JSON_HEAD}{"choices":` }, { wait: 30 }, "reset"],
    failure: [502, "upstream_lost"],
    unfinished: true,
  },
  "a reset between the finish and [DONE]": {
    stream: (chunks) => [...sse([...chunks, finish()], { end: "stall" }).slice(0, -1), { wait: 30 }, "reset"],
    whole: [{ send: `${JSON_HEAD}{"choices":` }, { wait: 30 }, "reset"],
    failure: [502, "upstream_lost"],
    unfinished: true,
    onlyLater: true,
  },
  "a stall": {
    stream: (chunks) => sse(chunks, { end: "stall" }),
    whole: [{ send: `${JSON_HEAD}{"choices":` }, "stall"],
    failure: [504, "first_token_timeout"],
    later: [504, "idle_timeout"],
    unfinished: true,
  },
  "a stall inside a chunk": {
    stream: (chunks) => [...sse(chunks, { end: "stall" }).slice(0, -1), { send: '9\r\ndata: {"c\r\n' }, "stall"],
    whole: [{ send: JSON_HEAD }, "stall"],
    failure: [504, "first_token_timeout"],
    later: [504, "idle_timeout"],
    unfinished: true,
  },
  "nothing but [DONE]": {
    stream: () => sse([DONE]),
    whole: json({}),
    failure: [502, "upstream_incomplete"],
    wholeFailure: [502, "upstream_bad_record"],
    onlyAtOnce: true,
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
    const counts = [...(fault.onlyLater ? [] : [0]), ...(fault.onlyAtOnce ? [] : [3])];
    for (const count of streams ? counts : [0]) {
      const moment = !streams ? "" : count === 0 ? " at once" : ` after ${count} tokens`;
      Deno.test(`OpenAIChatModel tells one error when the upstream gives ${name}${moment} and ${client}`, async () => {
        const answer = streams ? fault.stream(TOKENS.slice(0, count)) : fault.whole;
        await using stack = await startFaulty([answer], answer.includes("stall") ? LIMITS : {});
        const failure = (count > 0 ? fault.later : streams ? undefined : fault.wholeFailure) ?? fault.failure;
        assertFailed(await ask(stack, asking), failure, count > 0 && asking.stream ? "One two three" : "");
        assertEquals(stack.upstream.requests.length, 1, "tried again after the answer had begun");
        if (streams ? fault.unfinished : answer.includes("stall")) {
          await within(stack.upstream.allClosed(), "the upstream's connection to close");
        }
        await assertGoesOn(stack, asking);
      });
    }
  }
}

const LONG = "ä".repeat(150_000);

/** What is odd but good. */
const GOOD: Record<string, readonly [stream: Answer, whole: Answer, content: string]> = {
  "one byte a packet": [
    sse([token("Oné "), token("two"), finish(), USAGE_CHUNK, DONE], { packet: 1 }),
    json(whole("Oné two")),
    "Oné two",
  ],
  "a record of 300 kB": [sse([token(LONG), finish(), DONE]), json(whole(LONG)), LONG],
  "[DONE] twice": [sse([token("One"), finish(), DONE, DONE]), json(whole("One")), "One"],
  "the finish twice": [sse([token("One"), finish(), finish(), DONE]), json(whole("One")), "One"],
  "a stall after [DONE]": [sse([token("One"), finish(), DONE], { end: "stall" }), json(whole("One")), "One"],
  "a cut after [DONE]": [sse([token("One"), finish(), DONE], { end: "cut" }), json(whole("One")), "One"],
  "no [DONE]": [sse([token("One"), finish()]), json(whole("One")), "One"],
  "[DONE] without finish": [sse([token("One"), DONE]), json(whole("One")), "One"],
};

for (const [name, [stream, answer, content]] of Object.entries(GOOD)) {
  for (const [client, asking] of Object.entries(CLIENTS)) {
    Deno.test(`OpenAIChatModel answers well when the upstream gives ${name} and ${client}`, async () => {
      await using stack = await startFaulty([upstreamStreams(asking) ? stream : answer]);
      const outcome = await ask(stack, asking);
      assertEquals([outcome.status, outcome.error, outcome.finishReason], [200, undefined, "stop"]);
      assert(outcome.content === content, `${outcome.content.length} characters`);
      assertEquals(stack.errors, []);
      await assertGoesOn(stack, asking);
    });
  }
}

for (const status of [429, 503]) {
  Deno.test(`OpenAIChatModel hands on when to try again when the upstream gives ${status} with a long time`, async () => {
    await using stack = await startFaulty([json({ error: "later" }, { status, headers: { "retry-after": "77" } })]);
    const outcome = await ask(stack, {});
    assertEquals([outcome.status, outcome.headers.get("retry-after")], [status, "77"]);
    assertEquals(stack.upstream.requests.length, 1, "so long no one waits");
  });
}

Deno.test("OpenAIChatModel answers when the second try goes well", async () => {
  for (const first of [["reset"], json({}, { status: 503, headers: { "retry-after": "0.01" } })] satisfies Answer[]) {
    await using stack = await startFaulty([first, json(whole("Fine"))]);
    assertEquals((await ask(stack, {})).content, "Fine");
    assertEquals(stack.upstream.requests.length, 2);
  }
});
