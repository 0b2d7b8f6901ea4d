/** The AI SDK, with each provider that speaks to OpenAI's API. */
import {
  APICallError,
  generateText,
  isStepCount,
  jsonSchema,
  type LanguageModel,
  Output,
  streamText,
  tool,
  type ToolSet,
} from "ai";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { type Asked, type Called, type Client, type Errors, memberOf, type Said, type Thrown } from "./_matrix.ts";
import { CITY_SCHEMA, WEATHER_SCHEMA, ZONE_SCHEMA } from "./_weather.ts";

// It tells on the console of settings that a provider leaves out.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

type MakeModel = (asked: Asked) => LanguageModel;

function settingsOf({ prompt, maxRetries, temperature, signal }: Asked) {
  return {
    prompt,
    maxRetries,
    ...(temperature !== undefined && { temperature }),
    ...(signal !== undefined && { abortSignal: signal }),
  };
}

const TOOLS: ToolSet = {
  get_weather: tool({ description: "Weather", inputSchema: jsonSchema(CITY_SCHEMA) }),
  get_time: tool({ description: "Time", inputSchema: jsonSchema(ZONE_SCHEMA) }),
};

const WEATHER = Output.object({ schema: jsonSchema(WEATHER_SCHEMA), name: "weather" });

/** An error inside a stream, which the AI SDK gives as a part of it. */
class StreamError extends Error {
  override name = "StreamError";
}

function describe(error: unknown): Thrown {
  if (APICallError.isInstance(error)) {
    return { kind: "APICallError", status: error.statusCode, message: error.message };
  }
  if (error instanceof StreamError) return { kind: "error part", status: undefined, message: error.message };
  throw error;
}

/** What an error part holds: an error of the AI SDK before the first word, else what the server sent. */
function toError(error: unknown): unknown {
  if (APICallError.isInstance(error)) return error;
  const inner = typeof error === "object" && error !== null && "error" in error ? error.error : error;
  const message: unknown = typeof inner === "object" && inner !== null && "message" in inner ? inner.message : inner;
  return new StreamError(String(message), { cause: error });
}

const ERRORS: Errors = {
  badRequest: "APICallError",
  notFound: "APICallError",
  failure: "APICallError",
  midstream: "error part",
};

async function sayText(model: LanguageModel, asked: Asked): Promise<Said> {
  const { text, finishReason, usage } = await generateText({ model, ...settingsOf(asked) });
  return { text, finish: finishReason, tokens: [usage.inputTokens, usage.outputTokens] };
}

async function sayStream(model: LanguageModel, asked: Asked): Promise<Said> {
  // Its own way to tell of an error is to write it to the console.
  const result = streamText({ model, ...settingsOf(asked), onError() {} });
  let text = "";
  for await (const part of result.fullStream) {
    if (part.type === "error") throw toError(part.error);
    if (part.type !== "text-delta") continue;
    text += part.text;
    asked.onPiece?.(part.text);
  }
  const { inputTokens, outputTokens } = await result.usage;
  return { text, finish: await result.finishReason, tokens: [inputTokens, outputTokens] };
}

async function callTools(model: LanguageModel, asked: Asked, stream: boolean): Promise<Called[]> {
  const settings = { model, ...settingsOf(asked), tools: TOOLS };
  const calls = stream ? await streamText(settings).toolCalls : (await generateText(settings)).toolCalls;
  return calls.map(({ toolName, input }) => ({ name: toolName, input }));
}

async function loop(
  model: LanguageModel,
  asked: Asked,
  options: { readonly answer: (input: unknown) => string; readonly stream: boolean },
): Promise<string> {
  const execute = (input: unknown) => options.answer(input);
  const tools: ToolSet = {
    get_weather: tool({ description: "Weather", inputSchema: jsonSchema<unknown>(CITY_SCHEMA), execute }),
  };
  const settings = { model, ...settingsOf(asked), tools, stopWhen: isStepCount(3) };
  return options.stream ? await streamText(settings).text : (await generateText(settings)).text;
}

async function fill(model: LanguageModel, asked: Asked, stream: boolean): Promise<unknown> {
  const settings = { model, ...settingsOf(asked), output: WEATHER };
  if (!stream) return (await generateText(settings)).output;
  const result = streamText(settings);
  let last: unknown;
  for await (const partial of result.partialOutputStream) last = partial;
  const output = await result.output;
  if (JSON.stringify(last) !== JSON.stringify(output)) throw new Error("The last partial output is not the whole");
  return output;
}

/** A client of the AI SDK. */
function makeClient(
  name: string,
  makeModel: MakeModel,
  differences: Partial<Client> & Pick<Client, "path" | "logprobs">,
): Client {
  return {
    name,
    stop: "stop",
    errors: ERRORS,
    // It knows no `x-should-retry`, and tries again whatever has status 500 or more.
    retries: { waits: [37, 37], heedsFinal: false },
    describe,
    text: (asked) => sayText(makeModel(asked), asked),
    stream: (asked) => sayStream(makeModel(asked), asked),
    tools: (asked, { stream }) => callTools(makeModel(asked), asked, stream),
    toolLoop: (asked, answer, { stream }) => loop(makeModel(asked), asked, { answer, stream }),
    structured: (asked, { stream }) => fill(makeModel(asked), asked, stream),
    n: "The AI SDK asks for one answer a call",
    ...differences,
  };
}

/** The tokens that `providerMetadata.openai.logprobs` names, in one list or in several. */
async function logprobTokens(model: LanguageModel, asked: Asked): Promise<string[]> {
  const { providerMetadata } = await generateText({
    model,
    ...settingsOf(asked),
    providerOptions: { openai: { logprobs: true } },
  });
  const logprobs: unknown = providerMetadata?.openai?.logprobs;
  if (!Array.isArray(logprobs)) return [];
  return logprobs.flat().map((entry: unknown) => String(memberOf(entry, "token")));
}

function openAI({ baseURL }: Asked) {
  return createOpenAI({ baseURL, apiKey: "none" });
}

const responses: MakeModel = (asked) => openAI(asked)(asked.model);
const chat: MakeModel = (asked) => openAI(asked).chat(asked.model);
const compatible: MakeModel = ({ baseURL, model }) =>
  createOpenAICompatible({ name: "ours", baseURL, includeUsage: true, supportsStructuredOutputs: true })(model);

/** The provider of OpenAI as it is by default: `/v1/responses`. */
export const AI_SDK_OPENAI = makeClient("@ai-sdk/openai", responses, {
  path: "/v1/responses",
  logprobs: (asked) => logprobTokens(responses(asked), asked),
});

/** The provider of OpenAI with chat completions. */
export const AI_SDK_OPENAI_CHAT = makeClient("@ai-sdk/openai .chat()", chat, {
  path: "/v1/chat/completions",
  logprobs: (asked) => logprobTokens(chat(asked), asked),
});

/** The provider for servers that speak as OpenAI does. */
export const AI_SDK_COMPATIBLE = makeClient("@ai-sdk/openai-compatible", compatible, {
  path: "/v1/chat/completions",
  logprobs: "The provider does not hand log probabilities on",
});
