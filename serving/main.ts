import { DemoChatModel } from "../adapters/demo/mod.ts";
import { OllamaClient, OllamaModels } from "../adapters/ollama/mod.ts";
import { loadChatModel } from "../loaded_chat_model.ts";
import { LoadedCustomModel } from "../loaded_custom_model.ts";
import { ChatModelError } from "../types/mod.ts";
import { type App, createApp } from "./app.ts";
import { CommandError } from "../_command_error.ts";
import type { AppModels, ModelDirectory } from "./directory.ts";
import { HELP, parseFlags, type ServeFlags } from "./_flags.ts";
import { loadSpecs } from "./_model_spec.ts";
import { hasOwnMetricsPort, putUpGuards } from "./_guards.ts";
import { exitOnSignal } from "./_life.ts";
import { metricsHandler } from "./_metrics_route.ts";
import { isLoopbackAddress } from "./access/mod.ts";
import { listen, type ListeningServer } from "./listen.ts";
import { VERSION } from "../_version.ts";

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
  // First, as a model may take long to load.
  const guards = await putUpGuards(flags, warn);
  const served = flags.models.length > 0 ? await namedModels(flags) : await defaultModels(flags);
  const app = createApp(served.models, { ...flags, ...guards.options });
  guards.attach(app);
  const server = await open(app, flags);
  const metrics = guards.metrics !== undefined && hasOwnMetricsPort(flags)
    ? await open(metricsHandler(guards.metrics), { host: flags.host, port: flags.metricsPort ?? 0 })
    : undefined;
  const close = async () => {
    await Promise.all([guards.close(), served.close?.()]);
  };
  // Before anything is printed: who reads that the server listens may stop it at once.
  const ended = exitOnSignal({ server, app, drainTimeout: flags.drainTimeout, close });
  for (const notice of served.notices) warn(notice);
  announce(served, {
    url: urlOf(server.addr),
    metrics: metrics && `${urlOf(metrics.addr)}/metrics`,
    asksForKey: guards.options.apiKeys !== undefined,
  }, flags);
  await ended;
}

interface Served {
  readonly models: AppModels | ModelDirectory;
  /** Names of the models, the default first. */
  readonly names: readonly string[];
  /** Whether the default is a custom model, which is asked in another way. */
  readonly isCustom?: boolean;
  /** What is to be told once the server listens: where it cannot, that alone is of interest. */
  readonly notices: readonly string[];
  /** Lets go of the models. */
  readonly close?: () => Promise<void>;
}

async function namedModels(flags: ServeFlags): Promise<Served> {
  const { models, names, warnings, close } = await loadSpecs(flags.models, { ...flags, onEvent: warn });
  const first = await ("find" in models ? models.find(undefined) : [...models.values()][0]);
  return {
    models,
    names,
    isCustom: LoadedCustomModel.isInstance(first),
    notices: warnings.map((warning) => `warning: ${warning}`),
    close,
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

async function open(
  app: Pick<App, "fetch">,
  { host, port }: Pick<ServeFlags, "host" | "port">,
): Promise<ListeningServer> {
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

function announce(
  { names, isCustom = false }: Served,
  { url, metrics, asksForKey }: {
    readonly url: string;
    readonly metrics: string | undefined;
    readonly asksForKey: boolean;
  },
  { host, playground, noAuth }: ServeFlags,
): void {
  const [first = "demo"] = names;
  const messages = [{ role: "user", content: "Hello" }];
  const body = isCustom ? { model: first, inputs: "Hello" } : { model: first, stream: true, messages };
  const key = asksForKey ? " -H 'authorization: Bearer YOUR_KEY'" : "";
  const request = isCustom ? "/invocations -H 'content-type: application/json'" : "/v1/chat/completions";
  print(`Listening on ${url}  (models: ${names.join(", ")})

Try it:${playground && !isCustom ? ` open ${url} in a browser, or` : ""}
  curl -N ${url}${request}${key} -d '${JSON.stringify(body).replaceAll("'", String.raw`'\''`)}'
${metrics === undefined ? "" : `Metrics: ${metrics}\n`}
Stop with Ctrl-C.`);
  if (noAuth && !isLoopbackAddress(host)) {
    warn(
      "warning: this server asks for no key, and is open to all who can reach it. Put a proxy with a login before it.",
    );
  }
}

function print(text: string): void {
  // deno-lint-ignore no-console -- a command talks to its user
  console.log(text);
}

function warn(text: string): void {
  // deno-lint-ignore no-console -- a command talks to its user
  console.error(text);
}
