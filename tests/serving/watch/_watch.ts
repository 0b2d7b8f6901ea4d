/** What the tests of watched models share: models of which each version says who it is, servers, clients under load. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { logModel } from "@chatmodel/chat-model/models";
import { openModelRegistry } from "@chatmodel/chat-model/registry";
import { createApp, listen } from "../../../serve.ts";
import { WatchedModels, type WatchEvent, type WatchOptions } from "../../../serving/watch/mod.ts";
import type { ChatModelError } from "../../../types/mod.ts";
import { makeFolder, type TemporaryFolder } from "../../models/_folder.ts";
import { newTracking, type Tracking } from "../../tracking/fluent/support.ts";
import { ask, until } from "../_stack.ts";

/** Words of each answer: each tells the version, so that a mixed answer shows. */
export const WORDS = 6;

/** What a model of a version answers. */
export function answerOf(version: string): string {
  return Array.from({ length: WORDS }, () => version).join(" ");
}

/**
 * The source of a model that answers its version in several words, some milliseconds apart. A prompt that begins with
 * "hold" is answered without an end.
 */
export function source(version: string, { loading = "" }: { readonly loading?: string } = {}): string {
  return `import { ChatModel, type ChatMessage, type ModelContext } from "@chatmodel/chat-model";

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export default class Versioned extends ChatModel {
  override async loadContext(_context: ModelContext): Promise<void> {
    ${loading}
    await Promise.resolve();
  }

  override async *predictStream(context: ModelContext, messages: readonly ChatMessage[]) {
    const holds = String(messages.at(-1)?.content).startsWith("hold");
    for (let i = 0; holds ? !context.signal.aborted : i < ${WORDS}; i++) {
      yield (i === 0 ? "" : " ") + ${JSON.stringify(version)};
      await wait(2);
    }
  }
}
`;
}

/** A registry with versions of one model. */
export interface Registered extends AsyncDisposable {
  readonly name: string;
  readonly tracking: Tracking;
  readonly author: TemporaryFolder;
  /** Logs a version, and registers it. Gives its number. */
  add(source: string, inputExample?: unknown): Promise<string>;
  /** Lets the alias stand for a version. */
  point(version: string): Promise<void>;
  /** Removes the alias. */
  unpoint(): Promise<void>;
}

/** A new embedded store, with the alias `live` of the model `assistant`. */
export async function registered(): Promise<Registered> {
  const tracking = await newTracking();
  const author = await makeFolder({});
  const name = "assistant";
  return {
    name,
    tracking,
    author,
    async add(text, inputExample) {
      const model = join(author.path, "model.ts");
      await Deno.writeTextFile(model, text);
      const { registeredModelVersion } = await logModel({
        name,
        model,
        registeredModelName: name,
        ...(inputExample !== undefined && { inputExample }),
      });
      assert(registeredModelVersion !== undefined);
      return String(registeredModelVersion);
    },
    async point(version) {
      await using registry = openModelRegistry();
      await registry.setAlias(name, "live", version);
    },
    async unpoint() {
      await using registry = openModelRegistry();
      await registry.deleteAlias(name, "live");
    },
    async [Symbol.asyncDispose]() {
      await author[Symbol.asyncDispose]();
      await tracking[Symbol.asyncDispose]();
    },
  };
}

/** A server of watched models. */
export interface WatchServer extends AsyncDisposable {
  readonly url: string;
  readonly models: WatchedModels;
  readonly events: WatchEvent[];
  readonly errors: ChatModelError[];
  /** Kinds of all events, with their versions. */
  told(): string[];
  /** Waits until an event was told. */
  heard(line: string, times?: number): Promise<void>;
}

/** Serves one model, `assistant`, that is watched. */
export async function serveWatched(uri: string, options: WatchOptions = {}): Promise<WatchServer> {
  const events: WatchEvent[] = [];
  const errors: ChatModelError[] = [];
  const models = await WatchedModels.open(new Map([["assistant", uri]]), {
    interval: 20,
    fileInterval: 20,
    retryDelay: 60_000,
    onEvent: (event) => events.push(event),
    ...options,
  });
  const server = await listen(createApp(models, { onError: (error) => errors.push(error) }), { port: 0 });
  const told = () => events.map(lineOf);
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    models,
    events,
    errors,
    told,
    heard: (line, times = 1) =>
      until(() => told().filter((each) => each === line).length >= times, `${line}, but heard ${told()}`),
    async [Symbol.asyncDispose]() {
      server.shutdown();
      await server.finished;
      await models.close();
    },
  };
}

/** An event in a few words. */
export function lineOf(event: WatchEvent): string {
  const to = "to" in event ? ` ${event.to}` : "";
  return `${event.kind} ${event.from}${to}`;
}

/** Says what the server answers now, wholly. */
export async function answerNow(server: { readonly url: string }, stream = false): Promise<string> {
  const { status, content, error } = await ask(server, { model: "assistant", stream });
  assertEquals([status, error], [200, undefined]);
  return content;
}

/** Clients that ask all the time. */
export interface Load {
  /** Answers so far. */
  readonly answers: readonly string[];
  /** What went wrong. */
  readonly failures: readonly unknown[];
  /** Waits until a client has had this answer: on a busy machine the first may come after a move. */
  met(answer: string): Promise<void>;
  /** Has all clients ask on until it is so. */
  stop(): Promise<void>;
}

/** Lets clients ask, every other one for a stream, until they are stopped. */
export function startLoad(server: { readonly url: string }, clients = 6): Load {
  const answers: string[] = [];
  const failures: unknown[] = [];
  let isStopped = false;
  const running = Array.from({ length: clients }, async (_, i) => {
    for (let turn = i; !isStopped; turn++) {
      try {
        answers.push(await answerNow(server, turn % 2 === 0));
      } catch (error) {
        failures.push(error);
      }
    }
  });
  return {
    answers,
    failures,
    met: (answer) => until(() => answers.includes(answer), `a client's answer "${answer}"`),
    async stop() {
      isStopped = true;
      await Promise.all(running);
    },
  };
}
