import { assertEquals } from "@std/assert";
import type { AnswerPlan } from "../../../adapters/ollama/convert_request.ts";
import type { OllamaChatRecord } from "../../../adapters/ollama/wire.ts";
import { call, convert, done, FORCED, text } from "./_answer_records.ts";

Deno.test("AnswerConverter gives log probabilities of the text only", () => {
  const token = (token: string) => ({ token, logprob: -1 });
  const tokens = (...texts: string[]) => texts.map(token);
  const plan = { logprobs: true };
  const kept = (records: readonly OllamaChatRecord[], more: Partial<AnswerPlan> = {}) =>
    convert(records, { ...plan, ...more }).parts.map((part) => part.logprobs?.content?.map(({ token }) => token));
  const streamed = (content: string, ...texts: string[]) => ({ ...text(content), logprobs: tokens(...texts) });

  assertEquals(kept([streamed("Hi", "Hi"), streamed("!", "!"), done()]), [["Hi"], ["!"], undefined]);
  // A cut character: its first half came with a record of its own.
  assertEquals(kept([streamed("", "\ufffd"), streamed("ß", "\ufffd"), done()]), [["\ufffd", "\ufffd"], undefined]);
  assertEquals(
    kept([
      { message: { thinking: "Hm" }, logprobs: tokens("Hm") },
      streamed("", "</t", "hink>"),
      streamed("Hi", "Hi"),
      done(),
    ]),
    [
      undefined,
      ["Hi"],
      undefined,
    ],
  );
  assertEquals(
    kept([
      streamed("", "<tool"),
      { message: { tool_calls: [call("f", {})] }, logprobs: tokens(">") },
      streamed("", "</tool>"),
      done(),
    ]),
    [
      undefined,
      undefined,
    ],
  );
  // What was held before the thinking is forgotten, so that a cut character is still known to be the text's.
  assertEquals(
    kept([
      streamed("", "<th"),
      { message: { thinking: "Hm" }, logprobs: tokens("Hm") },
      streamed("ß", "\ufffd"),
      done(),
    ]),
    [undefined, ["\ufffd"], undefined],
  );
  // Not streamed, all tokens stand in one record.
  assertEquals(
    kept([
      done({
        message: { content: "Hi you", thinking: "Hi" },
        logprobs: tokens("<think>", "Hi you!", "</think>", "Hi", " you"),
      }),
    ]),
    [
      ["Hi", " you"],
    ],
  );
  assertEquals(
    kept([
      done({
        message: { content: "Hi ", tool_calls: [call("f", {})] },
        logprobs: tokens("Hi ", "<tool>", "Hi there", "</tool>"),
      }),
    ]),
    [
      ["Hi "],
    ],
  );
  assertEquals(kept([streamed("before ", "bef", "ore ", "STOP"), done()]), [["bef", "ore "], undefined]);
  assertEquals(
    kept([streamed("<think>x", "<think>", "x"), streamed("</think>", "</think>"), streamed("Hi", "Hi"), done()], {
      stripThinking: true,
    }),
    [
      ["Hi"],
      undefined,
    ],
  );
  // Those of a demanded call are not those of a text.
  assertEquals(kept([streamed('{"name":"f","arguments":{}}', "{…}"), done()], { forced: FORCED }), [undefined]);
});

Deno.test("AnswerConverter puts tokens into OpenAI's form", () => {
  const { parts } = convert([
    {
      ...text("a"),
      logprobs: [{ token: "a", logprob: -0.5, bytes: [97], top_logprobs: [{ token: "", logprob: -55.2 }] }],
    },
    done(),
  ], { logprobs: true });
  assertEquals(parts[0]?.logprobs, {
    content: [{
      token: "a",
      logprob: -0.5,
      bytes: [97],
      top_logprobs: [{ token: "", logprob: -55.2, bytes: null }],
    }],
  });
});
