import {
  readRecording,
  type Recording,
  type Replay,
  type ReplayedRequest,
  startReplay,
  type Version,
} from "../../tests/support/replay.ts";
import { NOT_RECORDED } from "./_table.ts";

const OWN_FOLDER = new URL("../../tests/testdata/ollama_v1/", import.meta.url);

/** Models that were shown. */
const MODELS = ["plain", "preset", "tools", "think", "thinktools", "native", "embed"];

/** Recorded exchanges that answer what this package's server asks. */
const NATIVE = [
  ...["version", "tags", "model_not_found"],
  ...["chat_nonstream", "chat_stream", "num_predict_1", "options_stop_array", "logprobs_top3_stream"],
  ...["format_schema", "tools_one", "tools_two_stream"],
];

/** The tools that the recorded requests offer. */
const tools = Reflect.get(Object(readRecording("tools_one", "head").request.body), "tools");

/** A request that was not recorded, and the exchange that answers it. */
interface Nearest {
  readonly path: string;
  /** The body, just as it is sent. */
  readonly body: object;
  /** Name of the exchange. */
  readonly recording: string;
}

/**
 * What is asked though it was not recorded. The scripted models answer by the last token of the prompt alone: what ends
 * the same has the same answer.
 */
const NEAREST: readonly Nearest[] = [
  // Role developer, which becomes system.
  chat([{ role: "system", content: "x" }, { role: "user", content: "<|hello|>" }], { recording: "chat_nonstream" }),
  // Content in parts, which becomes one message.
  chat([{ role: "user", content: "a \n<|hello|>" }], { recording: "chat_nonstream" }),
  // The result of a tool; what was recorded has a longer question.
  chat([
    { role: "user", content: "Weather?" },
    {
      role: "assistant",
      content: "",
      tool_calls: [{ id: "call_1", function: { name: "get_weather", arguments: { city: "Paris" } } }],
    },
    { role: "tool", content: '{"temp":21}', tool_name: "get_weather", tool_call_id: "call_1" },
  ], { recording: "tools_result", model: "tools", tools }),
  // For the list: made like the model "plain", with a smaller window.
  { path: "/api/show", body: { model: "small" }, recording: "show_plain" },
];

function chat(
  messages: readonly object[],
  { recording, ...others }: { readonly recording: string; readonly model?: string; readonly tools?: unknown },
): Nearest {
  return { path: "/api/chat", body: { model: "plain", messages, stream: false, ...others }, recording };
}

/** A server that answers as recorded. */
export interface ScriptedOllama extends Replay {
  /** Requests that there is no recorded answer to, as text. */
  readonly unknown: readonly string[];
}

/**
 * Stands for a genuine Ollama's native API. A request is answered by the exchange whose request is the same; it is no
 * Ollama's answer, but an error, if there is none.
 */
export function startNative(version: Version): ScriptedOllama {
  const recordings = [...NATIVE, ...MODELS.map((model) => `show_${model}`)].map((name) => readRecording(name, version));
  const nearest = NEAREST.map(({ path, body, recording: name }) => {
    const recording = readRecording(name, version);
    return { ...recording, request: { ...recording.request, path, body } };
  });
  return start([...recordings, ...nearest]);
}

/** Stands for a genuine Ollama's own OpenAI layer, likewise. */
export function startOwn(version: Version): ScriptedOllama {
  const folder = new URL(`${version}/`, OWN_FOLDER);
  return start(
    [...Deno.readDirSync(folder)].map(({ name }): Recording =>
      JSON.parse(Deno.readTextFileSync(new URL(name, folder)))
    ),
  );
}

function start(recordings: readonly Recording[]): ScriptedOllama {
  const unknown: string[] = [];
  const byRequest = new Map(recordings.map((recording) => [keyOf(recording.request), recording]));
  const choose = (request: ReplayedRequest) => {
    const key = keyOf(request);
    const recording = byRequest.get(key);
    if (recording === undefined) unknown.push(key);
    return recording ?? unrecorded(request);
  };
  return { ...startReplay(recordings, { choose }), unknown };
}

/** No Ollama's answer: a check must not take it for one. */
function unrecorded({ method, path }: ReplayedRequest): Recording {
  return {
    scenario: NOT_RECORDED,
    request: { method, path },
    response: {
      status: 501,
      headers: { "content-type": "application/json" },
      body_text: JSON.stringify({ error: { message: NOT_RECORDED } }),
    },
  };
}

/** A request as text, the same for requests that say the same to Ollama. */
function keyOf({ method, path, body }: { method: string; path: string; body?: unknown }): string {
  if (method === "GET" || method === "HEAD") return `${method} ${path}`;
  const request = { stream: path.startsWith("/api/chat"), ...Object(body) };
  if (typeof request.model === "string") request.model = request.model.replace(/:latest$/, "");
  // What is recorded is far shorter than the window: there is nothing to cut.
  delete request.truncate;
  return `${method} ${path} ${JSON.stringify(sorted(request))}`;
}

/** A value whose members are in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1).map(([name, member]) => [name, sorted(member)]),
  );
}
