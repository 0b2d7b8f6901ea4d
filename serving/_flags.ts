import { parseArgs } from "node:util";
import { CommandError } from "../_command_error.ts";
import { parseAllowedHost } from "./access/mod.ts";
import type { CallLimits } from "../loaded_chat_model.ts";
import type { QueueOptions } from "./limits/mod.ts";
import { byModel, readModelNumbers } from "./_model_numbers.ts";
import { checkOrigin } from "./origins.ts";

/** What `serve.ts` is told to do. */
export interface ServeFlags {
  readonly help: boolean;
  readonly version: boolean;
  readonly models: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly allowedOrigins: readonly string[] | "*";
  readonly firstTokenTimeout: number;
  readonly idleTimeout: number;
  readonly timeout: number;
  /** Limits of single models, by their names. */
  readonly modelLimits: ReadonlyMap<string, CallLimits>;
  readonly pull: boolean;
  /** Whether to take up new versions of models. */
  readonly watch: boolean;
  /** Whether the code of models runs with the permissions that it declared and no others. */
  readonly sandbox: boolean;
  readonly playground: boolean;
  /** File with API keys. */
  readonly apiKeysFile: string | undefined;
  /** Whether everyone may ask, from wherever the server can be reached. */
  readonly noAuth: boolean;
  /** Host names besides those of this machine; of use where only this machine reaches the server. */
  readonly moreHosts: readonly string[];
  /** Bytes. */
  readonly maxBodySize: number;
  readonly maxConcurrency: number;
  readonly maxQueue: number;
  readonly queueTimeout: number;
  /** What is different for single models, by their names. */
  readonly modelQueues: ReadonlyMap<string, QueueOptions>;
  readonly drainTimeout: number;
  /** File of the access log; `-` for the standard output. */
  readonly accessLog: string | undefined;
  readonly metricsPort: number | undefined;
  /** Where traces go. */
  readonly trace: TraceFlags | undefined;
  readonly redis: string | undefined;
  /** What a lost Redis means for the limits of keys. */
  readonly redisLost: "open" | "closed";
}

/** What `--trace` and its companions say. */
export interface TraceFlags {
  /** URI of a store of MLflow's, or address of what takes OTLP. */
  readonly to: { readonly store: string } | { readonly endpoint: string };
  readonly experiment: string | undefined;
  /** Whether what was said is written down; `undefined` leaves it to where traces go. */
  readonly content: boolean | undefined;
}

/** Variables that the command reads. */
const VARIABLES = [
  "OLLAMA_HOST",
  "OLLAMA_API_KEY",
  "OPENAI_API_KEY",
  "OPENAI_BASE_URL",
  "CHATMODEL_API_KEYS",
  "CHATMODEL_UPSTREAM_API_KEY",
].join();

/** What `--help` prints. */
export const HELP = `Serves chat models to every OpenAI client.

Usage: deno run --allow-net --allow-read --allow-env=${VARIABLES} serve.ts [flags]

  --model [NAME=]SPEC        A model to serve; may be repeated. The first is the default. NAME is of letters,
                             digits and any of _.:@-. SPEC is
                               ollama:NAME   a model of the Ollama at OLLAMA_HOST, such as ollama:llama3.2:1b
                               openai:NAME@URL[,URL…]
                                             a model of any server with OpenAI's API, such as
                                             openai:qwen3@http://10.0.0.5:8000; of several, which share
                                             the calls and stand in for one another. Without @URL:
                                             OPENAI_BASE_URL, or OpenAI itself
                               FILE          a .ts or .js file that exports a model as default
                               FOLDER        a folder that holds a saved model
                               models:/NAME@ALIAS, models:/NAME/VERSION, models:/m-…, runs:/RUN_ID/PATH
                                             a model of the store at MLFLOW_TRACKING_URI (default
                                             sqlite:///mlflow.db); needs -A, or more permissions
                               demo          the demo model, which echoes
                             Without --model: all models of the Ollama at OLLAMA_HOST, or the demo model.
  --watch                    Take up what becomes of models while they are served: where an alias is moved to
                             (models:/NAME@ALIAS), changed files, folders that are written anew
  --sandbox                  Run the code of files and saved models with the permissions that it declared and
                             no others; needs deno run --unstable-worker-options
  --pull                     Have Ollama download the models named by ollama:NAME that it lacks
  --host ADDRESS             Address to listen on (default 127.0.0.1: this machine only)
  --port PORT                Port to listen on (default 8000; 0: any free one)
  --cors-origin ORIGIN       Pages of this origin may call, too; may be repeated, * for all
  --no-playground            Serve no page to chat on at /

  Who may ask
  --api-keys FILE            Ask for API keys: those in FILE, made by 'cli.ts keys create'; followed while it
                             changes. Also: CHATMODEL_API_KEYS=NAME=SECRET,… (an address other than this
                             machine's is only served with keys)
  --no-auth                  Serve all who can reach the server, without keys
  --allow-host NAME          Host name under which a server on this machine's address may be asked, besides
                             localhost; may be repeated

  How much
  --max-concurrency N        Requests that a model answers at once (default: no limit). This and the next
                             flags may be repeated with NAME=N, for single models
  --max-queue N              Requests that wait for those, at most (default 100)
  --queue-timeout MS         Longest time that one waits (default 30000)
  --max-body-size BYTES      Largest request body (default 33554432)
  --first-token-timeout MS   Longest wait for the begin of an answer, and for the whole of one that
                             comes in one piece (default 300000; 0: no limit)
  --idle-timeout MS          Longest wait between two pieces of an answer (default 60000; 0: no limit)
  --timeout MS               Longest time for a whole answer (default 0: no limit)
  --drain-timeout MS         Time that running answers get to finish after SIGTERM or Ctrl-C (default 10000)
  --redis URL                Count the limits of keys, and keep stored answers, in Redis, for several servers
                             that share them
  --redis-lost open|closed   Without Redis: serve without these limits, or refuse (default closed)

  Seen from outside
  --access-log FILE          Write a line of JSON for each request that can be read as one; - for the
                             standard output
  --metrics-port PORT        Serve metrics for Prometheus at /metrics on that port, without keys; on the port
                             of the server itself, they need one

  --trace STORE              Write a trace of each call into sqlite:///FILE (MLflow's database; needs -A, or
                             --allow-write), to http://HOST:PORT (an MLflow server), or by OpenTelemetry's
                             protocol to otlp:URL, such as otlp:http://127.0.0.1:4318
  --trace-experiment NAME    MLflow's experiment that traces belong to (default: "Default")
  --trace-content on|off     Write down what was said (default: on, but off for otlp:URL)

  --version                  Print the version
  -h, --help                 Print this help

Environment: OLLAMA_HOST (default 127.0.0.1:11434), OLLAMA_API_KEY (for ollama.com), CHATMODEL_API_KEYS (for whoever asks
this server), OPENAI_API_KEY (for api.openai.com or OPENAI_BASE_URL only), CHATMODEL_UPSTREAM_API_KEY (for other servers
of openai:NAME@URL: one key, or ORIGIN=KEY with spaces between). For logged models, with --allow-env
also MLFLOW_TRACKING_URI and SERVING_MODEL_CONFIG (JSON in place of what was configured when the model was logged).
`;

/**
 * Reads the command line.
 *
 * @throws {CommandError} With exit code 2, naming the flag and what would be right.
 */
export function parseFlags(args: readonly string[]): ServeFlags {
  const values = parse(args);
  const allowedOrigins = values["cors-origin"] ?? [];
  for (const origin of allowedOrigins) {
    try {
      if (origin !== "*") checkOrigin(origin);
    } catch (error) {
      const hint = `--cors-origin must be an origin such as "https://example.com", or "*", but is "${origin}"`;
      throw usage(hint, { cause: error });
    }
  }
  for (const flag of ["watch", "sandbox"] as const) {
    if (values[flag] && values.model === undefined) throw usage(`--${flag} needs a model: name it with --model`);
  }
  if (values.pull && !values.model?.some((spec) => /^([\w.:@-]+=)?ollama:/.test(spec))) {
    throw usage("--pull needs a model to pull: name it as in --model ollama:llama3.2:1b");
  }
  const numbers = (flag: ModelFlag, fallback: number, max: number, min = 0) =>
    readModelNumbers(values[flag] ?? [], { flag: `--${flag}`, fallback, min, max }, usage);
  const firstTokenTimeout = numbers("first-token-timeout", 300_000, MAX_TIMEOUT);
  const idleTimeout = numbers("idle-timeout", 60_000, MAX_TIMEOUT);
  const timeout = numbers("timeout", 0, MAX_TIMEOUT);
  const modelLimits = byModel({ firstTokenTimeout, idleTimeout, timeout });
  if (modelLimits.size > 0 && values.model === undefined) throw usage("Limits for single models need --model");
  const maxConcurrency = numbers("max-concurrency", Infinity, MAX_COUNT, 1);
  const maxQueue = numbers("max-queue", 100, MAX_COUNT);
  const queueTimeout = numbers("queue-timeout", 30_000, MAX_TIMEOUT);
  const host = values.host ?? "127.0.0.1";
  if (host === "") throw usage("--host must be an address such as 127.0.0.1, but is empty");
  return {
    help: values.help ?? false,
    version: values.version ?? false,
    models: values.model ?? [],
    host: host.replace(/^\[(.*)\]$/, "$1"),
    port: integer("--port", values.port, 8000, 65_535),
    allowedOrigins: allowedOrigins.includes("*") ? "*" : allowedOrigins,
    firstTokenTimeout: firstTokenTimeout.all,
    idleTimeout: idleTimeout.all,
    timeout: timeout.all,
    modelLimits,
    watch: values.watch ?? false,
    sandbox: values.sandbox ?? false,
    pull: values.pull ?? false,
    playground: !(values["no-playground"] ?? false),
    apiKeysFile: notEmpty("--api-keys", values["api-keys"]),
    noAuth: values["no-auth"] ?? false,
    moreHosts: values["allow-host"]?.map(hostName) ?? [],
    maxBodySize: integer("--max-body-size", values["max-body-size"], 33_554_432, MAX_SIZE, 1),
    maxConcurrency: maxConcurrency.all,
    maxQueue: maxQueue.all,
    queueTimeout: queueTimeout.all,
    modelQueues: byModel({ maxConcurrency, maxQueue, queueTimeout }),
    drainTimeout: integer("--drain-timeout", values["drain-timeout"], 10_000, MAX_TIMEOUT),
    accessLog: notEmpty("--access-log", values["access-log"]),
    metricsPort: values["metrics-port"] === undefined
      ? undefined
      : integer("--metrics-port", values["metrics-port"], 0, 65_535),
    trace: readTrace(values),
    redis: values.redis === undefined ? undefined : redisUrl(values.redis),
    redisLost: openOrClosed(values["redis-lost"]),
  };
}

/** The longest that a timer can wait; a longer one would fire at once. */
const MAX_TIMEOUT = 2_147_483_647;
/** Bytes: more does not fit into one string. */
const MAX_SIZE = 536_870_888;
const MAX_COUNT = 1_000_000;

/** Flags that may be given for single models. */
type ModelFlag =
  | "first-token-timeout"
  | "idle-timeout"
  | "timeout"
  | "max-concurrency"
  | "max-queue"
  | "queue-timeout";

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        model: { type: "string", multiple: true },
        host: { type: "string" },
        port: { type: "string" },
        "cors-origin": { type: "string", multiple: true },
        "first-token-timeout": { type: "string", multiple: true },
        "idle-timeout": { type: "string", multiple: true },
        timeout: { type: "string", multiple: true },
        watch: { type: "boolean" },
        sandbox: { type: "boolean" },
        pull: { type: "boolean" },
        "no-playground": { type: "boolean" },
        "api-keys": { type: "string" },
        "no-auth": { type: "boolean" },
        "allow-host": { type: "string", multiple: true },
        "max-body-size": { type: "string" },
        "max-concurrency": { type: "string", multiple: true },
        "max-queue": { type: "string", multiple: true },
        "queue-timeout": { type: "string", multiple: true },
        "drain-timeout": { type: "string" },
        "access-log": { type: "string" },
        "metrics-port": { type: "string" },
        trace: { type: "string" },
        "trace-experiment": { type: "string" },
        "trace-content": { type: "string" },
        redis: { type: "string" },
        "redis-lost": { type: "string" },
        version: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw usage(error instanceof Error ? firstSentence(error.message) : String(error), { cause: error });
  }
}

/** Node's messages go on to explain `--`, which is of no use here. */
function firstSentence(message: string): string {
  const [, flag] = /Option '(--[\w-]+).*' argument is ambiguous/.exec(message) ?? [];
  if (flag !== undefined) return `${flag} must have a value that does not begin with "-"`;
  const [sentence = message] = message.split(/\.(?:\s|$)/);
  return sentence;
}

function usage(message: string, options?: ErrorOptions): CommandError {
  return new CommandError(`${message}. See --help`, 2, options);
}

function integer(flag: string, text: string | undefined, fallback: number, max: number, min = 0): number {
  if (text === undefined) return fallback;
  if (!/^\d+$/.test(text) || Number(text) > max || Number(text) < min) {
    throw usage(`${flag} must be a whole number from ${min} to ${max}, but is "${text}"`);
  }
  return Number(text);
}

function notEmpty(flag: string, text: string | undefined): string | undefined {
  if (text === "") throw usage(`${flag} must name a file, but is empty`);
  return text;
}

function hostName(text: string): string {
  try {
    return parseAllowedHost(text);
  } catch (error) {
    throw usage(`--allow-host must be a name or an address without a port, but is "${text}"`, { cause: error });
  }
}

function redisUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && ["redis:", "rediss:"].includes(url.protocol)) return text;
  // Not what it is: there may be a password in it.
  throw usage("--redis must be a URL such as redis://127.0.0.1:6379");
}

function openOrClosed(text = "closed"): "open" | "closed" {
  if (text === "open" || text === "closed") return text;
  throw usage(`--redis-lost must be "open" or "closed", but is "${text}"`);
}

interface TraceValues {
  readonly trace?: string | undefined;
  readonly "trace-experiment"?: string | undefined;
  readonly "trace-content"?: string | undefined;
}

function readTrace({ trace, ...values }: TraceValues): TraceFlags | undefined {
  const { "trace-experiment": experiment, "trace-content": content } = values;
  if (trace === undefined) {
    for (const flag of ["trace-experiment", "trace-content"] as const) {
      if (values[flag] !== undefined) throw usage(`--${flag} needs --trace`);
    }
    return undefined;
  }
  const to = traceTarget(trace);
  if (experiment === "") throw usage("--trace-experiment must be a name, but is empty");
  if (experiment !== undefined && "endpoint" in to) {
    throw usage("--trace-experiment is for MLflow's stores: leave it out with otlp:URL");
  }
  if (content !== undefined && content !== "on" && content !== "off") {
    throw usage(`--trace-content must be "on" or "off", but is "${content}"`);
  }
  return { to, experiment, content: content === undefined ? undefined : content === "on" };
}

function traceTarget(text: string): TraceFlags["to"] {
  const [, endpoint] = /^otlp:(.*)$/s.exec(text) ?? [];
  const url = URL.parse(endpoint ?? text);
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (endpoint !== undefined && isHttp) return { endpoint };
  if (endpoint === undefined && (isHttp || /^sqlite:\/\/\/./.test(text))) return { store: text };
  // Not what it is: there may be a password in it.
  throw usage("--trace must be sqlite:///FILE, the http(s) address of an MLflow server, or otlp:URL");
}
