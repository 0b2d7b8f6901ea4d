/** Errors of requests that are not let in: by keys, by hosts, by limits. */
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import { ChatModel } from "../../../mod.ts";
import type { AppOptions } from "../../../serve.ts";
import { type ApiKey, ApiKeys, hashSecret } from "../../../serving/access/mod.ts";
import { Admission, type LimitStore } from "../../../serving/limits/mod.ts";
import { plain, post as wirePost } from "../_wire.ts";
import { invocation } from "./_form_scenarios.ts";
import type { Scenario } from "./_scenario.ts";
import { serve, type Served } from "./_served.ts";

const SECRET = `sk-${"a1B2".repeat(12)}`;
const CHAT = "/v1/chat/completions";
const HELLO = '{"messages":[{"role":"user","content":"Hello"}]}';

/** A server with one key, and what is different about it. */
const guarded = (key: Partial<ApiKey> = {}, options: AppOptions = {}) => (): Promise<Served> =>
  serve({ demo: DemoChatModel }, {
    apiKeys: new ApiKeys([{ name: "ci", sha256: hashSecret(SECRET), ...key }]),
    admission: new Admission(),
    ...options,
  });

/** The request with the key. */
function withKey(request: string): string {
  return request.replace("\r\n\r\n", `\r\nauthorization: Bearer ${SECRET}\r\n\r\n`);
}

/** Asks once before, which uses the limit up. */
const second = (request: string) => async ({ port }: Served): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${port}${CHAT}`, {
    method: "POST",
    headers: { authorization: `Bearer ${SECRET}` },
    body: HELLO,
  });
  await response.body?.cancel();
  return withKey(request);
};

class Lost implements LimitStore {
  reserve(): Promise<never> {
    return Promise.reject(new Error("Connection refused"));
  }

  settle(): void {}

  refund(): void {}
}

/** Answers when it is told to. */
class Waiting extends ChatModel {
  readonly #gate: Promise<string>;

  constructor(gate: Promise<string>) {
    super();
    this.#gate = gate;
  }

  override predict(): Promise<string> {
    return this.#gate;
  }
}

/** A server whose only place is taken. */
async function busy(): Promise<Served> {
  const admission = new Admission({ maxConcurrency: 1, maxQueue: 0 });
  const gate = Promise.withResolvers<string>();
  const served = await serve({ waiting: new Waiting(gate.promise) }, { admission });
  const first = fetch(`http://127.0.0.1:${served.port}${CHAT}`, {
    method: "POST",
    body: HELLO,
  });
  while (admission.stats()[0]?.running !== 1) await new Promise((resolve) => setTimeout(resolve, 5));
  return {
    port: served.port,
    async [Symbol.asyncDispose]() {
      gate.resolve("Done");
      await (await first).body?.cancel();
      await served[Symbol.asyncDispose]();
    },
  };
}

const LIMITED = { requestsPerMinute: 1 };

/** By code, and by what leads to it. */
export const GUARD_SCENARIOS: readonly Scenario[] = [
  {
    code: "host_not_allowed",
    when: "another host's name is asked",
    start: () => serve({ demo: DemoChatModel }, { allowedHosts: ["chat.example.com"] }),
    wire: plain("GET /v1/models").replace("localhost", "elsewhere.test"),
  },
  { code: "invalid_api_key", when: "there is no key", start: guarded(), chat: {} },
  {
    code: "invalid_api_key",
    when: "the key is not known",
    start: guarded(),
    wire: withKey(wirePost(CHAT, HELLO)).replace("a1B2", "a1B3"),
  },
  {
    code: "model_not_allowed",
    when: "the key is not for the model",
    param: "model",
    start: guarded({ models: ["other"] }),
    wire: withKey(wirePost(CHAT, HELLO)),
  },
  {
    code: "model_not_allowed",
    when: "the key is not for the model of /invocations",
    start: guarded({ models: ["other"] }),
    wire: withKey(invocation(HELLO)),
    mlflow: true,
  },
  {
    code: "request_over_limit",
    when: "a request is more than its key may use in a minute",
    start: guarded({ tokensPerMinute: 10 }),
    wire: withKey(wirePost(CHAT, HELLO)),
  },
  {
    code: "request_over_limit",
    when: "a request of /invocations is more than its key may use in a minute",
    start: guarded({ tokensPerMinute: 10 }),
    wire: withKey(invocation(HELLO)),
    mlflow: true,
  },
  {
    code: "rate_limit_exceeded",
    when: "the key has used up its requests",
    start: guarded(LIMITED),
    wire: second(wirePost(CHAT, HELLO)),
  },
  {
    code: "rate_limit_exceeded",
    when: "the key has used up its requests for /v1/responses",
    start: guarded(LIMITED),
    wire: second(wirePost("/v1/responses", '{"input":"Hello","stream":true}')),
  },
  {
    code: "rate_limit_exceeded",
    when: "the key has used up its requests for /invocations",
    start: guarded(LIMITED),
    wire: second(invocation(HELLO)),
    mlflow: true,
  },
  {
    code: "limit_store_lost",
    when: "the store that counts does not answer",
    start: guarded(LIMITED, { admission: new Admission({ store: new Lost() }) }),
    wire: withKey(wirePost(CHAT, HELLO)),
  },
  { code: "overloaded", when: "as many run and wait as may", start: busy, chat: {} },
];
