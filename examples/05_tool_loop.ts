// deno run --allow-net=127.0.0.1 --allow-read=. --allow-env=OLLAMA_HOST serve.ts --model examples/05_tool_loop.ts
import type {
  ChatCompletionChunk,
  ChatMessage,
  ChatParams,
  LoadedChatModel,
  ModelContext,
} from "@chatmodel/chat-model";
import { type AnswerPart, ChatModel, ChatModelError, loadChatModel, ValidationError } from "@chatmodel/chat-model";
import { OllamaChatModel } from "@chatmodel/chat-model/ollama";
import { accumulate } from "@chatmodel/chat-model/streaming";
import type { FunctionTool, ToolCall } from "@chatmodel/chat-model/types";

/** A model may call for ever. */
const MOST_ROUNDS = 5;

const DEGREES: ReadonlyMap<unknown, number> = new Map([["Paris", 21], ["Oslo", 4], ["Cairo", 33]]);

const GET_WEATHER: FunctionTool = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Tells the weather in a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

/** An agent: the model asks for tools, the author's code runs them, until there is an answer. */
export default class WeatherAgent extends ChatModel {
  override readonly spanType = "AGENT";
  /** Set by `loadContext`, which is called before the first question. */
  #model!: LoadedChatModel;

  override async loadContext({ signal }: ModelContext): Promise<void> {
    this.#model = await loadChatModel(new OllamaChatModel({ model: "llama3.1:8b" }), { signal });
  }

  override async *predictStream(
    { signal, requestId }: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncGenerator<AnswerPart, void, void> {
    refuse(params);
    const conversation = [...messages];
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const request = { ...params, messages: conversation, tools: [GET_WEATHER] };
      const chunks: ChatCompletionChunk[] = [];
      for await (const chunk of this.#model.predictStream(request, { signal, requestId })) {
        chunks.push(chunk);
        const content = chunk.choices[0]?.delta.content;
        if (content) yield { content };
      }
      const [choice] = (await accumulate(chunks)).choices;
      const calls = choice?.message.tool_calls ?? [];
      if (calls.length === 0) return yield { finish_reason: choice?.finish_reason ?? "stop" };

      conversation.push({ role: "assistant", content: choice?.message.content ?? "", tool_calls: calls });
      for (const call of calls) {
        const { name, result } = run(call);
        yield { reasoning: `${name}: ${result}\n` };
        conversation.push({ role: "tool", tool_call_id: call.id, name, content: result });
      }
    }
    throw new ChatModelError(`Cannot answer: the model still calls tools after ${MOST_ROUNDS} rounds. Ask for less`);
  }
}

/** What an agent cannot do it must not leave out without a word. */
function refuse({ tools, n = 1 }: ChatParams): void {
  const issues = [
    ...(tools === undefined ? [] : [{ path: "tools", message: "must be absent: the agent has its own" }]),
    ...(n === 1 ? [] : [{ path: "n", message: "must be 1: the agent gives one answer" }]),
  ];
  if (issues.length > 0) throw new ValidationError("Cannot ask the agent", issues);
}

/** What goes wrong here is told to the model, which may do better in the next round. */
function run(call: ToolCall): { readonly name: string; readonly result: string } {
  const { name, arguments: text } = call.type === "function"
    ? call.function
    : { name: call.custom.name, arguments: "" };
  if (name !== GET_WEATHER.function.name) return { name, result: "Error: there is no such tool" };
  const city = readCity(text);
  const degrees = DEGREES.get(city);
  if (degrees === undefined) {
    return { name, result: `Error: the city must be one of ${[...DEGREES.keys()].join(", ")}` };
  }
  return { name, result: `${degrees} degrees Celsius in ${city}` };
}

/** The model wrote the arguments: they may be anything. */
function readCity(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "city" in value ? value.city : undefined;
  } catch {
    return undefined;
  }
}
