import { ChatModelError, parseChatRequest, ValidationError } from "../types/mod.ts";
import { customInvocations, findCustomModel } from "./_custom_invocations.ts";
import { readJson } from "./_body.ts";
import { type ChatRouteOptions, findModel, streamResponse } from "./_chat_completions.ts";
import type { RequestScope } from "./_request_scope.ts";
import { type AnswerHeaders, jsonResponse } from "./_respond.ts";

/** MLflow's ways to wrap the input, of which exactly one is to be used where there are no `messages`. */
const WRAPPERS = ["dataframe_split", "dataframe_records", "instances", "inputs"];

/**
 * `POST /invocations`, as `mlflow models serve` has it: the answer bare for `{"messages": …}`, else under `predictions`.
 * Beyond MLflow, `"stream": true` streams.
 */
export async function invocations(
  request: Request,
  scope: RequestScope,
  headers: AnswerHeaders,
  options: ChatRouteOptions,
): Promise<Response> {
  checkContentType(request);
  const body = await readJson(request, options.bodies);
  const custom = await findCustomModel(body, { scope, headers }, options);
  if (custom !== undefined) return await customInvocations(custom, body, scope, headers);
  const { input, wrapped } = unwrap(body);
  const chatRequest = parseChatRequest(wrapped ? withModel(input, body) : input);
  const model = await findModel(chatRequest, { scope, headers }, options);
  if (chatRequest.params.stream) return await streamResponse(model, chatRequest, scope, headers, options);
  const response = await model.predict(chatRequest, scope);
  return jsonResponse(JSON.stringify(wrapped ? { predictions: response } : response), 200, headers);
}

function checkContentType(request: Request): void {
  const contentType = request.headers.get("content-type");
  const [type = ""] = contentType?.split(";") ?? [];
  if (type.trim().toLowerCase() === "application/json") return;
  throw new ChatModelError(
    `Cannot read request body: content type must be "application/json", but is ${
      contentType === null ? "missing" : `"${contentType}"`
    }`,
    { code: "unsupported_media_type" },
  );
}

function unwrap(body: unknown): { readonly input: unknown; readonly wrapped: boolean } {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalidInput("", `must be a JSON object. Send {"messages": […]}, or one of ${WRAPPERS.join(", ")}`);
  }
  if ("messages" in body) return { input: body, wrapped: false };
  const given = WRAPPERS.filter((key) => key in body);
  const [key, second] = given;
  if (key === undefined) {
    throw invalidInput("messages", `is missing. Send {"messages": […]}, or one of ${WRAPPERS.join(", ")}`);
  }
  if (second !== undefined) throw invalidInput(second, `must not stand beside "${key}". Send one of them`);
  const value: unknown = Reflect.get(body, key);
  switch (key) {
    case "inputs":
      return { input: onlyInput(value), wrapped: true };
    case "dataframe_records":
      return { input: onlyRecord(value), wrapped: true };
    case "dataframe_split":
      return { input: onlyRow(value), wrapped: true };
    default:
      throw new ValidationError("Cannot parse input", [{
        path: "instances",
        message: 'MLflow never accepts it for a chat model either. Send {"messages": […]} or "inputs"',
      }]);
  }
}

/** The `model` beside a wrapper chooses as one within it does. */
function withModel(input: unknown, body: unknown): unknown {
  const { model } = toObject(body);
  if (model === undefined || model === null) return input;
  const fields = toObject(input);
  if (fields.model === undefined || fields.model === null) return { ...fields, model };
  if (fields.model === model) return input;
  throw invalidInput("model", "must not differ from the one of the input. Name the model once");
}

function toObject(value: unknown): { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** Of several, MLflow answers the first and drops the others without a word. */
function only(path: string, values: readonly unknown[]): unknown {
  if (values.length === 1) return values[0];
  throw invalidInput(path, `must hold one request, but holds ${values.length}. Send one call for each`);
}

function onlyInput(value: unknown): unknown {
  const input: unknown = Array.isArray(value) ? only("inputs", value) : value;
  if (typeof input === "object" && input !== null) return input;
  throw invalidInput("inputs", 'must be a request such as {"messages": […]}, or an array of one');
}

function onlyRecord(value: unknown): unknown {
  if (Array.isArray(value)) return only("dataframe_records", value);
  throw invalidInput("dataframe_records", "must be an array of one record");
}

function invalidInput(path: string, message: string): ValidationError {
  return new ValidationError("Cannot parse input", [{ path, message }], { code: "invalid_input" });
}

/** The row of `{columns, data}` as an object. */
function onlyRow(value: unknown): unknown {
  if (
    typeof value !== "object" || value === null || !("columns" in value) || !("data" in value) ||
    !Array.isArray(value.columns) || !Array.isArray(value.data)
  ) {
    throw invalidInput("dataframe_split", 'must be {"columns": […], "data": [[…]]} with one row');
  }
  const row = only("dataframe_split.data", value.data);
  if (!Array.isArray(row)) throw invalidInput("dataframe_split.data.0", "must be an array of values");
  return Object.fromEntries(value.columns.map((column: unknown, i): [string, unknown] => [String(column), row[i]]));
}
