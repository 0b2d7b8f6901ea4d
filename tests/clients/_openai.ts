/** OpenAI's own client, with chat completions. */
import OpenAI, { APIError } from "openai";
import type { Asked, Client, Thrown } from "./_matrix.ts";
import { CITY_SCHEMA, TOOLS, WEATHER_SCHEMA } from "./_weather.ts";

/** A client of a server. */
export function connect({ baseURL, maxRetries }: Asked): OpenAI {
  return new OpenAI({ baseURL, maxRetries, apiKey: "none" });
}

function requestOf({ model, prompt, temperature }: Asked) {
  return {
    model,
    messages: [{ role: "user" as const, content: prompt }],
    ...(temperature !== undefined && { temperature }),
  };
}

/** Options of a call. */
export function optionsOf({ signal }: Asked): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Reads an error of OpenAI's client. */
export function describeApiError(error: unknown): Thrown {
  if (!(error instanceof APIError)) throw error;
  return { kind: error.constructor.name, status: error.status, message: error.message };
}

/** The client. */
export const OPENAI: Client = {
  name: "openai",
  path: "/v1/chat/completions",
  stop: "stop",
  errors: {
    badRequest: "BadRequestError",
    notFound: "NotFoundError",
    failure: "InternalServerError",
    midstream: "APIError",
  },
  retries: { waits: [37, 37], heedsFinal: true },
  describe: describeApiError,

  async text(asked) {
    const { choices: [choice], usage } = await connect(asked).chat.completions.create(
      requestOf(asked),
      optionsOf(asked),
    );
    return {
      text: choice?.message.content ?? "",
      finish: choice?.finish_reason,
      tokens: [usage?.prompt_tokens, usage?.completion_tokens],
    };
  },

  async stream(asked) {
    const stream = connect(asked).chat.completions.stream(
      { ...requestOf(asked), stream_options: { include_usage: true } },
      optionsOf(asked),
    );
    stream.on("content", (piece) => asked.onPiece?.(piece));
    const { choices: [choice], usage } = await stream.finalChatCompletion();
    return {
      text: choice?.message.content ?? "",
      finish: choice?.finish_reason,
      tokens: [usage?.prompt_tokens, usage?.completion_tokens],
    };
  },

  async tools(asked, { stream }) {
    const { completions } = connect(asked).chat;
    const request = { ...requestOf(asked), tools: TOOLS };
    const { choices: [choice] } = stream
      ? await completions.stream(request).finalChatCompletion()
      : await completions.create(request);
    return (choice?.message.tool_calls ?? []).map((call) => {
      if (call.type !== "function") throw new TypeError("Cannot read a call: no function");
      return { name: call.function.name, input: JSON.parse(call.function.arguments) };
    });
  },

  async toolLoop(asked, tool, { stream }) {
    const { completions } = connect(asked).chat;
    const tools = [{
      type: "function" as const,
      function: {
        name: "get_weather",
        description: "Weather",
        parameters: CITY_SCHEMA,
        function: (input: string) => tool(JSON.parse(input)),
      },
    }];
    const runner = stream
      ? completions.runTools({ ...requestOf(asked), tools, stream: true })
      : completions.runTools({ ...requestOf(asked), tools });
    return await runner.finalContent() ?? "";
  },

  async structured(asked, { stream }) {
    const { completions } = connect(asked).chat;
    const request = {
      ...requestOf(asked),
      response_format: {
        type: "json_schema" as const,
        json_schema: { name: "weather", schema: WEATHER_SCHEMA, strict: true },
      },
    };
    const { choices: [choice] } = stream
      ? await completions.stream(request).finalChatCompletion()
      : await completions.parse(request);
    return choice?.message.parsed;
  },

  async n(asked) {
    const { choices } = await connect(asked).chat.completions.create({ ...requestOf(asked), n: 2 });
    return choices.map(({ message }) => message.content ?? "");
  },

  async logprobs(asked) {
    const request = { ...requestOf(asked), logprobs: true };
    const { choices: [choice] } = await connect(asked).chat.completions.create(request);
    return choice?.logprobs?.content?.map(({ token }) => token) ?? [];
  },
};
