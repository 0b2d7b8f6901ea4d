import type { LoadedChatModel } from "../../loaded_chat_model.ts";
import { Accumulator } from "../../streaming/accumulate.ts";
import { complete } from "../../streaming/_complete.ts";
import { createId } from "../../streaming/_ids.ts";
import {
  type AssistantMessage,
  type ChatCompletionChunk,
  type ChatCompletionResponse,
  type ChatMessage,
  ChatModelError,
  parseChatMessage,
  type ResponseMessage,
  type Usage,
  ValidationError,
} from "../../types/mod.ts";
import { asJson, isRecord } from "../_canonical_json.ts";
import type { PreparedRow } from "../data/mod.ts";
import type { AnsweredTurn } from "../scorers/scorer.ts";
import type { Subject } from "./subject.ts";

/** A conversation between a model and a user that is simulated, as far as it has come. */
export interface ConversationSoFar {
  /** All messages, the last of them the model's. */
  readonly messages: readonly ChatMessage[];
  /** How often the model has answered. */
  readonly turn: number;
  /** The row. */
  readonly row: PreparedRow;
  /** Seed of the row, if the evaluation has one. */
  readonly seed: number | undefined;
  /** Fires when the row takes too long, or the evaluation is given up. */
  readonly signal: AbortSignal;
}

/**
 * Stands in for the user of a conversation.
 *
 * @param conversation The conversation so far.
 * @returns What the user says next; `undefined` if nothing.
 */
export type SimulatedUser = (
  conversation: ConversationSoFar,
) => string | ChatMessage | undefined | Promise<string | ChatMessage | undefined>;

/** What a row's conversation came to. */
export interface Conversation {
  /** All answers. */
  readonly turns: readonly AnsweredTurn[];
  /** The last answer. */
  readonly output: unknown;
  /** The last answer, if it is a chat model's. */
  readonly response: ChatCompletionResponse | undefined;
  /** Text of the last answer. */
  readonly text: string;
  /** Milliseconds of all answers; `undefined` where they were given. */
  readonly latency: number | undefined;
  /** Tokens of all answers. */
  readonly usage: Usage | undefined;
  /** Id of the last request to a chat model. */
  readonly requestId?: string;
}

/** How rows are put to a model. */
export interface AskOptions {
  /** Parameters for all rows. */
  readonly params: { readonly [name: string]: unknown };
  /** Seed of the row. */
  readonly seed: number | undefined;
  /** Whether the model is to answer piece by piece. */
  readonly streams: boolean;
  /** Who talks to the model after the row's own messages. */
  readonly user: SimulatedUser | undefined;
  /** Most answers of the model. */
  readonly maxTurns: number;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/**
 * Puts a row to what is evaluated, until the user has nothing more to say.
 *
 * @param subject What is evaluated.
 * @param row The row.
 * @param options How.
 * @returns The answers. What the model throws is handed on.
 */
export async function converse(subject: Subject, row: PreparedRow, options: AskOptions): Promise<Conversation> {
  switch (subject.kind) {
    case "outputs":
      return given(row.outputs, { name: subject.name, row, latency: undefined });
    case "function": {
      const { seed, signal } = options;
      const start = performance.now();
      const output: unknown = await subject.predict(row.inputs, { signal, id: row.id, index: row.index, seed });
      refuseNoAnswer(output, subject.name);
      return given(output, { name: subject.name, row, latency: performance.now() - start });
    }
    case "chat":
      return await talk(subject.model, row, options);
  }
}

async function talk(model: LoadedChatModel, row: PreparedRow, options: AskOptions): Promise<Conversation> {
  const { params, seed, maxTurns } = options;
  let messages = row.messages ?? [];
  const turns: AnsweredTurn[] = [];
  for (;;) {
    const requestId = createId("req_");
    const { response, timeToFirstToken, latency } = await ask(model, {
      request: { ...(seed !== undefined && { seed }), ...params, ...row.params, messages },
      requestId,
      options,
    });
    turns.push({ messages, response, latency, ...(timeToFirstToken !== undefined && { timeToFirstToken }) });
    const next = turns.length < maxTurns ? await nextMessage(row, { turns, messages, response, options }) : undefined;
    if (next === undefined) {
      return {
        turns,
        output: asJson(response),
        response,
        text: textOf(response),
        latency: turns.reduce((sum, turn) => sum + turn.latency, 0),
        usage: totalUsage(turns),
        requestId,
      };
    }
    messages = [...messages, ...answerOf(response), next];
  }
}

async function nextMessage(
  row: PreparedRow,
  { turns, messages, response, options: { user, seed, signal } }: {
    readonly turns: readonly AnsweredTurn[];
    readonly messages: readonly ChatMessage[];
    readonly response: ChatCompletionResponse;
    readonly options: AskOptions;
  },
): Promise<ChatMessage | undefined> {
  const scripted = row.followUps[turns.length - 1];
  if (scripted !== undefined || user === undefined) return scripted;
  const said = await user({
    messages: [...messages, ...answerOf(response)],
    turn: turns.length,
    row,
    seed,
    signal,
  });
  return said === undefined
    ? undefined
    : parseChatMessage(typeof said === "string" ? { role: "user", content: said } : said);
}

interface Asked {
  readonly response: ChatCompletionResponse;
  readonly latency: number;
  readonly timeToFirstToken?: number;
}

async function ask(
  model: LoadedChatModel,
  { request, requestId, options: { streams, signal } }: {
    readonly request: Parameters<LoadedChatModel["predict"]>[0];
    readonly requestId: string;
    readonly options: AskOptions;
  },
): Promise<Asked> {
  const start = performance.now();
  const limits = { signal, requestId };
  if (!streams) {
    const response = await model.predict(request, limits);
    return { response, latency: performance.now() - start };
  }
  const accumulator = new Accumulator();
  let first: number | undefined;
  for await (const chunk of model.predictStream(request, limits)) {
    if (first === undefined && saysSomething(chunk)) first = performance.now() - start;
    accumulator.add(chunk);
  }
  const latency = performance.now() - start;
  return { response: accumulator.response(), latency, ...(first !== undefined && { timeToFirstToken: first }) };
}

function saysSomething({ choices }: ChatCompletionChunk): boolean {
  return choices.some(({ delta }) =>
    [delta.content, delta.refusal, delta.reasoning].some((text) => typeof text === "string" && text !== "") ||
    delta.tool_calls !== undefined
  );
}

/** An answer that did not come from a chat model: it may be one nevertheless. */
function given(
  output: unknown,
  { name, row, latency }: { readonly name: string; readonly row: PreparedRow; readonly latency: number | undefined },
): Conversation {
  const response = isAnswer(output) ? complete(output, { model: name }) : undefined;
  const value = isRecord(output) || typeof output === "string" ? output : asJson(output);
  return {
    turns: [{ messages: row.messages ?? [], response, latency: latency ?? 0 }],
    output: asJson(value),
    response,
    text: response === undefined ? JSON.stringify(asJson(output)) : textOf(response),
    latency,
    usage: response?.usage,
  };
}

/** What JSON has nothing for would pass as an answer without a word. */
function refuseNoAnswer(output: unknown, name: string): void {
  const found = output === undefined || typeof output === "function" || typeof output === "symbol"
    ? "gave nothing"
    : typeof output === "object" && output !== null && Symbol.asyncIterator in output
    ? "gave a stream"
    : undefined;
  if (found === undefined) return;
  throw new ChatModelError(
    `Cannot read the answer of function "${name}": it ${found}. Return text, a message, a response, or other JSON as a whole`,
    { code: "invalid_model_output" },
  );
}

/** Text, a message or a response; other objects are a function's own. */
function isAnswer(output: unknown): boolean {
  if (typeof output === "string") return true;
  return isRecord(output) && (Array.isArray(output.choices) || output.role === "assistant");
}

/**
 * The first answer of a response.
 *
 * @param response The response.
 * @returns Its text; empty if there is none.
 */
export function textOf(response: ChatCompletionResponse): string {
  return response.choices[0]?.message.content ?? "";
}

/** The first answer of a response, as a message for the next question. */
export function answerOf(response: ChatCompletionResponse): readonly AssistantMessage[] {
  const message: ResponseMessage | undefined = response.choices[0]?.message;
  if (message === undefined) throw new ValidationError("Cannot go on", [{ path: "choices", message: "has no answer" }]);
  const { content, refusal, tool_calls } = message;
  return [{
    role: "assistant",
    ...(content !== null && { content }),
    ...(refusal !== null && { refusal }),
    ...(tool_calls !== undefined && { tool_calls }),
    ...(content === null && refusal === null && tool_calls === undefined && { content: "" }),
  }];
}

function totalUsage(turns: readonly AnsweredTurn[]): Usage | undefined {
  const [first, ...others] = turns.map(({ response }) => response?.usage);
  if (first === undefined || others.length === 0) return first;
  let [prompt_tokens, completion_tokens] = [first.prompt_tokens, first.completion_tokens];
  for (const usage of others) {
    if (usage === undefined) return undefined;
    prompt_tokens += usage.prompt_tokens;
    completion_tokens += usage.completion_tokens;
  }
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}
