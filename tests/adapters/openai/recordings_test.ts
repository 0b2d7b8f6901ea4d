/** Genuine servers: what Ollama's `/v1` routes were asked and answered goes through as it was. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { OpenAIChatModel, OpenAIClient } from "../../../adapters/openai/mod.ts";
import {
  type ChatCompletionRequest,
  type ChatCompletionResponse,
  ChatModelError,
  loadChatModel,
  type LoadedChatModel,
  parseChatRequest,
} from "../../../mod.ts";
import { accumulate } from "../../../streaming/mod.ts";
import { type Answer, type FakeUpstream, json, startFakeUpstream, text } from "../../support/fake_upstream.ts";

const VERSIONS = ["v0.24", "head"] as const;
const FOLDER = new URL("../../testdata/openai_upstream/", import.meta.url);

interface Recording {
  // deno-lint-ignore no-explicit-any -- bodies of many shapes, which are compared
  readonly request: { readonly path: string; readonly body: any };
  readonly response: {
    readonly status: number;
    // deno-lint-ignore no-explicit-any -- bodies of many shapes, which are compared
    readonly body?: any;
    readonly sse?: string;
  };
}

function read(version: string, name: string): Recording {
  return JSON.parse(Deno.readTextFileSync(new URL(`${version}/${name}.json`, FOLDER)));
}

function answerOf({ response: { status, body, sse } }: Recording): Answer {
  return sse === undefined
    ? json(body, { status })
    : text(sse, { status, headers: { "content-type": "text/event-stream" } });
}

/** Starts a server that answers as recorded, and a model of it. */
async function replay(
  recording: Recording,
): Promise<{ readonly upstream: FakeUpstream; readonly model: LoadedChatModel } & AsyncDisposable> {
  const upstream = await startFakeUpstream([answerOf(recording)]);
  const { model } = recording.request.body;
  const baseUrl = `${upstream.url}/v1`;
  return {
    upstream,
    model: await loadChatModel(new OpenAIChatModel({ model, baseUrl })),
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
}

/** What we give of the recorded request, streamed if it was. */
async function ask(model: LoadedChatModel, request: ChatCompletionRequest): Promise<ChatCompletionResponse> {
  return request.stream ? await accumulate(model.predictStream(request)) : await model.predict(request);
}

/** The members of the first choice, put together from the recorded answer by hand. */
function recorded({ response: { body, sse } }: Recording): Record<string, unknown> {
  const frames = sse === undefined
    ? [body]
    : sse.split("\n\n").flatMap((frame) => frame.startsWith("data: {") ? [JSON.parse(frame.slice(6))] : []);
  let content = "";
  let reasoning = "";
  let finish = null;
  let usage;
  const calls = [];
  const logprobs = [];
  for (const frame of frames) {
    usage = frame.usage ?? usage;
    for (const { delta, message, finish_reason, logprobs: piece } of frame.choices) {
      const part = delta ?? message;
      content += part.content ?? "";
      reasoning += part.reasoning ?? "";
      finish = finish_reason ?? finish;
      calls.push(...part.tool_calls ?? []);
      logprobs.push(...piece?.content ?? []);
    }
  }
  return {
    id: frames[0].id,
    created: frames[0].created,
    model: frames[0].model,
    content,
    reasoning,
    finish,
    usage,
    calls: calls.map(({ id, function: { name, arguments: text } }) => [id, name, text]),
    tokens: logprobs.map(({ token, logprob }) => [token, logprob]),
  };
}

function given({ id, created, model, choices, usage }: ChatCompletionResponse): Record<string, unknown> {
  const [choice] = choices;
  assert(choice);
  const { content, reasoning = "", tool_calls = [] } = choice.message;
  return {
    id,
    created,
    model,
    content: content ?? "",
    reasoning,
    finish: choice.finish_reason,
    usage,
    calls: tool_calls.map((call) => "function" in call ? [call.id, call.function.name, call.function.arguments] : call),
    tokens: choice.logprobs?.content?.map(({ token, logprob }) => [token, logprob]) ?? [],
  };
}

const ANSWERS = [
  "v1_chat",
  "v1_chat_stream_usage",
  "v1_chat_stream_unicode",
  "v1_chat_stream_empty",
  "v1_tools_two",
  "v1_tools_two_stream",
  "v1_tools_text_then_call_stream",
  "v1_think_stream",
  "v1_think_tool",
  "v1_logprobs",
  "v1_logprobs_stream",
  "v1_max_tokens",
  "v1_json_schema",
];

for (const version of VERSIONS) {
  for (const name of ANSWERS) {
    Deno.test(`OpenAIChatModel asks and answers as recorded: ${version} ${name}`, async () => {
      const recording = read(version, name);
      await using replayed = await replay(recording);
      const { body } = recording.request;
      const response = await ask(replayed.model, body);
      const { stream, ...rest } = body;
      const sent = stream ? { ...body, stream_options: { ...body.stream_options, include_usage: true } } : rest;
      assertEquals(replayed.upstream.requests.map(({ path, body }) => [path, JSON.parse(body)]), [[
        "/v1/chat/completions",
        sent,
      ]]);
      assertEquals(given(response), recorded(recording));
      parseChatRequest({ messages: [...body.messages, response.choices[0]?.message] });
    });
  }

  for (
    const [name, ...expected] of [
      ["v1_missing_model", 404, "model_not_found", "model"],
      ["v1_missing_model_stream", 404, "model_not_found", "model"],
      ["v1_tools_unsupported", 400, "unsupported_feature", null],
      ["v1_load_failure", 502, "upstream_error", null],
      ["v1_runner_killed_midstream", 502, "upstream_incomplete", null],
    ] satisfies [string, number, string, string | null][]
  ) {
    Deno.test(`OpenAIChatModel fails with ${expected.join(" ")} as recorded: ${version} ${name}`, async () => {
      const recording = read(version, name);
      await using replayed = await replay(recording);
      const error = await assertRejects(() => ask(replayed.model, recording.request.body), ChatModelError);
      assertEquals([error.status, error.code, error.param], expected, error.message);
    });
  }

  Deno.test(`OpenAIClient lists models and makes vectors as recorded: ${version}`, async () => {
    const names = ["v1_models", "v1_embeddings_nonzero", "v1_embeddings_nonzero_base64"];
    const [models, numbers, base64] = names.map((name) => read(version, name));
    assert(models && numbers && base64);
    await using upstream = await startFakeUpstream([models, numbers, base64].map(answerOf));
    const client = new OpenAIClient({ baseUrl: `${upstream.url}/v1` });
    assertEquals(await client.list(), models.response.body.data);
    const { data, usage } = numbers.response.body;
    const expected = { embeddings: [data[0].embedding], promptTokens: usage.prompt_tokens };
    assertEquals(await client.embed(numbers.request.body), expected);
    // There in 32 bits.
    const [vector] = (await client.embed(base64.request.body)).embeddings;
    assertEquals(vector, data[0].embedding.map(Math.fround));
  });
}
