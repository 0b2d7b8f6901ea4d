/** OpenAI's own client, with responses. */
import type OpenAI from "openai";
import type { Asked, Called, Client, Said } from "./_matrix.ts";
import { connect, OPENAI, optionsOf } from "./_openai.ts";
import { CITY_SCHEMA, WEATHER_SCHEMA, ZONE_SCHEMA } from "./_weather.ts";

type Response = OpenAI.Responses.Response;
type Tool = OpenAI.Responses.FunctionTool;

const GET_WEATHER: Tool = { type: "function", name: "get_weather", parameters: CITY_SCHEMA, strict: false };
const GET_TIME: Tool = { type: "function", name: "get_time", parameters: ZONE_SCHEMA, strict: false };

function requestOf({ model, prompt, temperature }: Asked) {
  return { model, input: prompt, ...(temperature !== undefined && { temperature }) };
}

function toSaid({ output_text, status, usage }: Response): Said {
  return { text: output_text, finish: status, tokens: [usage?.input_tokens, usage?.output_tokens] };
}

function callsIn({ output }: Response): OpenAI.Responses.ResponseFunctionToolCall[] {
  return output.filter((item) => item.type === "function_call");
}

/** The client. */
export const OPENAI_RESPONSES: Client = {
  ...OPENAI,
  name: "openai responses",
  path: "/v1/responses",
  stop: "completed",
  n: "The responses API gives one answer a call",

  async text(asked) {
    return toSaid(await connect(asked).responses.create(requestOf(asked), optionsOf(asked)));
  },

  async stream(asked) {
    const stream = connect(asked).responses.stream(requestOf(asked), optionsOf(asked));
    stream.on("response.output_text.delta", ({ delta }) => asked.onPiece?.(delta));
    return toSaid(await stream.finalResponse());
  },

  async tools(asked, { stream }): Promise<Called[]> {
    const { responses } = connect(asked);
    const request = { ...requestOf(asked), tools: [GET_WEATHER, GET_TIME] };
    const response = stream ? await responses.stream(request).finalResponse() : await responses.create(request);
    return callsIn(response).map((call) => ({ name: call.name, input: JSON.parse(call.arguments) }));
  },

  async toolLoop(asked, tool, { stream }) {
    const { responses } = connect(asked);
    const ask = async (request: object) => {
      const whole = { model: asked.model, tools: [GET_WEATHER], ...request };
      return stream ? await responses.stream(whole).finalResponse() : await responses.create(whole);
    };
    const first = await ask({ input: asked.prompt });
    const outputs = callsIn(first).map((call) => ({
      type: "function_call_output" as const,
      call_id: call.call_id,
      output: tool(JSON.parse(call.arguments)),
    }));
    const { output_text } = await ask({ input: outputs, previous_response_id: first.id });
    return output_text;
  },

  async structured(asked, { stream }) {
    const { responses } = connect(asked);
    const format = { type: "json_schema" as const, name: "weather", schema: WEATHER_SCHEMA, strict: true };
    const request = { ...requestOf(asked), text: { format } };
    const response = stream ? await responses.stream(request).finalResponse() : await responses.parse(request);
    return response.output_parsed;
  },

  async logprobs(asked) {
    const { output } = await connect(asked).responses.create({
      ...requestOf(asked),
      include: ["message.output_text.logprobs"],
    });
    return output.flatMap((item) => item.type === "message" ? item.content : [])
      .flatMap((part) => part.type === "output_text" ? part.logprobs ?? [] : [])
      .map(({ token }) => token);
  },
};
