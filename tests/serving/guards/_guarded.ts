/** A server with keys, limits and watchers, on a real socket. */
import { assertEquals, assertMatch } from "@std/assert";
import {
  type ChatMessage,
  ChatModel,
  ChatModelError,
  type ChatParams,
  CustomModel,
  type ModelContext,
  type PredictPart,
  type PredictResult,
} from "../../../mod.ts";
import { type ApiKey, ApiKeys, hashSecret } from "../../../serving/access/mod.ts";
import type { RequestRecord } from "../../../serving/request_record.ts";
import { type App, type AppModels, type AppOptions, createApp, listen, type ModelDirectory } from "../../../serve.ts";

/** Secrets of keys, by their names. */
export const SECRETS = {
  all: `sk-${"a1B2".repeat(12)}`,
  parrot: `sk-${"Zz9y".repeat(12)}`,
  limited: `sk-${"L1m7".repeat(12)}`,
} as const;

/** A key of that name, and what is different about it. */
export function key(name: keyof typeof SECRETS, members: Partial<ApiKey> = {}): ApiKey {
  return { name, sha256: hashSecret(SECRETS[name]), ...members };
}

/** A key for all models, and one for the model `parrot`. */
export const TWO_KEYS: ApiKeys = new ApiKeys([key("all"), key("parrot", { models: ["parrot"] })]);

/** Repeats what it hears, says what it cost, and makes vectors. */
export class Parrot extends ChatModel {
  override predict(_context: ModelContext, messages: readonly ChatMessage[]): PredictResult {
    return { content: `${messages.at(-1)?.content}`, usage: { prompt_tokens: 10, completion_tokens: 20 } };
  }

  override embed(_context: ModelContext, texts: readonly string[]): number[][] {
    return texts.map(() => [1, 0]);
  }
}

/** Answers what is no conversation. */
export class Doubler extends CustomModel {
  override predict(_context: ModelContext, input: unknown): string {
    return `${input}${input}`;
  }
}

/** A model whose calls end when they are told to. */
export class Held extends ChatModel {
  /** Calls that began, by what they were asked. */
  readonly begun: string[] = [];
  /** Those that run. */
  running = 0;
  /** Most that ran at once. */
  most = 0;
  readonly #waiting: (() => void)[] = [];
  #onBegin: (() => void) | undefined;

  override async *predictStream(
    { signal }: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncGenerator<PredictPart> {
    const asked = String(messages.at(-1)?.content);
    this.begun.push(asked);
    this.most = Math.max(this.most, ++this.running);
    this.#onBegin?.();
    try {
      if (params.stream) yield "word ";
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        signal.addEventListener("abort", () => reject(signal.reason));
      });
      yield asked;
    } finally {
      this.running--;
    }
  }

  /** Ends the call that has run longest. */
  release(): void {
    this.#waiting.shift()?.();
  }

  /** Resolves when so many calls have begun. */
  async began(count: number): Promise<void> {
    while (this.begun.length < count) await new Promise<void>((resolve) => this.#onBegin = resolve);
  }
}

/** Fails as it is told to. */
export class Failing extends ChatModel {
  readonly #fail: () => never;

  constructor(options: ConstructorParameters<typeof ChatModelError>[1]) {
    super();
    this.#fail = () => {
      throw new ChatModelError("Cannot answer: this is a test", options);
    };
  }

  override predict(): PredictResult {
    return this.#fail();
  }
}

/** A running server. */
export interface Guarded extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly app: App;
  /** What was told of requests that are over. */
  readonly records: RequestRecord[];
  /** Resolves when so many requests are over, with what was told of them. */
  ended(count: number): Promise<readonly RequestRecord[]>;
  /** Errors that were reported. */
  readonly errors: ChatModelError[];
}

/** Starts a server. */
export async function guarded(models: AppModels | ModelDirectory, options: AppOptions = {}): Promise<Guarded> {
  const records: RequestRecord[] = [];
  const errors: ChatModelError[] = [];
  let onRecord = () => {};
  const app = createApp(models, {
    onError: (error) => errors.push(error),
    ...options,
    onRequest(record) {
      options.onRequest?.(record);
      records.push(record);
      onRecord();
    },
  });
  const server = await listen(app, { port: 0 });
  const { port } = server.addr;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    app,
    records,
    errors,
    async ended(count) {
      while (records.length < count) await new Promise<void>((resolve) => onRecord = resolve);
      return records;
    },
    async [Symbol.asyncDispose]() {
      server.shutdown();
      await server.finished;
    },
  };
}

/** An answer that has been read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, parsed. */
  // deno-lint-ignore no-explicit-any -- tests look at bodies of many shapes
  readonly json: any;
}

/** How to ask. */
export interface Asking {
  readonly method?: string;
  readonly body?: unknown;
  /** Whose key goes with it. Default: none. */
  readonly as?: keyof typeof SECRETS;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Asks, and reads the answer. */
export async function ask({ url }: { readonly url: string }, path: string, asking: Asking = {}): Promise<Answer> {
  const response = await open({ url }, path, asking);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

/** Asks, and gives the answer before its body has come. */
export function open({ url }: { readonly url: string }, path: string, asking: Asking = {}): Promise<Response> {
  const { body, as, headers = {}, signal, method = body === undefined ? "GET" : "POST" } = asking;
  return fetch(`${url}${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...(as !== undefined && { authorization: `Bearer ${SECRETS[as]}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The body of a chat. */
export function chat(content: string, rest: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { messages: [{ role: "user", content }], ...rest };
}

/** Where chats are asked for. */
export const CHAT = "/v1/chat/completions";

/** Checks that an answer is an error in OpenAI's form, which holds no key. */
export function assertRefused(answer: Answer, status: number, code: string, param: string | null = null): void {
  assertEquals(answer.status, status, answer.text);
  assertEquals(Object.keys(answer.json), ["error"]);
  const { message, ...rest } = answer.json.error;
  assertEquals(rest, { type: new ChatModelError("", { code }).type, param, code });
  assertMatch(message, /^[A-Z].{14,}[^.]$/);
  for (const secret of Object.values(SECRETS)) assertEquals(answer.text.includes(secret.slice(3)), false);
}
