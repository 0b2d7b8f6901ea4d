/** Every body and frame of chat completions, validated against OpenAI's own schemas. */
import { assert, assertEquals } from "@std/assert";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { FailingChatModel, FAILURES, ScriptedChatModel, SCRIPTS } from "../clients/_scripted.ts";
import { checkedApp, newTally } from "./_checked_app.ts";

const PATH = "/v1/chat/completions";

/** Members that are ours, or other servers' that clients read, beside OpenAI's. */
const OWN_MEMBERS = [
  "CreateChatCompletionResponse /choices/*/message/reasoning",
  "CreateChatCompletionResponse /choices/*/message/reasoning_content",
  "CreateChatCompletionResponse /custom_outputs",
  "CreateChatCompletionStreamResponse /choices/*/delta/reasoning",
  "CreateChatCompletionStreamResponse /choices/*/delta/reasoning_content",
  "CreateChatCompletionStreamResponse /choices/*/delta/tool_calls/*/custom",
  "CreateChatCompletionStreamResponse /custom_outputs",
];

/** Whole; streamed without usage; streamed with it. */
const WAYS = [{}, { stream: true }, { stream: true, stream_options: { include_usage: true } }];

const PARAMETERS = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const TOOLS = ["get_weather", "get_time"].map((name) => ({
  type: "function",
  function: { name, parameters: PARAMETERS },
}));

/** Requests to the demo model: each form of answer that it has. */
const DEMO_REQUESTS: readonly { readonly [name: string]: unknown }[] = [
  {},
  { max_tokens: 3 },
  { stop: "echoes" },
  { n: 3, seed: 1 },
  { logprobs: true },
  { logprobs: true, top_logprobs: 20, n: 2 },
  { reasoning_effort: "high" },
  { tools: TOOLS },
  { tools: TOOLS, parallel_tool_calls: false, n: 2 },
  { tools: TOOLS, tool_choice: "required", max_tokens: 1 },
  { tools: [{ type: "custom", custom: { name: "shell" } }] },
  { functions: [{ name: "get_weather", parameters: PARAMETERS }] },
  { response_format: { type: "json_object" } },
  { response_format: { type: "json_schema", json_schema: { name: "weather", schema: PARAMETERS } } },
  { custom_inputs: { a: 1 } },
];

Deno.test("chat completions of the demo model are as OpenAI's schema says, in every form", async () => {
  const app = checkedApp({ demo: DemoChatModel });
  const messages = [{ role: "user", content: 'What is the weather in "Paris"?' }];
  for (const request of DEMO_REQUESTS) {
    for (const way of WAYS) {
      const { status } = await app.post(PATH, { model: "demo", messages, ...request, ...way });
      assertEquals(status, 200);
    }
  }
  const { bodies, frames, streams, errors, customCalls, unknown } = app.tally;
  assertEquals([bodies, streams, errors, customCalls], [15, 30, 0, 2]);
  assert(frames > 600, `${frames} frames`);
  assertEquals([...unknown].sort(), OWN_MEMBERS);
});

Deno.test("chat completions of a scripted model are as OpenAI's schema says, in every form", async () => {
  const app = checkedApp({ scripted: ScriptedChatModel });
  for (const scene of Object.keys(SCRIPTS)) {
    for (const way of WAYS) {
      const { status } = await app.post(PATH, { messages: [{ role: "user", content: `${scene} please` }], ...way });
      assertEquals(status, 200);
    }
  }
  for (const params of [{ n: 3 }, { logprobs: true }, { logprobs: true, top_logprobs: 2, n: 2 }]) {
    for (const way of WAYS) {
      const { status } = await app.post(PATH, { messages: [{ role: "user", content: "text" }], ...params, ...way });
      assertEquals(status, 200);
    }
  }
  const { bodies, frames, streams, errors, customCalls, unknown } = app.tally;
  assertEquals([bodies, streams, errors, customCalls], [23, 46, 0, 2]);
  assert(frames > 290, `${frames} frames`);
  // Which OpenAI has in whole answers only.
  const streamed = ["annotations", "audio"].map((name) =>
    `CreateChatCompletionStreamResponse /choices/*/delta/${name}`
  );
  // Where the model does not count.
  const estimated = "CreateChatCompletionStreamResponse /usage/estimated";
  assertEquals([...unknown].sort(), [...OWN_MEMBERS, ...streamed, estimated].sort());
});

Deno.test("errors are as OpenAI's schema says, in bodies and in frames", async () => {
  const tally = newTally();
  const messages = [{ role: "user", content: "Hi" }];
  for (const { make, status, code } of FAILURES) {
    const app = checkedApp({ failing: new FailingChatModel(make) }, tally);
    for (const way of WAYS) {
      const { status: found, values: [body] } = await app.post(PATH, { messages, ...way });
      assertEquals([found, codeIn(body)], [status, code]);
    }
    const faltering = checkedApp({ failing: new FailingChatModel(make, ["one ", "two "]) }, tally);
    for (const way of WAYS.slice(1)) {
      const { status: found, values } = await faltering.post(PATH, { messages, ...way });
      assertEquals([found, codeIn(values.at(-1)), values.length], [200, code, 4]);
    }
  }
  const app = checkedApp({ demo: DemoChatModel }, tally);
  const refused: readonly (readonly [status: number, body: unknown])[] = [
    [400, {}],
    [400, { messages: [] }],
    [400, { messages: [{ role: "wizard", content: "Hi" }] }],
    [400, { messages, temperature: 5 }],
    [400, []],
    [404, { model: "gpt-5", messages }],
  ];
  for (const [status, body] of refused) assertEquals((await app.post(PATH, body)).status, status);
  for (
    const [status, method, path] of [
      [404, "GET", "/v1/models/gpt-5"],
      [404, "GET", "/v2/nothing"],
      [405, "PUT", PATH],
    ] as const
  ) assertEquals((await app.ask(method, path)).status, status);
  assertEquals({ ...tally, unknown: [...tally.unknown] }, {
    bodies: 0,
    frames: 18,
    streams: 6,
    errors: 24,
    customCalls: 0,
    otherRoles: 0,
    textPieces: 0,
    unknown: [],
  });
});

Deno.test("lists of models are as OpenAI's schema says", async () => {
  const app = checkedApp({ demo: DemoChatModel, "hf.co/org/some model:Q4": ScriptedChatModel });
  for (const path of ["/v1/models", "/models", "/v1/models/demo", "/v1/models/hf.co%2Forg%2Fsome%20model%3AQ4"]) {
    assertEquals((await app.ask("GET", path)).status, 200);
  }
  const none = checkedApp({}, app.tally);
  assertEquals(await none.ask("GET", "/v1/models"), { status: 200, values: [{ object: "list", data: [] }] });
  assertEquals([app.tally.bodies, [...app.tally.unknown]], [5, []]);
});

function codeIn(body: unknown): unknown {
  const error: unknown = Reflect.get(Object(body), "error");
  return Reflect.get(Object(error), "code");
}
