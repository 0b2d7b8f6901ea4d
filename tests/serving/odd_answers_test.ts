import { assertEquals, assertMatch } from "@std/assert";
import { type Answer, htmlError, json, ndjson, type UpstreamRequest } from "../support/fake_upstream.ts";
import { ask, type Asking, done, startStack, token, within } from "./_stack.ts";

const LIMITS = { firstTokenTimeout: 2_000, idleTimeout: 2_000 };
const TOKENS = [token("One "), token("two "), token("three")];
const GOOD = ndjson([...TOKENS, done()]);
const GOOD_WHOLE = json(done("One two three"));
const LONG = "ü".repeat(150_000);
const BUSY = json({ error: "busy" }, { status: 503, headers: { "retry-after": "0.01" } });

const CLIENTS = {
  "the client streams": { stream: true },
  "the client does not stream": { stream: false },
  "only the upstream streams": { stream: false, model: "stream_only" },
  "only the client streams": { stream: true, model: "predict_only" },
} satisfies Record<string, Asking>;

/** What is unusual, but must be read right. */
interface Odd {
  readonly stream: readonly Answer[];
  readonly whole?: readonly Answer[];
  readonly content?: string;
  /** Whether the connection cannot be used again, and so must be closed. */
  readonly closes?: boolean;
}

const ODDITIES: Record<string, Odd> = {
  "its headers late": {
    stream: [ndjson([...TOKENS, done()], { slowHeaders: 150 })],
    whole: [[{ wait: 150 }, ...GOOD_WHOLE]],
  },
  "one byte a packet": {
    stream: [ndjson([...TOKENS, done()], { packet: 1 })],
    whole: [GOOD_WHOLE.map((step) => typeof step === "object" && "send" in step ? { ...step, packet: 1 } : step)],
  },
  "a record of 300 kB": { stream: [ndjson([token(LONG), done()])], whole: [json(done(LONG))], content: LONG },
  "done twice": { stream: [ndjson([...TOKENS, done(), done()])] },
  "content in the done record": { stream: [ndjson([token("One "), done("two three")])] },
  "everything in one record": { stream: [ndjson([done("One two three")])], whole: [GOOD_WHOLE] },
  "no last line end": { stream: [ndjson([...TOKENS, done()], { lastLineEnd: "" })] },
  "blank lines": { stream: [ndjson(["", TOKENS[0], "", TOKENS[1], TOKENS[2], "", done()])] },
  "an error line after done": { stream: [ndjson([...TOKENS, done(), { error: "late" }])] },
  "garbage after done": { stream: [ndjson([...TOKENS, done(), "<html>"])] },
  "a stall after done": { stream: [ndjson([...TOKENS, done()], { end: "stall" })], closes: true },
  "a cut after done": { stream: [ndjson([...TOKENS, done()], { end: "cut" })], closes: true },
  "503 once": { stream: [BUSY, GOOD], whole: [BUSY, GOOD_WHOLE] },
  "a reset once before the headers": { stream: [["reset"], GOOD], whole: [["reset"], GOOD_WHOLE] },
  "an end once before the headers": { stream: [["close"], GOOD], whole: [["close"], GOOD_WHOLE] },
};

for (const [name, odd] of Object.entries(ODDITIES)) {
  for (const [client, asking] of Object.entries(CLIENTS)) {
    const streams = asking.stream ? !("model" in asking) : "model" in asking;
    const answers = streams ? odd.stream : odd.whole;
    if (answers === undefined) continue;
    Deno.test(`createApp() answers right when the upstream gives ${name} and ${client}`, async () => {
      await using stack = await startStack(answers, LIMITS);
      const { content, finishReason, error } = await ask(stack, asking);
      assertEquals(error, undefined);
      assertEquals(content, odd.content ?? "One two three");
      assertEquals(finishReason, "stop");
      assertEquals(stack.errors, []);
      assertEquals(stack.upstream.requests.length, answers.length);
      if (odd.closes) await within(stack.upstream.allClosed(), "the upstream's connection to close");
      const next = await ask(stack, asking);
      assertEquals(next.content, content);
    });
  }
}

/** Failures as MLflow's clients see them. */
const INVOCATIONS: readonly (readonly [string, Answer, number, string])[] = [
  ["an error with 200", json({ error: "boom" }), 502, "INTERNAL_ERROR"],
  ["404", json({ error: "model 'plain' not found" }, { status: 404 }), 404, "RESOURCE_DOES_NOT_EXIST"],
  [
    "a context error",
    json({ error: "input length exceeds the context length" }, { status: 400 }),
    400,
    "INVALID_PARAMETER_VALUE",
  ],
  ["503", BUSY, 503, "TEMPORARILY_UNAVAILABLE"],
  ["502 in HTML", htmlError(), 502, "INTERNAL_ERROR"],
  ["a cut", [{ send: "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{" }, "close"], 502, "INTERNAL_ERROR"],
  ["a stall", ["stall"], 504, "INTERNAL_ERROR"],
];

for (const [name, answer, status, code] of INVOCATIONS) {
  for (const stream of [true, false]) {
    const client = stream ? "the client streams" : "the client does not stream";
    Deno.test(`createApp() answers /invocations with ${code} when the upstream gives ${name} and ${client}`, async () => {
      await using stack = await startStack([answer], { firstTokenTimeout: 300 });
      const outcome = await ask(stack, { stream, path: "/invocations" });
      assertEquals(outcome.status, status);
      const { error_code, message, ...rest } = Object(outcome.error);
      assertEquals([error_code, rest], [code, {}]);
      assertMatch(message, /^Cannot /);
    });
  }
}

Deno.test("createApp() ends a stream of /invocations with an error frame when the upstream fails after tokens", async () => {
  await using stack = await startStack([ndjson([...TOKENS, { error: "boom" }])]);
  const { status, content, error } = await ask(stack, { stream: true, path: "/invocations" });
  assertEquals([status, content, Object(error).code], [200, "One two three", "upstream_error"]);
});

Deno.test("createApp() tells one error when one of two parallel answers fails, and closes the other", async () => {
  for (const stream of [true, false]) {
    const answer = ({ body }: UpstreamRequest, index: number): Answer => {
      if (index === 0) return JSON.parse(body).stream ? ndjson([TOKENS[0]], { end: "stall" }) : ["stall"];
      return [{ wait: 30 }, ...(stream ? ndjson([TOKENS[0], { error: "boom" }]) : json({ error: "boom" }))];
    };
    await using stack = await startStack(answer);
    const { error } = await ask(stack, { stream, n: 2 });
    assertEquals(Object(error).code, "upstream_error");
    assertEquals(stack.errors.length, 1);
    await within(stack.upstream.connections[0]?.closed ?? Promise.reject(new Error("none")), "the other to close");
  }
});
