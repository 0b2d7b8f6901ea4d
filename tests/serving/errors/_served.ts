/** Servers that fail as they are told to, on real sockets. */
import { OllamaChatModel, OllamaClient } from "../../../adapters/ollama/mod.ts";
import { type App, type AppModels, type AppOptions, createApp, listen, type ModelDirectory } from "../../../serve.ts";
import { type Answer, startFakeUpstream } from "../../support/fake_upstream.ts";

/** A running server. */
export interface Served extends AsyncDisposable {
  readonly port: number;
}

/** Starts a server. What is made of models gets the app, to end its answers. */
export async function serve(
  models: AppModels | ModelDirectory | ((app: () => App) => AppModels),
  options: AppOptions = {},
): Promise<Served> {
  const app: App = createApp(typeof models === "function" ? models(() => app) : models, {
    onError() {},
    ...options,
  });
  const server = await listen(app, { port: 0 });
  return {
    port: server.addr.port,
    async [Symbol.asyncDispose]() {
      server.shutdown();
      await server.finished;
    },
  };
}

/** What a fake Ollama answers. */
export interface OllamaAnswers {
  /** Where it is asked for the answer in one piece. */
  readonly whole: Answer;
  /** Where it is asked to stream. @default {whole} */
  readonly lines?: Answer;
}

/** Starts a server before a fake Ollama. */
export async function serveOllama({ whole, lines = whole }: OllamaAnswers): Promise<Served> {
  const upstream = await startFakeUpstream(({ body }) => JSON.parse(body).stream ? lines : whole);
  const served = await serveOllamaAt(upstream.url);
  return {
    port: served.port,
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]();
      await served[Symbol.asyncDispose]();
    },
  };
}

/** Starts a server before an Ollama that is said to be at an address. */
export async function serveOllamaAt(host: string): Promise<Served> {
  return await serve({ plain: new OllamaChatModel({ model: "plain", client: new OllamaClient({ host }) }) });
}
