import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import type { AnswerPart } from "../../../streaming/mod.ts";
import type { ChatParams } from "../../../types/mod.ts";
import {
  answer,
  comparable,
  context,
  isResponse,
  joined,
  magicFunction,
  model,
  parts,
  response,
  user,
  weather,
} from "./_demo.ts";

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.lorem(),
  fc.string({ unit: fc.constantFrom(..." \n\u3000ab'\"1") }),
);

const anyParams: fc.Arbitrary<ChatParams> = fc.record({
  stop: fc.oneof(anyText, fc.array(anyText, { minLength: 1, maxLength: 4 }), fc.constantFrom("it ", "model", "t")),
  max_tokens: fc.nat(40),
  max_completion_tokens: fc.nat(40),
  seed: fc.maxSafeInteger(),
  n: fc.integer({ min: 1, max: 4 }),
  logprobs: fc.boolean(),
  top_logprobs: fc.nat(20),
  reasoning_effort: fc.constantFrom("none", "low", "high"),
  response_format: fc.constantFrom({ type: "text" }, { type: "json_object" }),
  custom_inputs: fc.constant({ a: [1] }),
  tools: fc.constantFrom([], [magicFunction, weather], [{ type: "custom", custom: { name: "shell" } }]),
}, { requiredKeys: [] });

Deno.test("DemoChatModel streams what it answers whole, for any prompt and parameters, every time", () => {
  fc.assert(fc.property(anyText, anyParams, (prompt, params) => {
    const messages = user(prompt);
    const stream = parts(messages, params);
    assertEquals(JSON.stringify(parts(messages, params)), JSON.stringify(stream));
    const result = model.predict(context, messages, params);
    assert(typeof result === "object" && !(result instanceof Promise));
    assertEquals(JSON.stringify(model.predict(context, messages, params)), JSON.stringify(result));
    if (!isResponse(result)) {
      assertEquals(comparable(joined(stream)), comparable(result));
      return;
    }
    assertEquals(result.choices.length, params.n);
    const { usage, custom_outputs } = result;
    result.choices.forEach(({ message, finish_reason, logprobs }, index) => {
      const isLast = index === result.choices.length - 1;
      const whole: AnswerPart = {
        ...message,
        ...(finish_reason && { finish_reason }),
        ...(logprobs && { logprobs }),
        ...(isLast && usage && { usage }),
        ...(isLast && custom_outputs && { custom_outputs }),
      };
      assertEquals(comparable(joined(stream, index)), comparable(whole));
    });
  }));
});

Deno.test("DemoChatModel never goes beyond stop and the token limit", () => {
  fc.assert(fc.property(anyText, anyParams, (prompt, given) => {
    const { n: _, tools: __, ...params } = given;
    const { content, usage, finish_reason, reasoning } = answer(user(prompt), params);
    const stops = [params.stop ?? []].flat().filter((stop) => stop !== "");
    assert(stops.every((stop) => !content?.includes(stop)));
    const limit = params.max_completion_tokens ?? params.max_tokens ?? Infinity;
    const words = `${reasoning ?? ""} ${content}`.match(/\S+/g)?.length ?? 0;
    assertEquals(usage?.completion_tokens, words);
    assert(words <= limit);
    assertEquals(finish_reason === "length" && words < limit, false);
  }));
});

Deno.test("DemoChatModel ends with length at the token limit", () => {
  const said = (params: ChatParams) => {
    const { content, finish_reason, usage } = answer(user("to be or not to be"), params);
    return [content, finish_reason, usage?.completion_tokens];
  };
  assertEquals(said({ max_tokens: 4 }), ["This is the demo", "length", 4]);
  assertEquals(said({ max_tokens: 0 }), ["", "length", 0]);
  assertEquals(said({ max_tokens: 9, max_completion_tokens: 1 }), ["This", "length", 1]);
  assertEquals(said({ max_tokens: 21 })[1], "stop");
  assertEquals(said({ max_tokens: 20 })[1], "length");
});

Deno.test("DemoChatModel ends before the earliest of the stop texts, without leaking its beginning", () => {
  assertEquals(
    answer(user("x y z w"), { stop: ["echoes", "does not", "nowhere"] }).content,
    "This is the demo model of chat-model: it ",
  );
  assertEquals(parts(user("x y z w"), { stop: "mod" }).slice(0, -1), ["This ", "is ", "the ", "demo "]);
  assertEquals(answer(user("x y z w"), { stop: "" }).finish_reason, "stop");
});

Deno.test("DemoChatModel gives n answers that differ, and the usage of all", () => {
  const { choices, usage } = response(user("one two three four"), { n: 3 });
  const contents = choices.map((choice) => choice.message.content);
  assertEquals(new Set(contents).size, 3);
  assertEquals(choices.map((choice) => choice.index), [0, 1, 2]);
  assertEquals(usage?.completion_tokens, contents.join(" ").split(" ").length);
  assertEquals(contents[0], answer(user("one two three four")).content);
});

Deno.test("DemoChatModel closes differently by seed", () => {
  const content = (seed: number) => answer(user("one two three four"), { seed }).content;
  assertEquals(content(1), content(1));
  assertNotEquals(content(1), content(2));
  assertMatch(String(content(Number.MIN_SAFE_INTEGER)), / four \S.*\S$/);
});

Deno.test("DemoChatModel gives log probabilities whose tokens and bytes are the text", () => {
  const { content, logprobs } = answer(user("Łukasz sagt 北京 👋🏽"), { logprobs: true, top_logprobs: 20 });
  const tokens = logprobs?.content ?? [];
  assertEquals(tokens.map((token) => token.token).join(""), content);
  assertEquals(new TextDecoder().decode(new Uint8Array(tokens.flatMap((token) => token.bytes ?? []))), content);
  for (const { token, logprob, top_logprobs } of tokens) {
    assertEquals(top_logprobs.length, 20);
    assertEquals(top_logprobs[0]?.token, token);
    assertEquals(new Set(top_logprobs.map((other) => other.token)).size, 20);
    assert(top_logprobs.every((other) => other.logprob <= logprob));
    assert(top_logprobs.reduce((sum, other) => sum + Math.exp(other.logprob), 0) <= 1);
  }
  assertEquals(answer(user("hi"), { logprobs: true }).logprobs?.content?.[0]?.top_logprobs, []);
  assertEquals(answer(user("hi"), { top_logprobs: 3 }).logprobs, undefined);
});
