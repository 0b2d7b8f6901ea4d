/** Every body and event of responses, validated against OpenAI's own schemas. */
import { assert, assertEquals } from "@std/assert";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { OllamaChatModel, OllamaClient } from "../../adapters/ollama/mod.ts";
import { isStreamed, modelOf, WITHOUT_ANSWER } from "../adapters/ollama/_recorded.ts";
import { expectedError } from "../adapters/ollama/_recorded_errors.ts";
import { FailingChatModel, FAILURES, ScriptedChatModel, SCRIPTS } from "../clients/_scripted.ts";
import {
  readRecording,
  type Recording,
  recordingNames,
  startReplay,
  type Version,
  VERSIONS,
} from "../support/replay.ts";
import { type Checked, checkedApp, newTally } from "./_checked_app.ts";

const PATH = "/v1/responses";

const PARAMETERS = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const TOOLS = ["get_weather", "get_time"].map((name) => ({ type: "function", name, parameters: PARAMETERS }));

/** Whole, and streamed. */
const WAYS = [{}, { stream: true }];

/** Requests to the demo model. */
const DEMO_REQUESTS: readonly { readonly [name: string]: unknown }[] = [
  {},
  { input: [{ role: "user", content: [{ type: "input_text", text: "Hi" }] }] },
  { instructions: "Be brief", metadata: { a: "b" }, user: "someone", temperature: 0.5 },
  { max_output_tokens: 3 },
  { store: false },
  { reasoning: { effort: "high" } },
  { include: ["message.output_text.logprobs"], top_logprobs: 3 },
  { tools: TOOLS },
  { tools: TOOLS, parallel_tool_calls: false },
  { tools: TOOLS, tool_choice: { type: "function", name: "get_time" } },
  { text: { format: { type: "json_object" } } },
  { text: { format: { type: "json_schema", name: "weather", schema: PARAMETERS } } },
];

/** Members that newer versions of the API have, and of this package: what a model puts out besides, and where a call stands. */
const OWN_MEMBERS = [
  "Response /custom_outputs",
  "Response /output/*/status",
  "Response /store",
  "Response /usage/input_tokens_details/cache_write_tokens",
  "ResponseStreamEvent /item/status",
  "ResponseStreamEvent /response/custom_outputs",
  "ResponseStreamEvent /response/output/*/status",
  "ResponseStreamEvent /response/store",
  "ResponseStreamEvent /response/usage/input_tokens_details/cache_write_tokens",
];

/** The id of the response that an answer is, or ends with. */
function idIn({ values }: Checked): string {
  const last = Object(values.at(-1));
  return String(Object(last.response ?? last).id);
}

Deno.test("responses of the demo model are as OpenAI's schema says, in every form", async () => {
  const app = checkedApp({ demo: DemoChatModel });
  for (const request of DEMO_REQUESTS) {
    for (const way of WAYS) {
      const answer = await app.post(PATH, { model: "demo", input: 'Weather in "Paris"', ...request, ...way });
      assertEquals(answer.status, 200);
      if (request.store === false) continue;
      const id = idIn(answer);
      assertEquals(await app.ask("GET", `${PATH}/${id}`).then(idIn), id);
      assertEquals((await app.ask("GET", `${PATH}/${id}/input_items`)).status, 200);
    }
  }
  const { bodies, streams, frames, errors, unknown } = app.tally;
  assertEquals([bodies, streams, errors], [12 + 2 * 22, 12, 0]);
  assert(frames > 200, `${frames} frames`);
  assertEquals([...unknown].sort(), [
    "Response /store",
    "Response /usage/input_tokens_details/cache_write_tokens",
    "ResponseStreamEvent /logprobs/*/bytes",
    "ResponseStreamEvent /logprobs/*/top_logprobs/*/bytes",
    "ResponseStreamEvent /response/store",
    "ResponseStreamEvent /response/usage/input_tokens_details/cache_write_tokens",
  ]);
});

Deno.test("responses of a scripted model are as OpenAI's schema says, in every form", async () => {
  const app = checkedApp({ scripted: ScriptedChatModel });
  const scenes = Object.keys(SCRIPTS);
  for (const scene of scenes) {
    for (const way of WAYS) {
      const { status } = await app.post(PATH, { input: `${scene} please`, ...way });
      assertEquals(status, 200, scene);
    }
  }
  const { bodies, streams, frames, errors, unknown } = app.tally;
  assertEquals([bodies, streams, errors], [scenes.length, scenes.length, 0]);
  assert(frames > 200, `${frames} frames`);
  assertEquals([...unknown].sort(), OWN_MEMBERS);
});

Deno.test("errors of responses are as OpenAI's schema says, in bodies and in events", async () => {
  const tally = newTally();
  for (const { make, status } of FAILURES) {
    const app = checkedApp({ failing: new FailingChatModel(make) }, tally);
    for (const way of WAYS) assertEquals((await app.post(PATH, { input: "Hi", ...way })).status, status);
    const faltering = checkedApp({ failing: new FailingChatModel(make, ["one ", "two "]) }, tally);
    const { values } = await faltering.post(PATH, { input: "Hi", stream: true });
    assertEquals(Object(values.at(-1)).type, "response.failed");
  }
  const app = checkedApp({ demo: DemoChatModel }, tally);
  const refused: readonly (readonly [status: number, body: unknown])[] = [
    [400, { input: 5 }],
    [400, { input: "Hi", temperature: 5 }],
    [400, { input: "Hi", previous_response_id: "resp_none" }],
    [404, { model: "gpt-5", input: "Hi" }],
  ];
  for (const [status, body] of refused) assertEquals((await app.post(PATH, body)).status, status);
  assertEquals((await app.ask("GET", `${PATH}/resp_none`)).status, 404);
  assertEquals([tally.bodies, tally.streams, tally.errors], [0, 3, 11]);
  assertEquals([...tally.unknown].sort(), ["ResponseStreamEvent /error", "ResponseStreamEvent /response/store"]);
});

/** How much there must be: whole answers, streams and their events, and errors. */
const COUNTS: Readonly<Record<Version, readonly number[]>> = {
  "v0.24": [96, 39, 959, 69],
  head: [97, 39, 942, 69],
};

function chats(version: Version): Recording[] {
  return recordingNames(version).filter((name) => !WITHOUT_ANSWER.has(name))
    .map((name) => readRecording(name, version))
    .filter(({ request }) => request.path === "/api/chat" && request.method === "POST");
}

for (const version of VERSIONS) {
  Deno.test(`responses of Ollama ${version} are as OpenAI's schema says, of every recorded answer`, async () => {
    const tally = newTally();
    const recordings = chats(version);
    for (const recording of recordings) {
      await using replay = startReplay([recording]);
      const client = new OllamaClient({ host: replay.url, retries: 0 });
      const model = modelOf(recording);
      const app = checkedApp({ [model]: new OllamaChatModel({ model, client }) }, tally);
      const { status, values } = await app.post(PATH, {
        model,
        input: "Hi",
        ...(isStreamed(recording) && { stream: true }),
        // What Ollama makes of a broken call depends on whether it was given tools.
        ...(JSON.stringify(recording.request.body ?? {}).includes('"tools":[{') && { tools: TOOLS }),
      });
      const { type } = Object(values.at(-1));
      const failed = status >= 400 || type === "response.failed" || type === "error";
      assertEquals(failed, expectedError(recording.scenario, version) !== undefined, recording.scenario);
    }
    const { bodies, streams, frames, errors, unknown } = tally;
    assertEquals([bodies, streams, frames, errors], COUNTS[version]);
    assertEquals([...unknown].sort(), [
      "Response /custom_outputs",
      "Response /store",
      "Response /usage/input_tokens_details/cache_write_tokens",
      "ResponseStreamEvent /error",
      "ResponseStreamEvent /response/custom_outputs",
      "ResponseStreamEvent /response/store",
      "ResponseStreamEvent /response/usage/input_tokens_details/cache_write_tokens",
    ]);
    assert(recordings.length > 200);
  });
}
