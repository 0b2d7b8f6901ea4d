/** Errors of models themselves, and of the server that runs them. */
import type { AppOptions, ResponseStore, StoredAnswer } from "../../../serve.ts";
import { ChatModel, type ModelContext, OverloadedError, type PredictPart } from "../../../mod.ts";
import { post as wirePost } from "../_wire.ts";
import type { Scenario } from "./_scenario.ts";
import { serve, type Served, serveOllamaAt } from "./_served.ts";

/** Says something, or nothing, and then fails. */
class Failing extends ChatModel {
  readonly #tokens: readonly PredictPart[];
  readonly #fail: (context: ModelContext) => unknown;

  constructor(tokens: readonly PredictPart[], fail: (context: ModelContext) => unknown) {
    super();
    this.#tokens = tokens;
    this.#fail = fail;
  }

  override async *predictStream(context: ModelContext): AsyncGenerator<PredictPart> {
    yield* this.#tokens;
    await this.#fail(context);
  }
}

/** A server whose model fails, at once and after a token. */
function failing(fail: () => unknown): Pick<Scenario, "start" | "late" | "chat"> {
  return {
    chat: {},
    start: () => serve({ failing: new Failing([], fail) }),
    late: () => serve({ failing: new Failing(["One "], fail) }),
  };
}

/** A server whose model falls silent, within limits. */
const silent = (limits: AppOptions, ...tokens: readonly PredictPart[]) => (): Promise<Served> =>
  serve({ silent: new Failing(tokens, stopped) }, limits);

/** Rejects when the call is given up. */
function stopped({ signal }: ModelContext): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

/** A server that is told to stop while it answers. */
const stopping = (...tokens: readonly PredictPart[]) => (): Promise<Served> =>
  serve((app) => ({
    stopping: new Failing(tokens, (context) => {
      const stop = new OverloadedError("Cannot finish the answer: the server stops", { code: "server_stopping" });
      // Not before the token before it is on its way.
      setTimeout(() => app().abort(stop), 20);
      return stopped(context);
    }),
  }));

/** A server whose store answers as told. */
const withStore = (get: () => StoredAnswer) => (): Promise<Served> => {
  const responseStore: ResponseStore = {
    get,
    set() {},
    delete: () => false,
    list: () => ({ data: [], hasMore: false }),
  };
  return serve({ failing: new Failing(["Fine"], () => {}) }, { responseStore });
};

const NEXT_RESPONSE = wirePost("/v1/responses", '{"input":"Hi","previous_response_id":"resp_1"}');

/** By code, and by what leads to it. */
export const MODEL_SCENARIOS: readonly Scenario[] = [
  {
    code: "model_error",
    when: "the model throws",
    ...failing(() => {
      throw new RangeError("Weights are missing");
    }),
  },
  {
    code: "cancelled",
    when: "the model gives the call up",
    ...failing(() => {
      throw new DOMException("Enough of this", "AbortError");
    }),
  },
  {
    code: "invalid_model_output",
    when: "the model gives what is no part of an answer",
    chat: {},
    start: () => serve({ odd: new Failing([{ tool_calls: [{ index: -1 }] }], () => {}) }),
    late: () => serve({ odd: new Failing(["One ", { tool_calls: [{ index: -1 }] }], () => {}) }),
  },
  {
    code: "first_token_timeout",
    when: "the model says nothing in time",
    chat: {},
    start: silent({ firstTokenTimeout: 50 }),
  },
  {
    code: "idle_timeout",
    when: "the model falls silent",
    chat: {},
    early: false,
    start: silent({ idleTimeout: 50 }, "One "),
    late: silent({ idleTimeout: 50 }, "One "),
  },
  {
    code: "timeout",
    when: "the answer takes too long",
    chat: {},
    start: silent({ timeout: 50 }),
    late: silent({ timeout: 50 }, "One "),
  },
  { code: "server_stopping", when: "the server stops", chat: {}, start: stopping(), late: stopping("One ") },
  {
    code: "chunk_too_long",
    when: "a value is too long for a frame",
    late: () => serve({ long: new Failing(["One ", { custom_outputs: { long: "x".repeat(100_000) } }], () => {}) }),
  },
  {
    code: "permission_denied",
    when: "the address of Ollama may not be called",
    permissions: { net: ["127.0.0.1"] },
    start: () => serveOllamaAt("http://127.0.0.2:11434"),
    chat: {},
  },
  {
    code: "store_error",
    when: "the store fails",
    start: withStore(() => {
      throw new Error("The disk is full");
    }),
    wire: NEXT_RESPONSE,
  },
  {
    code: "invalid_stored_response",
    when: "the store gives something else than it got",
    start: withStore(() => ({
      id: "resp_1",
      object: "response",
      created: 0,
      model: "failing",
      metadata: {},
      body: { output: [{ type: "message", role: "stranger" }] },
      input: [],
    })),
    wire: NEXT_RESPONSE,
  },
];
