/** A model that answers as its scripts say, so that each form of an answer can be had. */
import {
  type ChatMessage,
  ChatModel,
  ChatModelError,
  type ChatParams,
  type ModelContext,
  OverloadedError,
} from "../../mod.ts";
import type { AnswerPart, PredictPart } from "../../streaming/mod.ts";

/** What a script gives. */
export type Script = (params: ChatParams, messages: readonly ChatMessage[]) => Iterable<PredictPart>;

/** What the scripted model says where nothing else is asked for. */
export const SCRIPTED_TEXT = "Hello from the script. All is well.";

/** The tokens of {@linkcode SCRIPTED_TEXT}. */
export const SCRIPTED_TOKENS: readonly string[] = ["Hello ", "from ", "the ", "script. ", "All ", "is ", "well."];

const USAGE = { prompt_tokens: 5, completion_tokens: 7 };

function bytesOf(token: string): number[] {
  return [...new TextEncoder().encode(token)];
}

function logprobOf(token: string, top: number) {
  const own = { token, logprob: -0.25, bytes: bytesOf(token) };
  const others = [own, { token: "no text", logprob: -9999, bytes: null }];
  return { ...own, top_logprobs: others.slice(0, top) };
}

function* text({ logprobs, top_logprobs = 0, n = 1 }: ChatParams): Generator<PredictPart> {
  for (let index = 0; index < n; index++) {
    for (const token of SCRIPTED_TOKENS) {
      const part: AnswerPart = { index, content: token };
      yield logprobs === true ? { ...part, logprobs: { content: [logprobOf(token, top_logprobs)] } } : part;
    }
  }
  yield { usage: { ...USAGE, completion_tokens: 7 * n } };
}

function call(name: string, fragments: readonly string[], options: { index?: number; id?: string } = {}): AnswerPart[] {
  const { index = 0, id = `call_${name}` } = options;
  return [
    { tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] },
    ...fragments.map((fragment) => ({ tool_calls: [{ index, function: { arguments: fragment } }] })),
  ];
}

const WEATHER = ['{"ci', 'ty":"Par', 'is"}'];

/** The scripts by the word that asks for them: the first of the last user's message. */
export const SCRIPTS: { readonly [scene: string]: Script } = {
  text,
  *without_usage() {
    yield* SCRIPTED_TOKENS;
  },
  empty: () => [],
  *length() {
    yield "Hello from";
    yield { finish_reason: "length", usage: USAGE };
  },
  *filtered() {
    yield { content: "Hel", finish_reason: "content_filter" };
  },
  *refusal() {
    yield { content: null };
    yield { refusal: "I cannot " };
    yield { refusal: "say that.", usage: USAGE };
  },
  *refusal_logprobs() {
    yield { content: null };
    yield { refusal: "No.", logprobs: { refusal: [{ token: "No.", logprob: 0, bytes: null, top_logprobs: [] }] } };
  },
  *reasoning() {
    yield { reasoning: "Let me " };
    yield { reasoning_content: "think." };
    yield { content: "42" };
    yield { usage: { ...USAGE, completion_tokens_details: { reasoning_tokens: 3, audio_tokens: 0 } } };
  },
  *tool() {
    yield* call("get_weather", WEATHER);
    yield { usage: USAGE };
  },
  *text_then_tool() {
    yield "Let me look. ";
    yield* call("get_weather", WEATHER);
  },
  *both_tools() {
    yield* call("get_weather", ['{"city":', '"Zürich"}']);
    yield* call("get_time", ['{"tz":"Europe', '/Zurich"}'], { index: 1 });
    yield { usage: USAGE };
  },
  *parallel() {
    yield* call("get_weather", WEATHER);
    yield* call("get_time", ["{}"], { index: 1 });
    yield { usage: USAGE };
  },
  *custom_tool() {
    yield { tool_calls: [{ index: 0, id: "call_1", type: "custom", custom: { name: "shell", input: "" } }] };
    yield { tool_calls: [{ index: 0, custom: { input: "ls -l" } }] };
  },
  *function_call() {
    yield { function_call: { name: "get_weather", arguments: "" } };
    yield { function_call: { arguments: '{"city":"Paris"}' } };
  },
  *json() {
    yield '{"city": "Paris", "temp_c": 21, ';
    yield '"tags": ["sunny", "dry"]}';
    yield { usage: USAGE };
  },
  *annotations() {
    const url_citation = { start_index: 0, end_index: 2, url: "https://example.com/", title: "Example" };
    yield { content: "Hi", annotations: [{ type: "url_citation", url_citation }] };
  },
  *audio() {
    yield { content: null, audio: { id: "audio_1", expires_at: 1_800_000_000, data: "AAAA", transcript: "Hi" } };
  },
  *outputs() {
    yield { content: "Hi", custom_outputs: { score: 1 } };
  },
  *envelope() {
    const chunk = { id: "chatcmpl-own", created: 1_700_000_000, model: "own", system_fingerprint: "fp_1" };
    yield { ...chunk, choices: [{ delta: { content: "Hi" } }] };
    yield {
      ...chunk,
      service_tier: "default",
      choices: [],
      usage: { ...USAGE, prompt_tokens_details: { cached_tokens: 2, audio_tokens: 0 } },
    };
  },
  *long() {
    yield "🦕 ".repeat(10_000);
  },
};

/** Answers as its scripts say; the first word of the last user's message chooses. */
export class ScriptedChatModel extends ChatModel {
  override readonly name = "scripted";
  /** How often it was asked. */
  calls = 0;

  override *predictStream(
    _context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): Generator<PredictPart> {
    this.calls++;
    const last = messages.at(-1);
    if (last?.role === "tool") {
      yield "The tool said ";
      yield { content: textOf(last), usage: USAGE };
      return;
    }
    const prompt = textOf(messages.findLast(({ role }) => role === "user"));
    const script = SCRIPTS[prompt.split(" ")[0] ?? ""] ?? text;
    yield* script(params, messages);
  }
}

/** Fails before the first word, or after it. */
export class FailingChatModel extends ChatModel {
  override readonly name = "failing";
  /** How often it was asked. */
  calls = 0;
  readonly #fail: (calls: number) => unknown;
  readonly #words: readonly string[];

  /**
   * @param fail Makes the error of a request; `undefined` to answer it. Told how many came before.
   * @param words What is said before the failure.
   */
  constructor(fail: (calls: number) => unknown, words: readonly string[] = []) {
    super();
    this.#fail = fail;
    this.#words = words;
  }

  override async *predictStream(): AsyncGenerator<PredictPart> {
    const error = this.#fail(this.calls++);
    if (error === undefined) {
      yield* SCRIPTED_TOKENS;
      yield { usage: USAGE };
      return;
    }
    for (const word of this.#words) {
      yield word;
      // Another task in between, so that the words are on their way when it fails.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    throw error;
  }
}

/** Errors that a model may throw, with the status that comes of them. */
export const FAILURES: readonly { readonly make: () => unknown; readonly status: number; readonly code: string }[] = [
  { make: () => new RangeError("out of words"), status: 500, code: "model_error" },
  { make: () => new OverloadedError("Cannot answer: too much to do"), status: 503, code: "overloaded" },
  {
    make: () =>
      new ChatModelError("Cannot answer: too many requests", {
        status: 429,
        code: "rate_limit_exceeded",
        retryable: true,
        retryAfter: 37,
      }),
    status: 429,
    code: "rate_limit_exceeded",
  },
];

/** The text of a message. */
export function textOf(message: ChatMessage | undefined): string {
  const content = message?.content;
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => part.type === "text" ? part.text : "").join("");
}
