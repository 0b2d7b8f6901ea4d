/** What every client must be able to do with every server, told once. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { recordDelays } from "./_delays.ts";
import { type MatrixServer, SERVERS } from "./_matrix_servers.ts";

/** The columns. */
export const CAPABILITIES = [
  "text",
  "stream",
  "tools",
  "tool loop",
  "structured output",
  "n",
  "logprobs",
  "errors",
  "abort",
  "retries",
] as const;

/** One of {@linkcode CAPABILITIES}. */
export type Capability = typeof CAPABILITIES[number];

/** What a client is asked to do. */
export interface Asked {
  /** Base URL of the server, with `/v1`. */
  readonly baseURL: string;
  readonly model: string;
  readonly prompt: string;
  /** How often to try again; 0 unless told otherwise. */
  readonly maxRetries: number;
  /** A temperature, for one that no server takes. */
  readonly temperature?: number;
  readonly signal?: AbortSignal;
  /** Told of each piece of a streamed text. */
  readonly onPiece?: (piece: string) => void;
}

/** What a client says of an answer. */
export interface Said {
  readonly text: string;
  /** Why it ended, in the client's own word. */
  readonly finish: string | null | undefined;
  /** Tokens of prompt and answer. */
  readonly tokens: readonly unknown[];
}

/** A tool call as a client gives it. */
export interface Called {
  readonly name: string;
  readonly input: unknown;
}

/** What a client throws. */
export interface Thrown {
  /** Name of the error's class. */
  readonly kind: string;
  readonly status: number | undefined;
  readonly message: string;
}

/** How a client throws what went wrong. */
export interface Errors {
  /** For 400. */
  readonly badRequest: string;
  /** For 404. */
  readonly notFound: string;
  /** For 500 and more. */
  readonly failure: string;
  /** For a failure in the middle of a stream. */
  readonly midstream: string;
}

/** A client. What it cannot do has the reason in place of the function. */
export interface Client {
  /** Title of its row. */
  readonly name: string;
  /** Where it asks. */
  readonly path: "/v1/chat/completions" | "/v1/responses";
  text(asked: Asked): Promise<Said>;
  stream(asked: Asked): Promise<Said>;
  /** Calls of `get_weather` and `get_time`, not answered. */
  tools(asked: Asked, options: { readonly stream: boolean }): Promise<readonly Called[]>;
  /** Has `get_weather` called until there is a text; the tool is given its input. */
  toolLoop(asked: Asked, tool: (input: unknown) => string, options: { readonly stream: boolean }): Promise<string>;
  /** An object of `city`, `temp_c` and `tags`. */
  structured(asked: Asked, options: { readonly stream: boolean }): Promise<unknown>;
  /** Why it cannot do that streamed, if it cannot. */
  readonly structuredWholeOnly?: string;
  /** Two answers. */
  readonly n: string | ((asked: Asked) => Promise<readonly string[]>);
  /** The tokens of a text that have log probabilities. */
  readonly logprobs: string | ((asked: Asked) => Promise<readonly string[]>);
  /** Reads what it threw. */
  describe(error: unknown): Thrown;
  readonly errors: Errors;
  /** The word for an answer that came to its end. */
  readonly stop: string;
  readonly retries: {
    /** Milliseconds that it waits when the server says 37 in `retry-after-ms` with 429 and with 503. */
    readonly waits: readonly [limited: number | undefined, busy: number | undefined];
    /** Whether it heeds `x-should-retry: false`. */
    readonly heedsFinal: boolean;
  };
}

/** Name of the test of a cell. */
export function cellName(client: string, capability: Capability, server: string): string {
  return `${client} can do ${capability} with ${server}`;
}

/**
 * Tests a client with every server: a test a cell.
 *
 * @param client The client.
 */
export function testClient(client: Client): void {
  for (const capability of CAPABILITIES) {
    if (reasonAgainst(client, capability) !== undefined) continue;
    for (const server of SERVERS) {
      Deno.test(cellName(client.name, capability, server.name), () => CHECKS[capability](client, server));
    }
  }
}

/** Why a client cannot do a thing; `undefined` if it can. */
export function reasonAgainst(client: Client, capability: Capability): string | undefined {
  if (capability !== "n" && capability !== "logprobs") return undefined;
  const can = client[capability];
  return typeof can === "string" ? can : undefined;
}

type Check = (client: Client, server: MatrixServer) => Promise<void>;

const CHECKS: Readonly<Record<Capability, Check>> = {
  async text(client, server) {
    await using served = await server.serve("text");
    const said = await client.text(ask(served.url, server, "text"));
    assertEquals(said, { text: server.text, finish: client.stop, tokens: server.tokens });
    assertEquals(served.requestPaths, [client.path]);
  },

  async stream(client, server) {
    await using served = await server.serve("stream");
    const pieces: string[] = [];
    const said = await client.stream({ ...ask(served.url, server, "text"), onPiece: (piece) => pieces.push(piece) });
    assertEquals(said, { text: server.text, finish: client.stop, tokens: server.tokens });
    assertEquals(pieces.join(""), server.text);
    assert(pieces.length > 5, `${pieces.length} pieces`);
    assertEquals(served.requestPaths, [client.path]);
  },

  async tools(client, server) {
    for (const stream of [false, true]) {
      await using served = await server.serve(stream ? "tools stream" : "tools");
      const calls = await client.tools(ask(served.url, server, "tools"), { stream });
      assertEquals(calls.map(({ name }) => name), ["get_weather", "get_time"]);
      assertEquals(calls.map(({ input }) => [memberOf(input, "city"), memberOf(input, "tz")]), [
        ["Zürich", undefined],
        [undefined, "Europe/Zurich"],
      ]);
    }
  },

  async "tool loop"(client, server) {
    for (const stream of [false, true]) {
      await using served = await server.serve(stream ? "tool loop stream" : "tool loop");
      const cities: unknown[] = [];
      const text = await client.toolLoop(ask(served.url, server, "tool loop"), (input) => {
        cities.push(memberOf(input, "city"));
        return "21 degrees";
      }, { stream });
      assertEquals(cities, ["Paris"]);
      assert(text.includes("21 degrees"), text);
      assertEquals(served.requestHeaders.length, 2);
    }
  },

  async "structured output"(client, server) {
    for (const stream of client.structuredWholeOnly === undefined ? [false, true] : [false]) {
      await using served = await server.serve("structured output");
      const given = await client.structured(ask(served.url, server, "structured output"), { stream });
      assertEquals(given, server.object);
    }
  },

  async n({ n }, server) {
    assert(typeof n === "function");
    await using served = await server.serve("n");
    const texts = await n(ask(served.url, server, "text"));
    assertEquals(texts.length, 2);
    for (const text of texts) assert(text.endsWith(server.text), text);
  },

  async logprobs({ logprobs }, server) {
    assert(typeof logprobs === "function");
    await using served = await server.serve("logprobs");
    const tokens = await logprobs(ask(served.url, server, "text"));
    assert(tokens.length > 3, `${tokens.length} tokens`);
    assertEquals(tokens.join(""), server.logprobsText);
  },

  async errors(client, server) {
    const { badRequest, notFound, failure, midstream } = client.errors;
    for (const stream of [false, true]) {
      const run = (asked: Asked) => stream ? client.stream(asked) : client.text(asked);
      await using served = await server.serve("text");
      const asked = ask(served.url, server, "text");
      const wrong = await thrownBy(client, () => run({ ...asked, temperature: 5 }));
      assertEquals([wrong.kind, wrong.status], [badRequest, 400]);
      assert(wrong.message.includes('"temperature": Expected a number from 0 to 2'), wrong.message);
      const missing = await thrownBy(client, () => run({ ...asked, model: "no-such-model" }));
      assertEquals([missing.kind, missing.status], [notFound, 404]);
      assert(missing.message.includes('Cannot find model "no-such-model"'), missing.message);

      await using failing = await server.serve(stream ? "failure stream" : "failure");
      const failed = await thrownBy(client, () => run(ask(failing.url, server, "text")));
      assertEquals([failed.kind, failed.status], [failure, server.failure.status]);
      assert(failed.message.includes(server.failure.message), failed.message);
    }
    await using faltering = await server.serve("failure midstream");
    let text = "";
    const asked = { ...ask(faltering.url, server, "text"), onPiece: (piece: string) => text += piece };
    const broken = await thrownBy(client, () => client.stream(asked));
    assertEquals(broken.kind, midstream);
    assert(broken.message.includes(server.midstream.message), broken.message);
    assert(text.startsWith(server.midstream.text), text);
  },

  async abort(client, server) {
    for (const begun of [false, true]) {
      for (const stream of begun ? [true] : [false, true]) {
        const controller = new AbortController();
        await using watched = await server.watch(begun);
        const asked: Asked = {
          ...ask(watched.served.url, server, "text"),
          signal: controller.signal,
          onPiece: () => controller.abort(),
        };
        const answering = stream ? client.stream(asked) : client.text(asked);
        // Of a stream some clients reject, others end: either way, the model must hear of it.
        const left = answering.then(() => "ended", () => "rejected");
        if (!begun) {
          await watched.asked;
          controller.abort();
        }
        const outcome = await left;
        if (!stream) assertEquals(outcome, "rejected");
        await watched.stopped;
        assertEquals(watched.served.errors, []);
      }
    }
  },

  async retries(client, server) {
    const { waits: [limitedWait, busyWait], heedsFinal } = client.retries;
    for (const [scene, wait] of [["limited", limitedWait], ["busy", busyWait]] as const) {
      if (!server.scenes.has(scene)) continue;
      for (const stream of [false, true]) {
        await using served = await server.serve(stream ? `${scene} stream` : scene);
        const asked = { ...ask(served.url, server, "text"), maxRetries: 1 };
        const { value: said, delays } = await recordDelays(() => stream ? client.stream(asked) : client.text(asked));
        assertEquals(said.text, server.text);
        assertEquals(served.requestHeaders.length, 2);
        if (wait !== undefined && server.tellsWhenToRetry) assert(delays.includes(wait), `${scene}: waits ${delays}`);
      }
    }
    await using failing = await server.serve("failure");
    const asked = { ...ask(failing.url, server, "text"), maxRetries: 1 };
    await recordDelays(() => assertRejects(() => client.text(asked)));
    assertEquals(failing.requestHeaders.length, heedsFinal ? 1 : 2, "requests, where the server says it is final");
  },
};

function ask(url: string, server: MatrixServer, prompt: keyof MatrixServer["prompts"]): Asked {
  return { baseURL: `${url}/v1`, model: server.model, prompt: server.prompts[prompt], maxRetries: 0 };
}

async function thrownBy(client: Client, run: () => Promise<unknown>): Promise<Thrown> {
  return client.describe(await assertRejects(run));
}

/** A member of a value of which nothing is known; `undefined` if there is none. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
