/** What becomes of every recorded answer of Ollama, validated against OpenAI's own schemas. */
import { assert, assertEquals } from "@std/assert";
import { OllamaChatModel, OllamaClient, OllamaModels } from "../../adapters/ollama/mod.ts";
import {
  isStreamed,
  modelOf,
  NOT_EXPRESSIBLE,
  REFUSED,
  toOpenAI,
  WITHOUT_ANSWER,
} from "../adapters/ollama/_recorded.ts";
import { expectedError } from "../adapters/ollama/_recorded_errors.ts";
import {
  readRecording,
  type Recording,
  recordingNames,
  startReplay,
  type Version,
  VERSIONS,
} from "../support/replay.ts";
import { checkedApp, newTally } from "./_checked_app.ts";

const PLAIN = { messages: [{ role: "user", content: "Hi" }] };

/** How much there must be: whole answers, streams and their frames, and errors. */
const COUNTS: Readonly<Record<Version, readonly number[]>> = {
  "v0.24": [96, 39, 731, 99],
  head: [97, 39, 715, 99],
};

function chats(version: Version): Recording[] {
  return recordingNames(version).filter((name) => !WITHOUT_ANSWER.has(name))
    .map((name) => readRecording(name, version))
    .filter(({ request }) => request.path === "/api/chat" && request.method === "POST");
}

for (const version of VERSIONS) {
  Deno.test(`chat completions of Ollama ${version} are as OpenAI's schema says, of every recorded answer`, async () => {
    const tally = newTally();
    for (const recording of chats(version)) {
      const name = recording.scenario;
      const model = modelOf(recording);
      const shown = `show_${model}`;
      const show = recordingNames(version).includes(shown) ? [readRecording(shown, version)] : [];
      await using replay = startReplay([recording, ...show]);
      const client = new OllamaClient({ host: replay.url, retries: 0 });
      const app = checkedApp({ [model]: new OllamaChatModel({ model, client }) }, tally);
      const ask = (request: object) =>
        app.post("/v1/chat/completions", {
          ...request,
          model,
          ...(isStreamed(recording) && { stream: true, stream_options: { include_usage: true } }),
        });
      const isRefused = name in REFUSED;
      if (isRefused) assertEquals((await ask(toOpenAI(recording))).status, 400, name);
      const { status, values } = await ask(isRefused || NOT_EXPRESSIBLE.has(name) ? PLAIN : toOpenAI(recording));
      const failed = status >= 400 || "error" in Object(values.at(-1));
      assertEquals(failed, expectedError(name, version) !== undefined, name);
      assertEquals(replay.requests.filter(({ path }) => path === "/api/chat").length, 1, name);
    }
    const { bodies, streams, frames, errors, customCalls, unknown } = tally;
    assertEquals([bodies, streams, frames, errors], COUNTS[version]);
    assertEquals(customCalls, 0);
    assertEquals([...unknown].sort(), [
      "CreateChatCompletionResponse /choices/*/message/reasoning",
      "CreateChatCompletionResponse /choices/*/message/reasoning_content",
      "CreateChatCompletionResponse /custom_outputs",
      "CreateChatCompletionStreamResponse /choices/*/delta/reasoning",
      "CreateChatCompletionStreamResponse /choices/*/delta/reasoning_content",
      "CreateChatCompletionStreamResponse /custom_outputs",
    ]);
  });

  Deno.test(`lists of models of Ollama ${version} are as OpenAI's schema says`, async () => {
    await using replay = startReplay([readRecording("tags", version)]);
    const app = checkedApp(new OllamaModels({ client: new OllamaClient({ host: replay.url }) }));
    const { values: [list] } = await app.ask("GET", "/v1/models");
    const data: unknown = Reflect.get(Object(list), "data");
    assert(Array.isArray(data) && data.length > 3);
    for (const { id } of data) await app.ask("GET", `/v1/models/${encodeURIComponent(id)}`);
    assertEquals([app.tally.bodies, [...app.tally.unknown]], [1 + data.length, []]);
  });
}
