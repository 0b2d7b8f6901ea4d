import { assertEquals, assertRejects } from "@std/assert";
import { type ChatCompletionRequest, ChatModelError, loadChatModel, type LoadedChatModel } from "../../../mod.ts";
import { type ChatRequest, parseChatRequest } from "../../../types/mod.ts";
import { OllamaChatModel, OllamaClient } from "../../../adapters/ollama/mod.ts";
import { readRecording, type Recording, recordingNames, startReplay, VERSIONS } from "../../support/replay.ts";
import {
  expectedBody,
  expectedOutcome,
  isStreamed,
  modelOf,
  NOT_EXPRESSIBLE,
  type Outcome,
  outcomeOf,
  outcomeOfChunks,
  REFUSED,
  toOpenAI,
  WITHOUT_ANSWER,
} from "./_recorded.ts";
import { expectedError } from "./_recorded_errors.ts";

/** Stands in for requests that never reach Ollama, so that the recorded answer can be replayed nevertheless. */
const PLAIN: ChatCompletionRequest = { messages: [{ role: "user", content: "Hi" }] };

async function ask(model: LoadedChatModel, request: ChatRequest, streamed: boolean): Promise<Outcome> {
  if (!streamed) return outcomeOf(await model.predict(request));
  const chunks = [];
  for await (const chunk of model.predictStream(request)) chunks.push(chunk);
  return outcomeOfChunks(chunks);
}

function chats(version: typeof VERSIONS[number]): Recording[] {
  return recordingNames(version).filter((name) => !WITHOUT_ANSWER.has(name))
    .map((name) => readRecording(name, version))
    .filter(({ request }) => request.path === "/api/chat" && request.method === "POST");
}

Deno.test("OllamaChatModel is tested with every recorded chat", () => {
  const counts = VERSIONS.map((version) => [version, chats(version).length]);
  assertEquals(counts, [["v0.24", 204], ["head", 205]]);
  const names = new Set(chats("v0.24").map(({ scenario }) => scenario));
  const unknown = [...NOT_EXPRESSIBLE, ...Object.keys(REFUSED)].filter((name) => !names.has(name));
  assertEquals(unknown, []);
});

for (const version of VERSIONS) {
  for (const recording of chats(version)) {
    const name = recording.scenario;
    Deno.test(`OllamaChatModel answers as recorded: ${version} ${name}`, async () => {
      const shown = `show_${modelOf(recording)}`;
      const show = recordingNames(version).includes(shown) ? [readRecording(shown, version)] : [];
      await using replay = startReplay([recording, ...show]);
      const client = new OllamaClient({ host: replay.url, retries: 0 });
      const model = await loadChatModel(new OllamaChatModel({ model: modelOf(recording), client }));
      const sent = () => replay.requests.filter(({ path }) => path === "/api/chat").map(({ body }) => body);
      const streamed = isStreamed(recording);
      let request = parseChatRequest(PLAIN);

      const refused = REFUSED[name];
      if (refused !== undefined) {
        const error = await assertRejects(
          async () => await ask(model, parseChatRequest(toOpenAI(recording)), streamed),
          ChatModelError,
        );
        assertEquals([error.status, error.param], [400, refused]);
        assertEquals(sent(), []);
      } else if (!NOT_EXPRESSIBLE.has(name)) {
        request = parseChatRequest(toOpenAI(recording));
      }

      const failure = expectedError(name, version);
      if (failure !== undefined) {
        const error = await assertRejects(() => ask(model, request, streamed), ChatModelError);
        assertEquals([error.status, error.code], failure);
      } else {
        assertEquals(await ask(model, request, streamed), expectedOutcome(recording));
      }
      assertEquals(sent().length, 1);
      if (refused === undefined && !NOT_EXPRESSIBLE.has(name)) assertEquals(sent()[0], expectedBody(recording));
    });
  }
}
