/** Starts the examples as their first lines say, and asks those that serve. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { decodeSse } from "../../streaming/mod.ts";
import {
  type ChatCompletionChunk,
  type ChatCompletionResponse,
  type FinishReason,
  parseChatChunk,
  parseChatResponse,
} from "../../types/mod.ts";
import { ROOT, type ServingCommand, startServing } from "../support/command.ts";

/** Where Ollama is; a part of what a replay is. */
export interface OllamaServer {
  readonly url: string;
}

/** What the scripted models of the recordings say when they are greeted. */
export const SAID = "Hello from a scripted model. How can I help you today?";

/** A conversation of one message. */
export const MESSAGES = [{ role: "user", content: "Hi" }];

/** The names of all examples. */
export function exampleNames(): string[] {
  const files = [...Deno.readDirSync(join(ROOT, "examples"))].filter(({ isFile }) => isFile);
  return files.map(({ name }) => name).filter((name) => /\.(?:ts|html)$/.test(name)).sort();
}

/** The command in an example's first line. */
export function commandOf(file: string): string {
  const [first = ""] = Deno.readTextFileSync(join(ROOT, "examples", file)).split("\n");
  const [, command] = /^(?:\/\/|<!--) (deno (?:run|serve) .*?)(?: -->)?$/.exec(first) ?? [];
  assert(command !== undefined, `"${first}" must be a command of Deno`);
  return command;
}

/** The arguments in an example's first line. */
export function argsOf(file: string): string[] {
  return commandOf(file).split(" ").slice(1);
}

/** The arguments with one permission less, for each that is among them; of a list, with one member less. */
export function withoutEach(args: readonly string[]): { readonly removed: string; readonly args: string[] }[] {
  return args.flatMap((arg, position) => {
    if (!arg.startsWith("--allow-")) return [];
    const [flag = "", list] = arg.split("=");
    const members = list?.split(",") ?? [];
    const others = members.length < 2 ? [{ removed: arg, left: [] }] : members.map((member) => ({
      removed: `${flag}=${member}`,
      left: [`${flag}=${members.filter((other) => other !== member)}`],
    }));
    return others.map(({ removed, left }) => ({
      removed,
      args: [...args.slice(0, position), ...left, ...args.slice(position + 1)],
    }));
  });
}

/** Starts an example that serves, at any free port instead of the one in its command. */
export function startExample(
  file: string,
  ollama?: OllamaServer,
  args: readonly string[] = argsOf(file),
): Promise<ServingCommand> {
  const [command = "", ...others] = args.filter((arg) => !arg.startsWith("--port="));
  const started = command === "serve"
    ? [command, "--no-prompt", "--port=0", ...others]
    : [command, "--no-prompt", ...others, "--port=0"];
  return startServing(started, ollama === undefined ? {} : { OLLAMA_HOST: ollama.url });
}

/** What a script did. */
export interface ScriptEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What it left in its folder. */
  readonly files: readonly string[];
}

/** Runs an example that is a script, to its end. Where it logs, it does so in a folder of its own. */
export async function runExample(
  file: string,
  ollama: OllamaServer,
  args: readonly string[] = argsOf(file),
): Promise<ScriptEnd> {
  // Below the working directory, as that is where examples may write.
  const parent = join(ROOT, ".cache");
  await Deno.mkdir(parent, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: parent, prefix: "example-" });
  try {
    const [command = "", ...others] = args;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [command, "--no-prompt", ...others],
      cwd: ROOT,
      env: { NO_COLOR: "1", OLLAMA_HOST: ollama.url, MLFLOW_TRACKING_URI: `sqlite:///${folder}/mlflow.db` },
      stdin: "null",
    }).output();
    const [printed, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    const files: string[] = [];
    for await (const { name } of Deno.readDir(folder)) files.push(name);
    files.sort();
    return { code, stdout: printed ?? "", stderr: complained ?? "", files };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

type Body = { readonly [field: string]: unknown };

/** Sends JSON. */
export function post(url: string, path: string, body: Body): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Asks for an answer in one piece. */
export async function ask(url: string, body: Body, path = "/v1/chat/completions"): Promise<ChatCompletionResponse> {
  const response = await post(url, path, body);
  const text = await response.text();
  assertEquals(response.status, 200, text);
  return parseChatResponse(JSON.parse(text));
}

/** What came as a stream. */
export interface Streamed {
  readonly chunks: readonly ChatCompletionChunk[];
  readonly text: string;
  readonly reasoning: string;
  readonly finishReason: FinishReason | null | undefined;
  readonly customOutputs: ChatCompletionChunk["custom_outputs"];
}

/** Asks for a stream, and reads it to its end. */
export async function stream(url: string, body: Body, path = "/v1/chat/completions"): Promise<Streamed> {
  const response = await post(url, path, { ...body, stream: true });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  assert(response.body !== null);
  const data: string[] = [];
  for await (const batch of decodeSse(response.body)) data.push(...batch.map((event) => event.data));
  assertEquals(data.pop(), "[DONE]");
  const chunks = data.map((text) => parseChatChunk(JSON.parse(text)));
  return {
    chunks,
    text: chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""),
    reasoning: chunks.map((chunk) => chunk.choices[0]?.delta.reasoning ?? "").join(""),
    finishReason: chunks.findLast((chunk) => chunk.choices.length > 0)?.choices[0]?.finish_reason,
    customOutputs: chunks.findLast((chunk) => chunk.custom_outputs !== undefined)?.custom_outputs,
  };
}

/** Asks for what must be refused, and gives the error. */
export async function refused(url: string, body: Body): Promise<{ readonly status: number; readonly error: Refusal }> {
  const response = await post(url, "/v1/chat/completions", body);
  const { error } = await response.json();
  return { status: response.status, error };
}

/** An error as clients get it. */
export interface Refusal {
  readonly message: string;
  readonly code: string | null;
  readonly param: string | null;
}

/** Stops a server as a person would, and checks that it had nothing to complain of. */
export async function assertStops(example: ServingCommand): Promise<void> {
  const { status, stderr } = await example.stop("SIGTERM");
  assertEquals({ code: status.code, signal: status.signal, stderr }, { code: 0, signal: null, stderr: "" });
}
