/** The model's answer as items. Pure. */
import type { ChatChoice, TokenLogprob, ToolCall } from "../../types/mod.ts";
import type { StoredObject } from "../response_store.ts";
import { outputItemId } from "./_item_ids.ts";
import { statusOf } from "./_response_object.ts";
import type {
  ItemStatus,
  OutputCustomCall,
  OutputFunctionCall,
  OutputItem,
  OutputMessage,
  OutputReasoning,
  OutputRefusalPart,
  OutputTextPart,
  TokenProbability,
} from "./_wire.ts";

/** What each item begins with. */
export interface ItemHead {
  readonly id: string;
  readonly status: ItemStatus;
}

/** Words as a part of a message. */
export function textPart(
  text: string,
  annotations: readonly StoredObject[] = [],
  logprobs: readonly TokenProbability[] = [],
): OutputTextPart {
  return { type: "output_text", text, annotations, logprobs };
}

/** A refusal as a part of a message. */
export function refusalPart(refusal: string): OutputRefusalPart {
  return { type: "refusal", refusal };
}

/** A message of the model. */
export function messageItem({ id, status }: ItemHead, content: OutputMessage["content"]): OutputMessage {
  return { id, type: "message", status, role: "assistant", content };
}

/**
 * The model's thinking.
 *
 * @param head The item's id and status.
 * @param text The thinking; `undefined` if there is none yet.
 * @param asSummary Whether it stands in the place of a summary.
 */
export function reasoningItem({ id, status }: ItemHead, text: string | undefined, asSummary: boolean): OutputReasoning {
  if (asSummary) {
    return { id, type: "reasoning", summary: text === undefined ? [] : [{ type: "summary_text", text }], status };
  }
  const content = text === undefined ? [] : [{ type: "reasoning_text" as const, text }];
  return { id, type: "reasoning", summary: [], content, status };
}

/** A call of a tool: its kind, its name, and its arguments or input. */
export interface CallFields {
  readonly type: "function" | "custom";
  readonly callId: string;
  readonly name: string;
  readonly text: string;
}

/** A call of a tool. */
export function callItem({ id, status }: ItemHead, call: CallFields): OutputFunctionCall | OutputCustomCall {
  const { callId: call_id, name, text } = call;
  return call.type === "function"
    ? { id, type: "function_call", call_id, name, arguments: text, status }
    : { id, type: "custom_tool_call", call_id, name, input: text, status };
}

/** The type that a call's item has. */
export function callItemType(type: "function" | "custom"): "function_call" | "custom_tool_call" {
  return type === "function" ? "function_call" : "custom_tool_call";
}

/** How likely the tokens were. The API has no token without bytes. */
export function toProbabilities(tokens: readonly TokenLogprob[] | null | undefined): TokenProbability[] {
  return (tokens ?? []).map(({ token, logprob, bytes, top_logprobs }) => ({
    token,
    logprob,
    bytes: bytes ?? [],
    top_logprobs: top_logprobs.map(({ token, logprob, bytes }) => ({ token, logprob, bytes: bytes ?? [] })),
  }));
}

/** A source: on the chat wire its facts are one level deeper. */
export function toAnnotation(annotation: StoredObject): StoredObject {
  const { type } = annotation;
  if (typeof type !== "string") return annotation;
  const facts = annotation[type];
  return typeof facts === "object" && facts !== null && !Array.isArray(facts) ? { ...facts, type } : annotation;
}

/**
 * All items of an answer: thinking, words, calls.
 *
 * @param choice The answer.
 * @param responseId Id of the response.
 * @param asSummary Whether thinking stands in the place of a summary.
 */
export function toOutput(choice: ChatChoice, responseId: string, asSummary: boolean): OutputItem[] {
  const { message, logprobs, finish_reason } = choice;
  const output: OutputItem[] = [];
  const head = (type: string): ItemHead => ({
    id: outputItemId(responseId, type, output.length),
    status: "completed",
  });
  if (message.reasoning !== undefined) output.push(reasoningItem(head("reasoning"), message.reasoning, asSummary));
  const calls = toCalls(message.tool_calls ?? []);
  if (message.function_call !== undefined) {
    const { name, arguments: text } = message.function_call;
    calls.push({ type: "function", callId: `call_${responseId.slice(-24)}`, name, text });
  }
  const parts: OutputMessage["content"][number][] = [];
  // Without any item, an answer could not be told from one that is missing; but one that was cut while the model
  // thought has no words.
  const isEmpty = message.refusal === null && calls.length === 0 && finish_reason !== "length";
  if (message.content || (isEmpty && message.content !== null)) {
    parts.push(
      textPart(message.content, (message.annotations ?? []).map(toAnnotation), toProbabilities(logprobs?.content)),
    );
  }
  if (message.refusal !== null) parts.push(refusalPart(message.refusal));
  if (parts.length > 0) output.push(messageItem(head("message"), parts));
  for (const call of calls) output.push(callItem(head(callItemType(call.type)), call));
  // What was cut is the last that was given.
  const last = output.pop();
  return last === undefined ? [] : [...output, { ...last, status: statusOf(finish_reason) }];
}

function toCalls(calls: readonly ToolCall[]): CallFields[] {
  return calls.map((call) => {
    const { id: callId } = call;
    return call.type === "function"
      ? { type: "function", callId, name: call.function.name, text: call.function.arguments }
      : { type: "custom", callId, name: call.custom.name, text: call.custom.input };
  });
}
