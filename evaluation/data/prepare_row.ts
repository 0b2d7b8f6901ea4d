import {
  type ChatMessage,
  parseChatMessage,
  parseChatRequest,
  ValidationError,
  type ValidationIssue,
} from "../../types/mod.ts";
import { suggestion } from "../../_near_names.ts";
import { canonicalJson, isRecord, sha256 } from "../_canonical_json.ts";
import type { EvaluationInputs, Expectations, PreparedRow } from "./evaluation_row.ts";

const FIELDS: readonly string[] = ["inputs", "messages", "expectations", "outputs", "id", "tags"];

/** Names under which what the user says may stand alone. */
const QUESTIONS: readonly string[] = ["question", "query", "prompt", "input", "text"];

/** What a row must have, by what is evaluated: a chat model, a function, or outputs that are there already. */
export type RowPurpose = "chat" | "function" | "outputs";

/** A row without its place among others. */
export type BareRow = Omit<PreparedRow, "index" | "id"> & { readonly givenId: string | undefined };

/**
 * Checks one row and takes it apart.
 *
 * @param value What stands in the data.
 * @param purpose What the row is for.
 * @returns The row.
 * @throws {ValidationError} If it is no row; all that is wrong is in it, with paths from the row.
 */
export function prepareRow(value: unknown, purpose: RowPurpose): BareRow {
  if (!isRecord(value)) throw fault([{ path: "", message: `must be an object, but is ${kindOf(value)}` }]);
  const issues: ValidationIssue[] = [];
  for (const name of Object.keys(value)) {
    if (!FIELDS.includes(name)) {
      issues.push({ path: name, message: `is no field of a row: ${suggestion(name, FIELDS)}` });
    }
  }
  const { id, outputs } = value;
  if (id !== undefined && (typeof id !== "string" || id === "")) {
    issues.push({ path: "id", message: "must be a text that is not empty" });
  }
  const expectations = readRecord(value, "expectations", issues);
  const tags = readTags(value, issues);
  const inputs = readInputs(value, issues);
  if (purpose === "outputs" && outputs === undefined) {
    issues.push({ path: "outputs", message: "is missing: give the answer, or a model to ask" });
  } else if (purpose !== "outputs" && outputs !== undefined) {
    issues.push({
      path: "outputs",
      message: "is an answer already, but there is a model to ask. Leave one of them out",
    });
  }
  const question = inputs &&
    readQuestion(inputs, { purpose, issues, path: "messages" in value ? "messages" : "inputs" });
  if (issues.length > 0 || inputs === undefined || question === undefined) throw fault(issues);
  const known = { ...question.expectations, ...expectations };
  return {
    givenId: typeof id === "string" ? id : undefined,
    digest: sha256(canonicalJson({ inputs, expectations: known, outputs })),
    inputs,
    messages: question.messages,
    followUps: question.followUps,
    params: question.params,
    expectations: known,
    tags,
    ...(outputs !== undefined && { outputs }),
  };
}

interface Question {
  readonly messages: readonly ChatMessage[] | undefined;
  readonly followUps: readonly ChatMessage[];
  readonly params: { readonly [name: string]: unknown };
  readonly expectations: Expectations;
}

interface Reading {
  readonly purpose: RowPurpose;
  readonly issues: ValidationIssue[];
  /** Where the inputs stand. */
  readonly path: string;
}

function readInputs(
  row: { readonly [name: string]: unknown },
  issues: ValidationIssue[],
): EvaluationInputs | undefined {
  const { inputs, messages } = row;
  if (inputs !== undefined && messages !== undefined) {
    issues.push({ path: "messages", message: 'stands beside "inputs", which says the same. Leave one of them out' });
    return undefined;
  }
  if (messages !== undefined) return { messages };
  if (typeof inputs === "string") return { messages: [{ role: "user", content: inputs }] };
  if (Array.isArray(inputs)) return { messages: inputs };
  if (isRecord(inputs) && Object.keys(inputs).length > 0) return inputs;
  // With outputs alone there may be nothing that was asked.
  if (inputs === undefined && row.outputs !== undefined) return {};
  const found = inputs === undefined ? "is missing" : `is ${isRecord(inputs) ? "empty" : kindOf(inputs)}`;
  issues.push({
    path: "inputs",
    message: `${found}: give an object, such as { "messages": […] }, messages, or a text`,
  });
  return undefined;
}

function readQuestion(inputs: EvaluationInputs, reading: Reading): Question | undefined {
  const { purpose, issues, path } = reading;
  if ("conversation" in inputs) return readConversation(inputs, reading);
  if ("messages" in inputs) return readMessages(inputs, reading);
  const [only, ...others] = Object.entries(inputs);
  if (only !== undefined && others.length === 0 && QUESTIONS.includes(only[0]) && typeof only[1] === "string") {
    return { messages: [{ role: "user", content: only[1] }], followUps: [], params: {}, expectations: {} };
  }
  if (purpose === "chat") {
    const names = QUESTIONS.map((name) => `"${name}"`).join(", ");
    issues.push({
      path,
      message: `must have "messages", "conversation", or nothing but one of ${names}, for a chat model to be asked. ` +
        "Evaluate a function to make a request of other inputs",
    });
    return undefined;
  }
  return { messages: undefined, followUps: [], params: {}, expectations: {} };
}

function readMessages(inputs: EvaluationInputs, { purpose, issues, path }: Reading): Question | undefined {
  const { messages: given, ...params } = inputs;
  const { asked, expectations } = splitReference(given);
  try {
    const { messages } = parseChatRequest({ ...params, messages: asked });
    return { messages, followUps: [], params, expectations };
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    // A function may take anything by that name.
    if (purpose === "function") return { messages: undefined, followUps: [], params: {}, expectations: {} };
    issues.push(...error.issues.map((issue) => ({ ...issue, path: join(path, issue.path) })));
    return undefined;
  }
}

function readConversation(inputs: EvaluationInputs, { issues, path }: Reading): Question | undefined {
  const { conversation: given, ...params } = inputs;
  const { asked, expectations } = splitReference(given);
  if (!Array.isArray(asked) || asked.length === 0) {
    issues.push({ path: `${path}.conversation`, message: "must be a list of messages with at least one of the user" });
    return undefined;
  }
  const messages: ChatMessage[] = [];
  const followUps: ChatMessage[] = [];
  asked.forEach((item: unknown, place) => {
    try {
      const message = parseChatMessage(item);
      if (message.role === "assistant") return;
      if (message.role === "tool" || message.role === "function") {
        issues.push({
          path: `${path}.conversation.${place}.role`,
          message:
            `cannot be "${message.role}": the model makes calls of its own. Give "messages" to ask for one answer`,
        });
      }
      const isFirst = followUps.length === 0 && !messages.some(({ role }) => role === "user");
      (isFirst ? messages : followUps).push(message);
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      issues.push(
        ...error.issues.map((issue) => ({ ...issue, path: join(`${path}.conversation.${place}`, issue.path) })),
      );
    }
  });
  const late = followUps.find(({ role }) => role !== "user");
  if (late !== undefined) {
    issues.push({
      path: `${path}.conversation`,
      message: `may have a "${late.role}" message only before the first of the user`,
    });
  }
  if (issues.length > 0) return undefined;
  try {
    parseChatRequest({ ...params, messages });
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    issues.push(...error.issues.map((issue) => ({ ...issue, path: join(path, issue.path) })));
    return undefined;
  }
  return { messages, followUps, params, expectations };
}

/** The assistant's last word, if nothing follows it: it is what the model is to say. */
function splitReference(messages: unknown): { readonly asked: unknown; readonly expectations: Expectations } {
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  if (!Array.isArray(messages) || !isRecord(last) || last.role !== "assistant") {
    return { asked: messages, expectations: {} };
  }
  const { content, tool_calls } = last;
  const calls = Array.isArray(tool_calls) ? tool_calls.flatMap(readCall) : [];
  return {
    asked: messages.slice(0, -1),
    expectations: {
      ...(typeof content === "string" && content !== "" && { expected_response: content }),
      ...(calls.length > 0 && { expected_tool_calls: calls }),
    },
  };
}

function readCall(
  call: unknown,
): { readonly name: string; readonly arguments?: { readonly [name: string]: unknown } }[] {
  if (!isRecord(call) || !isRecord(call.function) || typeof call.function.name !== "string") return [];
  const { name, arguments: text } = call.function;
  try {
    const values: unknown = typeof text === "string" && text !== "" ? JSON.parse(text) : {};
    return [{ name, ...(isRecord(values) && { arguments: values }) }];
  } catch {
    return [{ name }]; // What was called is known; its arguments are no JSON, and cannot be compared.
  }
}

function readRecord(
  row: { readonly [name: string]: unknown },
  name: string,
  issues: ValidationIssue[],
): { readonly [name: string]: unknown } {
  const value = row[name];
  if (value === undefined || value === null) return {};
  if (isRecord(value)) return value;
  issues.push({ path: name, message: `must be an object, but is ${kindOf(value)}` });
  return {};
}

function readTags(
  row: { readonly [name: string]: unknown },
  issues: ValidationIssue[],
): { readonly [name: string]: string } {
  const entries = Object.entries(readRecord(row, "tags", issues));
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === "string");
  for (const [name, value] of entries) {
    if (typeof value !== "string") {
      issues.push({ path: `tags.${name}`, message: `must be a text, but is ${kindOf(value)}` });
    }
  }
  return Object.fromEntries(texts);
}

function fault(issues: readonly ValidationIssue[]): ValidationError {
  return new ValidationError("Cannot read row", issues);
}

function join(path: string, inner: string): string {
  if (inner === "") return path;
  // What stands as "messages" beside no "inputs" has its own name already.
  return inner === path || inner.startsWith(`${path}.`) ? inner : `${path}.${inner}`;
}

function kindOf(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "number") return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "string" ? "a text" : `a ${typeof value}`;
}
