/** Sending requests, and checking their answers by what the document says of them. */
import { assert, assertEquals } from "@std/assert";
import type { App } from "../../../serve.ts";
import { at, object, schemaAt, schemaExists } from "./_document.ts";

/** A request to an operation of the document. */
export interface Sent {
  /** Its path in the document. */
  readonly path: string;
  readonly method?: string;
  /** Values of the path's parameters. */
  readonly id?: string;
  /** What follows the path, with its question mark. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body: text as it is, all else as JSON. */
  readonly body?: unknown;
}

/** An answer that is as the document says. */
export interface Checked {
  readonly status: number;
  readonly text: string;
  /** The body if it is JSON. */
  readonly json: unknown;
}

/** Sends a request, and checks that status, headers and body are as the document says. */
export async function exchange(app: App, sent: Sent): Promise<Checked> {
  const { path, method = sent.body === undefined ? "GET" : "POST", id = "", query = "", headers = {}, body } = sent;
  const response = await app.fetch(
    new Request(`http://server.test${path.replace("{id}", encodeURIComponent(id))}${query}`, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) },
    }),
  );
  return await checkAnswer(response, { path, method });
}

/** Checks that status, headers and body of an answer are as the document says. */
export async function checkAnswer(
  response: Response,
  { path, method }: { readonly path: string; readonly method: string },
): Promise<Checked> {
  const text = await response.text();
  const where = `${method} ${path}: ${response.status} ${text.slice(0, 300)}`;
  const keys = ["paths", path, method.toLowerCase(), "responses"];
  const declared = at(...keys, String(response.status));
  assert(declared, `Not declared: ${where}`);
  checkHeaders(response, declared.pointer.slice(1).split("/").map(unescape), where);
  const { content } = object(declared.value);
  if (content === undefined) {
    assertEquals(text, "", where);
    return { status: response.status, text, json: undefined };
  }
  const type = response.headers.get("content-type") ?? "";
  assert(type in object(content), `Type "${type}" is not declared: ${where}`);
  const media = object(object(content)[type]);
  const pointer = `${declared.pointer}/content/${type.replaceAll("/", "~1")}`;
  if (type === "text/event-stream") checkEvents(text, pointer, where);
  if (type !== "application/json" || media["schema"] === undefined) {
    return { status: response.status, text, json: undefined };
  }
  const json: unknown = JSON.parse(text);
  checkValue(json, `${pointer}/schema`, where);
  return { status: response.status, text, json };
}

/** The data of an event stream's frames. */
export function frames(text: string): string[] {
  return text.split("\n\n").filter((frame) => frame.trim() !== "" && !frame.startsWith(":")).map((frame) =>
    frame.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n")
  );
}

/** Checks the events of a stream, and what their data are. */
function checkEvents(text: string, pointer: string, where: string): void {
  const found = frames(text);
  assert(found.length > 0, where);
  const data = `${pointer}/schema/properties/data`;
  const isDone = found.at(-1) === "[DONE]";
  const content = schemaExists(`${data}/anyOf/0`) ? `${data}/anyOf/0/contentSchema` : `${data}/contentSchema`;
  for (const frame of found) checkValue({ data: frame }, `${pointer}/schema`, where);
  for (const frame of isDone ? found.slice(0, -1) : found) checkValue(JSON.parse(frame), content, where);
}

function checkValue(value: unknown, pointer: string, where: string): void {
  const validate = schemaAt(pointer);
  assert(validate(value), `${where}: ${JSON.stringify(validate.errors)} at ${pointer}`);
}

/** Headers that every HTTP answer may have. */
const PLAIN = [
  "content-type",
  "content-length",
  "connection",
  "date",
  "keep-alive",
  "vary",
  "cache-control",
  "x-accel-buffering",
];

function checkHeaders({ headers }: Response, answer: readonly string[], where: string): void {
  const declared = object(at(...answer, "headers")?.value);
  for (const name of Object.keys(declared)) {
    const { value } = there(at(...answer, "headers", name));
    const { required = false, schema } = object(value);
    const found = headers.get(name);
    assert(found !== null || required === false, `Header "${name}" is missing: ${where}`);
    if (found === null) continue;
    const { type } = object(schema);
    const { pointer } = there(at(...answer, "headers", name, "schema"));
    checkValue(type === "integer" ? Number(found) : found, pointer, where);
  }
  const own = [...headers.keys()].filter((name) => !PLAIN.includes(name) && !(name in declared));
  if (!own.includes("content-security-policy")) assertEquals(own, [], `Headers are not declared: ${where}`);
}

function there<Value>(value: Value | undefined): Value {
  assert(value !== undefined);
  return value;
}

function unescape(key: string): string {
  return key.replaceAll("~1", "/").replaceAll("~0", "~");
}
