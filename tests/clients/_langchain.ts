/** LangChain's `ChatOpenAI`, with chat completions. */
import {
  type AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI, type ChatOpenAIFields } from "@langchain/openai";
import { type Asked, type Called, type Client, memberOf, type Said } from "./_matrix.ts";
import { describeApiError } from "./_openai.ts";
import { CITY_SCHEMA, WEATHER_SCHEMA, ZONE_SCHEMA } from "./_weather.ts";

function connectTo({ baseURL, model, maxRetries, temperature }: Asked, fields: ChatOpenAIFields = {}): ChatOpenAI {
  return new ChatOpenAI({
    model,
    apiKey: "none",
    maxRetries,
    configuration: { baseURL },
    ...(temperature !== undefined && { temperature }),
    ...fields,
  });
}

function optionsOf({ signal }: Asked) {
  return signal === undefined ? {} : { signal };
}

function toSaid(message: AIMessage | AIMessageChunk | undefined): Said {
  const finish = memberOf(message?.response_metadata, "finish_reason") ??
    memberOf(message?.response_metadata, "status");
  const usage = memberOf(message, "usage_metadata");
  return {
    text: message?.text ?? "",
    finish: typeof finish === "string" ? finish : undefined,
    tokens: [memberOf(usage, "input_tokens"), memberOf(usage, "output_tokens")],
  };
}

/** Puts the chunks of a stream together. */
async function gather(
  stream: AsyncIterable<AIMessageChunk>,
  onPiece?: (piece: string) => void,
): Promise<AIMessageChunk | undefined> {
  let whole: AIMessageChunk | undefined;
  for await (const chunk of stream) {
    whole = whole === undefined ? chunk : whole.concat(chunk);
    if (chunk.text !== "") onPiece?.(chunk.text);
  }
  return whole;
}

const getTime = tool(() => "", { name: "get_time", description: "Time", schema: ZONE_SCHEMA });

function weatherTool(answer: (input: unknown) => string) {
  return tool((input: unknown) => answer(input), { name: "get_weather", description: "Weather", schema: CITY_SCHEMA });
}

/** A client: of chat completions, or of responses. */
function makeClient(
  differences: Partial<Client> & Pick<Client, "name" | "path" | "stop" | "n">,
  fields: ChatOpenAIFields,
): Client {
  const connect = (asked: Asked, more: ChatOpenAIFields = {}) => connectTo(asked, { ...fields, ...more });
  return {
    // It hands errors of OpenAI's client on, with a word of its own.
    errors: {
      badRequest: "BadRequestError",
      notFound: "NotFoundError",
      failure: "InternalServerError",
      midstream: "APIError",
    },
    // It waits one to two seconds of its own, and longer if `retry-after` says so. Without that it takes 429 as final.
    retries: { waits: [undefined, undefined], heedsFinal: false },
    describe: describeApiError,

    async text(asked) {
      return toSaid(await connect(asked).invoke(asked.prompt, optionsOf(asked)));
    },

    async stream(asked) {
      return toSaid(await gather(await connect(asked).stream(asked.prompt, optionsOf(asked)), asked.onPiece));
    },

    async tools(asked, { stream }): Promise<Called[]> {
      const model = connect(asked).bindTools([weatherTool(() => ""), getTime]);
      const message = stream ? await gather(await model.stream(asked.prompt)) : await model.invoke(asked.prompt);
      return (message?.tool_calls ?? []).map(({ name, args }) => ({ name, input: args }));
    },

    async toolLoop(asked, answer, { stream }) {
      const weather = weatherTool(answer);
      const model = connect(asked).bindTools([weather]);
      const messages: BaseMessage[] = [new HumanMessage(asked.prompt)];
      for (let turn = 0; turn < 3; turn++) {
        const message = stream ? await gather(await model.stream(messages)) : await model.invoke(messages);
        if (message === undefined) throw new Error("The stream was empty");
        if (!message.tool_calls?.length) return message.text;
        messages.push(message);
        for (const call of message.tool_calls) {
          const result: unknown = await weather.invoke({ ...call, type: "tool_call" });
          if (!ToolMessage.isInstance(result)) throw new TypeError("The tool gave no message");
          messages.push(result);
        }
      }
      throw new Error("The model never came to an end");
    },

    async structured(asked, { stream }) {
      const model = connect(asked).withStructuredOutput(WEATHER_SCHEMA, { name: "weather", method: "jsonSchema" });
      if (!stream) return await model.invoke(asked.prompt);
      let last: unknown;
      for await (const partial of await model.stream(asked.prompt)) last = partial;
      return last;
    },

    async logprobs(asked) {
      const { response_metadata } = await connect(asked, { logprobs: true }).invoke(asked.prompt);
      const content = memberOf(memberOf(response_metadata, "logprobs"), "content");
      return Array.isArray(content) ? content.map((entry: unknown) => String(memberOf(entry, "token"))) : [];
    },
    ...differences,
  };
}

/** The client with chat completions. */
export const LANGCHAIN: Client = makeClient({
  name: "@langchain/openai",
  path: "/v1/chat/completions",
  stop: "stop",
  async n(asked) {
    const { generations: [answers] } = await connectTo(asked, { n: 2 }).generate([[new HumanMessage(asked.prompt)]]);
    return answers?.map(({ text }) => text) ?? [];
  },
}, {});

/** The client with responses. */
export const LANGCHAIN_RESPONSES: Client = makeClient({
  name: "@langchain/openai useResponsesApi",
  path: "/v1/responses",
  stop: "completed",
  n: "The responses API gives one answer a call",
  structuredWholeOnly: "LangChain's parser takes no pieces of content that are lists, as it makes them of responses",
  logprobs: "LangChain asks for none with responses",
}, { useResponsesApi: true });
