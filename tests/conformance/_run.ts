/** Ways to hand our functions what no types vouch for. */
import {
  type AnswerPart,
  type ChatMessage,
  ChatModel,
  ChatModelError,
  loadChatModel,
  type LoadedChatModel,
  parseChatRequest,
  type PredictResult,
} from "../../mod.ts";
import { createApp } from "../../serve.ts";
import { accumulate, type ChatCompletionStream, decodeSse } from "../../streaming/mod.ts";
import { parseChatChunk } from "../../types/mod.ts";
import { Echo } from "./_echo.ts";
import { isRecord } from "./_vectors.ts";

/** The member of an object that an own or a foreign function made; `undefined`: no such one. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined,
    value,
  );
}

/** A model of JavaScript, which may return anything. */
class Returning extends ChatModel {
  readonly #holder: object;

  constructor(result: unknown) {
    super();
    this.#holder = { result };
  }

  override predict(): PredictResult {
    return Reflect.get(this.#holder, "result");
  }
}

const HELLO: readonly ChatMessage[] = [{ role: "user", content: "x" }];

/** What comes of what an author returns. */
export async function answered(result: unknown): Promise<unknown> {
  const model = await loadChatModel(new Returning(result));
  return await model.predict({ messages: HELLO });
}

/** A message of the assistant as an author returns it, and as it comes out. */
export async function answeredMessage(message: unknown): Promise<unknown> {
  return at(await answered(message), "choices", 0, "message");
}

/** A tool call as an author returns it, and as it comes out. */
export async function answeredToolCall(call: unknown): Promise<unknown> {
  const part: { readonly [Key in keyof AnswerPart]: unknown } = { tool_calls: [call] };
  return at(await answeredMessage(part), "tool_calls", 0);
}

/** A tool in a request, as the model gets it. */
export function receivedTool(tool: unknown): unknown {
  return parseChatRequest({ messages: HELLO, tools: [tool] }).params.tools?.[0];
}

/** The parameters of a tool in a request, as the model gets them. */
export function receivedSchema(parameters: unknown): unknown {
  return at(receivedTool({ type: "function", function: { name: "f", parameters } }), "function", "parameters");
}

/** The recorded model, loaded. */
export function loadEcho(): Promise<LoadedChatModel> {
  return loadChatModel(new Echo(), { name: "vec" });
}

/** Calls `predict` with anything. */
export async function predict(model: LoadedChatModel, ...given: readonly unknown[]): Promise<unknown> {
  return await Reflect.apply(model.predict, model, given);
}

/** Calls `predictStream` with anything. */
export function predictStream(model: LoadedChatModel, input: unknown): ChatCompletionStream {
  return Reflect.apply(model.predictStream, model, [input]);
}

/** Sends rows as pandas would hold them to the recorded model, over the route that takes such. */
export async function invoke(records: readonly unknown[], stream = false): Promise<unknown> {
  const app = createApp({ vec: new Echo() });
  const rows = records.map((record) => isRecord(record) && stream ? { ...record, stream } : record);
  const response = await app.fetch(
    new Request("http://127.0.0.1/invocations", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ dataframe_records: rows }),
    }),
  );
  if (stream && response.ok && response.body !== null) {
    const chunks = [];
    for await (const events of decodeSse(response.body)) {
      for (const { data } of events) if (data !== "[DONE]") chunks.push(parseChatChunk(JSON.parse(data)));
    }
    return await accumulate(chunks);
  }
  const body: unknown = await response.json();
  if (response.ok) return at(body, "predictions");
  throw new ChatModelError(String(at(body, "message")), { status: response.status });
}
