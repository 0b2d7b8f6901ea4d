import { join } from "@std/path";
import { ChatModelError, type ChatRequest, parseChatRequest } from "../types/mod.ts";
import { toJsonValue } from "../_json_value.ts";
import { pythonJson, pythonJsonLines } from "../signature/mod.ts";

/** Name of the example's file. */
export const EXAMPLE_FILE = "input_example.json";

/** Name of the file that a scoring server can be sent as it is. */
export const SERVING_FILE = "serving_input_example.json";

/** What MLflow's `save_model` writes for a chat model whose author gives no example. */
const DEFAULT_EXAMPLE = {
  messages: [{ role: "user", content: "Hello!" }],
  temperature: 1,
  max_tokens: 10,
  stop: ["\n"],
  n: 1,
  stream: false,
};

/** Members at the top by which MLflow's scoring server takes a body for a model's input itself. */
const LLM_KEYS = ["messages", "prompt", "input"];

/** An input example that was checked. */
export interface ChatExample {
  /** The request, as it is written. */
  readonly body: object;
  /** The request, as a model takes it. */
  readonly request: ChatRequest;
  /** Whether the author gave none. */
  readonly isDefault: boolean;
}

/**
 * Checks the input example of a chat model.
 *
 * @param example A request, its messages alone, or `[request, params]`. Default: MLflow's.
 * @throws {ValidationError} If it is no request.
 * @throws {ChatModelError} With code `invalid_input_example` if JSON cannot keep it.
 */
export function chatExample(example: unknown): ChatExample {
  const isDefault = example === undefined || example === null;
  const body = isDefault ? DEFAULT_EXAMPLE : exampleBody(example);
  const request = parseChatRequest(body);
  const written = toJsonValue(body, refuse);
  return isObject(written) ? { body: written, request, isDefault } : refuse("", "must be an object");
}

/** The request that an example stands for, as MLflow reads it. */
export function exampleBody(example: unknown): unknown {
  if (!Array.isArray(example)) return example;
  if (!isTuple(example)) return { messages: example };
  const [data, params] = example;
  if ("messages" in params) refuse("1.messages", "is no param: give one request, or a request and its params");
  const request = Array.isArray(data) ? { messages: data } : data;
  // What is null counts as absent, and takes nothing's place.
  const given = Object.entries(params).filter(([, value]) => value !== null && value !== undefined);
  return { ...request, ...Object.fromEntries(given) };
}

/** Whether an array is a request or its messages, and its params: no message has messages, or is an array. */
function isTuple(example: readonly unknown[]): example is [object, object] {
  const [data, params] = example;
  return example.length === 2 && isObject(params) && (Array.isArray(data) || isObject(data) && "messages" in data);
}

function refuse(path: string, problem: string): never {
  throw new ChatModelError(`Cannot take the input example: ${path === "" ? "it" : `"${path}"`} ${problem}`, {
    code: "invalid_input_example",
  });
}

/** Writes the input example of a chat model as MLflow does. */
export async function writeChatExample(folder: string, { body, isDefault }: ChatExample): Promise<void> {
  // Python tells 1.0 from 1; what an author gives is a number, and nothing more is known of it.
  const asPython = (json: string) => isDefault ? json.replace('"temperature": 1,', '"temperature": 1.0,') : json;
  await write(folder, EXAMPLE_FILE, asPython(pythonJson(body)));
  await write(folder, SERVING_FILE, asPython(pythonJsonLines(body)));
}

/** The input example of a custom model: what it takes, and its params if there are any. */
export interface CustomExample {
  readonly input: unknown;
  readonly params?: { readonly [name: string]: unknown };
}

/**
 * Reads the input example of a custom model.
 *
 * @param example The input, or `[input, params]`. Two rows look the same, and are to be written `[[row, row], {}]`.
 * @throws {ChatModelError} With code `invalid_input_example` if the params are no object, or JSON cannot keep it.
 */
export function customExample(example: unknown): CustomExample {
  if (!Array.isArray(example) || example.length !== 2 || !isObject(example[1])) {
    return { input: toJsonValue(example, refuse) };
  }
  const params = toJsonValue(example[1], refuse, "1");
  return { input: toJsonValue(example[0], refuse, "0"), ...(isObject(params) && { params }) };
}

/** Writes the input example of a custom model as MLflow does. */
export async function writeCustomExample(folder: string, { input, params }: CustomExample): Promise<void> {
  await write(folder, EXAMPLE_FILE, pythonJson(params === undefined ? input : { inputs: input, params }));
  const isLlm = isObject(input) && LLM_KEYS.some((key) => key in input);
  const served = isLlm ? { ...input, ...params } : { inputs: input, ...(params !== undefined && { params }) };
  await write(folder, SERVING_FILE, pythonJsonLines(served));
}

async function write(folder: string, name: string, text: string): Promise<void> {
  await Deno.writeTextFile(join(folder, name), text);
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
