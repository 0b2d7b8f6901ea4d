/** The servers of the matrix: the demo model, a scripted one, and Ollama's as it was recorded. */
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { OllamaChatModel, OllamaClient } from "../../adapters/ollama/mod.ts";
import { ndjson, startFakeUpstream } from "../support/fake_upstream.ts";
import {
  errorOf,
  FaultyDemo,
  OUT_OF_WORDS,
  type Scene,
  SlowDemo,
  type Watched,
  WatchedModel,
  watchModel,
} from "./_matrix_models.ts";
import { FailingChatModel, SCRIPTED_TEXT, SCRIPTED_TOKENS, ScriptedChatModel } from "./_scripted.ts";
import { OLLAMA_MODEL, type Served, serveModels, serveOllama } from "./_served.ts";

/** A server of the matrix. */
export interface MatrixServer {
  /** Title of its column. */
  readonly name: string;
  readonly model: string;
  /** What is said to the model. */
  readonly prompts: Readonly<Record<"text" | "tools" | "tool loop" | "structured output", string>>;
  /** What it answers to a text. */
  readonly text: string;
  /** Tokens of the prompt and of that answer. */
  readonly tokens: readonly [prompt: number, completion: number];
  /** The text of the answer with log probabilities. */
  readonly logprobsText: string;
  /** The structured output. */
  readonly object: unknown;
  /** How it fails before the first word. */
  readonly failure: { readonly status: number; readonly message: string };
  /** How it fails after some words. */
  readonly midstream: { readonly text: string; readonly message: string };
  /** Ways to refuse for the moment that it has. */
  readonly scenes: ReadonlySet<"limited" | "busy">;
  /** Whether it says when to try again: in 37 ms. */
  readonly tellsWhenToRetry: boolean;
  serve(scene: Scene): Promise<Served>;
  /**
   * Serves a model that does not come to an end.
   *
   * @param begun Whether it says something before.
   */
  watch(begun: boolean): Promise<Watched>;
}

const DEMO_TEXT = "This is the demo model of chat-model: it does not think, it echoes. For a real model install " +
  "Ollama, run 'ollama pull llama3.2:1b' and start the server again. You said: Hi there";

const demo: MatrixServer = {
  name: "the demo model",
  model: "demo",
  prompts: {
    text: "Hi there",
    tools: 'Use get_weather with city = "Zürich" and get_time with tz = "Europe/Zurich"',
    "tool loop": 'Use get_weather for "Paris"',
    "structured output": 'city = "Paris", temp_c = 21',
  },
  text: DEMO_TEXT,
  tokens: [2, DEMO_TEXT.split(" ").length],
  logprobsText: DEMO_TEXT,
  object: { city: "Paris", temp_c: 21, tags: ["demo tags"] },
  failure: { status: 500, message: OUT_OF_WORDS },
  midstream: { text: "This is ", message: OUT_OF_WORDS },
  scenes: new Set(["limited", "busy"]),
  tellsWhenToRetry: true,
  serve: (scene) =>
    serveModels({ demo: /^(failure|limited|busy)/.test(scene) ? new FaultyDemo(scene) : new DemoChatModel() }),
  watch: (begun) => watchModel("demo", new SlowDemo(begun)),
};

const WEATHER = { city: "Paris", temp_c: 21, tags: ["sunny", "dry"] };

const scripted: MatrixServer = {
  name: "a scripted model",
  model: "scripted",
  prompts: {
    text: "text",
    tools: "both_tools",
    "tool loop": "tool",
    "structured output": "json",
  },
  text: SCRIPTED_TEXT,
  tokens: [5, 7],
  logprobsText: SCRIPTED_TEXT,
  object: WEATHER,
  failure: { status: 500, message: OUT_OF_WORDS },
  midstream: { text: "Hello ", message: OUT_OF_WORDS },
  scenes: new Set(["limited", "busy"]),
  tellsWhenToRetry: true,
  serve(scene) {
    if (!/^(failure|limited|busy)/.test(scene)) return serveModels({ scripted: ScriptedChatModel });
    const words = scene === "failure midstream" ? SCRIPTED_TOKENS.slice(0, 2) : [];
    return serveModels({ scripted: new FailingChatModel((calls) => errorOf(scene, calls), words) });
  },
  watch: (begun) => watchModel("scripted", new WatchedModel(begun)),
};

const RECORDINGS: Readonly<Record<Scene, readonly string[]>> = {
  text: ["chat_nonstream"],
  stream: ["chat_stream"],
  tools: ["tools_two"],
  "tools stream": ["tools_two_stream"],
  "tool loop": ["tools_one", "tools_result"],
  "tool loop stream": ["tools_one_stream", "tools_result_stream"],
  "structured output": ["format_schema"],
  n: ["chat_nonstream", "chat_nonstream"],
  logprobs: ["logprobs"],
  failure: ["load_failure"],
  "failure stream": ["load_failure_stream"],
  "failure midstream": ["runner_killed_midstream"],
  limited: [],
  "limited stream": [],
  busy: ["queue_full", "chat_nonstream"],
  "busy stream": ["queue_full", "chat_stream"],
};

const ollama: MatrixServer = {
  name: "Ollama",
  model: OLLAMA_MODEL,
  prompts: {
    text: "Hi there",
    tools: "What are weather and time in Zürich?",
    "tool loop": "What is the weather in Paris?",
    "structured output": "What is the weather in Paris?",
  },
  text: "Hello from a scripted model. How can I help you today?",
  tokens: [2, 19],
  logprobsText: "Hello from a",
  object: WEATHER,
  failure: { status: 502, message: "error loading model" },
  midstream: { text: "tick tock", message: "unexpected EOF" },
  scenes: new Set(["busy"]),
  tellsWhenToRetry: false,
  serve: (scene) => serveOllama("head", RECORDINGS[scene]),
  async watch(begun) {
    const upstream = await startFakeUpstream([
      begun ? ndjson([{ message: { role: "assistant", content: "Hel" }, done: false }], { end: "stall" }) : ["stall"],
    ]);
    const client = new OllamaClient({ host: upstream.url, retries: 0 });
    const served = await serveModels({ [OLLAMA_MODEL]: new OllamaChatModel({ model: OLLAMA_MODEL, client }) });
    const asked = upstream.requested(1);
    return {
      served,
      asked,
      stopped: asked.then(() => upstream.allClosed()),
      async [Symbol.asyncDispose]() {
        await served[Symbol.asyncDispose]();
        await upstream[Symbol.asyncDispose]();
      },
    };
  },
};

/** The servers. */
export const SERVERS: readonly MatrixServer[] = [demo, scripted, ollama];
