import { DemoChatModel } from "../adapters/demo/mod.ts";
import { OllamaClient, OllamaModels } from "../adapters/ollama/mod.ts";
import { loadChatModel } from "../loaded_chat_model.ts";
import { LoadedCustomModel } from "../loaded_custom_model.ts";
import { ChatModelError, OverloadedError } from "../types/mod.ts";
import { type App, createApp } from "./app.ts";
import { CommandError } from "../_command_error.ts";
import type { AppModels, ModelDirectory } from "./directory.ts";
import { HELP, parseFlags, type ServeFlags } from "./_flags.ts";
import { loadSpecs } from "./_model_spec.ts";
import { listen, type ListeningServer } from "./listen.ts";
import { VERSION } from "../_version.ts";

/** Milliseconds that running answers get to finish after Ctrl-C. */
const GRACE = 10_000;

/** Milliseconds that clients get to take the end of their answers, before their connections are closed. */
const CLOSING_TIME = 1_000;

/** Milliseconds in which an Ollama has to show that it is there. */
const PROBE_TIMEOUT = 3_000;

/** The command `serve.ts`: reads flags, loads models, serves until it is told to stop. Ends the process on errors. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    const flags = parseFlags(args);
    if (flags.help) return print(HELP.trimEnd());
    if (flags.version) return print(VERSION);
    await serve(flags);
  } catch (error) {
    if (!(error instanceof CommandError) && !ChatModelError.isInstance(error)) throw error;
    // One line, and nothing in it that a terminal takes for a command: parts of it may come from an upstream.
    warn(`error: ${error.message.replaceAll(/\s*\n\s*/g, " ").replaceAll(/\p{Cc}+/gu, "")}`);
    Deno.exit(error instanceof CommandError ? error.exitCode : 1);
  }
}

async function serve(flags: ServeFlags): Promise<void> {
  const served = flags.models.length > 0 ? await namedModels(flags) : await defaultModels(flags);
  const app = createApp(served.models, flags);
  const server = await open(app, flags);
  // Before anything is printed: who reads that the server listens may stop it at once.
  const stopped = stopOnSignal(server, app);
  for (const notice of served.notices) warn(notice);
  announce(served, urlOf(server.addr), flags);
  await stopped;
  Deno.exit(0); // A model may have left timers or connections, for which the process would wait.
}

interface Served {
  readonly models: AppModels | ModelDirectory;
  /** Names of the models, the default first. */
  readonly names: readonly string[];
  /** Whether the default is a custom model, which is asked in another way. */
  readonly isCustom?: boolean;
  /** What is to be told once the server listens: where it cannot, that alone is of interest. */
  readonly notices: readonly string[];
}

async function namedModels(flags: ServeFlags): Promise<Served> {
  const { models, warnings } = await loadSpecs(flags.models, flags);
  const [first] = models.values();
  return {
    models,
    names: [...models.keys()],
    isCustom: LoadedCustomModel.isInstance(first),
    notices: warnings.map((warning) => `warning: ${warning}`),
  };
}

/** All models of Ollama if one answers, else the demo model: loudly, so that no one takes it for a real one. */
async function defaultModels(flags: ServeFlags): Promise<Served> {
  const notices: string[] = [];
  let problem: string;
  try {
    const client = new OllamaClient();
    const models = new OllamaModels({ ...flags, client });
    if (client.warning !== undefined) notices.push(`warning: ${client.warning}`);
    const version = await client.version({ timeout: PROBE_TIMEOUT });
    const names = (await models.list()).map(({ id }) => id);
    if (names.length > 0) {
      print(
        `Ollama ${version} at ${client.url} serves ${names.length === 1 ? "one model" : `${names.length} models`}.`,
      );
      return { models, names, notices };
    }
    problem = `The Ollama at ${client.url} has no model that can chat`;
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  notices.push(`
  ${problem}

  So the DEMO MODEL is served: it does not think, it echoes.
  For a real one: install Ollama (ollama.com), run 'ollama serve' and 'ollama pull llama3.2:1b', and start again.
  If Ollama runs elsewhere, set OLLAMA_HOST.
`);
  return { models: { demo: await loadChatModel(DemoChatModel, { ...flags, name: "demo" }) }, names: ["demo"], notices };
}

async function open(app: App, { host, port }: ServeFlags): Promise<ListeningServer> {
  try {
    return await listen(app, { hostname: host, port });
  } catch (error) {
    const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    throw new CommandError(`Cannot listen on ${where}: ${whyNot(error)}`, 1, { cause: error });
  }
}

function whyNot(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) return "permission is missing. Run with --allow-net";
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return "the port is in use. Choose another with --port, or --port 0 for any free one";
  }
  return `${error instanceof Error ? error.message : String(error)}. Choose with --host and --port`;
}

function urlOf({ hostname, port }: ListeningServer["addr"]): string {
  const reachable = hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

function announce({ names, isCustom = false }: Served, url: string, { host, playground }: ServeFlags): void {
  const [first = "demo"] = names;
  const messages = [{ role: "user", content: "Hello" }];
  const body = isCustom ? { model: first, inputs: "Hello" } : { model: first, stream: true, messages };
  const request = isCustom ? "/invocations -H 'content-type: application/json'" : "/v1/chat/completions";
  print(`Listening on ${url}  (models: ${names.join(", ")})

Try it:${playground && !isCustom ? ` open ${url} in a browser, or` : ""}
  curl -N ${url}${request} -d '${JSON.stringify(body).replaceAll("'", String.raw`'\''`)}'

Stop with Ctrl-C.`);
  if (!["127.0.0.1", "::1", "localhost"].includes(host)) {
    warn(
      "warning: this server asks for no key, and is open to all who can reach it. Put a proxy with a login before it.",
    );
  }
}

/** Stops on Ctrl-C and SIGTERM: takes no more requests, lets answers finish for a while, ends the rest with an error. */
async function stopOnSignal(server: ListeningServer, app: App): Promise<void> {
  let stopping = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const cut = () => {
    app.abort(new OverloadedError("Cannot finish the answer: the server stops", { code: "server_stopping" }));
    clearTimeout(timer);
    // Who neither sends the rest of a request nor reads an answer must not keep the server from stopping.
    timer = setTimeout(() => Deno.exit(0), CLOSING_TIME);
  };
  const stop = () => {
    if (stopping) return cut(); // Asked again: no more patience.
    stopping = true;
    timer = setTimeout(cut, GRACE);
    server.shutdown();
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  await server.finished;
  clearTimeout(timer);
  for (const signal of signals) Deno.removeSignalListener(signal, stop);
}

function print(text: string): void {
  // deno-lint-ignore no-console -- a command talks to its user
  console.log(text);
}

function warn(text: string): void {
  // deno-lint-ignore no-console -- a command talks to its user
  console.error(text);
}
