import { parseArgs } from "node:util";
import { CommandError } from "../_command_error.ts";
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
  readonly pull: boolean;
  readonly playground: boolean;
}

/** What `--help` prints. */
export const HELP = `Serves chat models to every OpenAI client.

Usage: deno run --allow-net --allow-read --allow-env=OLLAMA_HOST,OLLAMA_API_KEY serve.ts [flags]

  --model [NAME=]SPEC        A model to serve; may be repeated. The first is the default. SPEC is
                               ollama:NAME   a model of the Ollama at OLLAMA_HOST, such as ollama:llama3.2:1b
                               FILE          a .ts or .js file that exports a model as default
                               FOLDER        a folder that holds a saved model
                               models:/NAME@ALIAS, models:/NAME/VERSION, models:/m-…, runs:/RUN_ID/PATH
                                             a model of the store at MLFLOW_TRACKING_URI (default
                                             sqlite:///mlflow.db); needs -A, or more permissions
                               demo          the demo model, which echoes
                             Without --model: all models of the Ollama at OLLAMA_HOST, or the demo model.
  --pull                     Have Ollama download the models named by ollama:NAME that it lacks
  --host ADDRESS             Address to listen on (default 127.0.0.1: this machine only)
  --port PORT                Port to listen on (default 8000; 0: any free one)
  --allow-origin ORIGIN      Pages of this origin may call, too; may be repeated, * for all
  --no-playground            Serve no page to chat on at /
  --first-token-timeout MS   Longest wait for the begin of an answer, and for the whole of one that
                             comes in one piece (default 300000; 0: no limit)
  --idle-timeout MS          Longest wait between two pieces of an answer (default 60000; 0: no limit)
  --timeout MS               Longest time for a whole answer (default 0: no limit)
  --version                  Print the version
  -h, --help                 Print this help

Environment: OLLAMA_HOST (default 127.0.0.1:11434), OLLAMA_API_KEY (for ollama.com). For logged models, with --allow-env
also MLFLOW_TRACKING_URI and SERVING_MODEL_CONFIG (JSON in place of what was configured when the model was logged).
`;

/**
 * Reads the command line.
 *
 * @throws {CommandError} With exit code 2, naming the flag and what would be right.
 */
export function parseFlags(args: readonly string[]): ServeFlags {
  const values = parse(args);
  const allowedOrigins = values["allow-origin"] ?? [];
  for (const origin of allowedOrigins) {
    try {
      if (origin !== "*") checkOrigin(origin);
    } catch (error) {
      const hint = `--allow-origin must be an origin such as "https://example.com", or "*", but is "${origin}"`;
      throw usage(hint, { cause: error });
    }
  }
  if (values.pull && !values.model?.some((spec) => /^([\w.:@-]+=)?ollama:/.test(spec))) {
    throw usage("--pull needs a model to pull: name it as in --model ollama:llama3.2:1b");
  }
  const host = values.host ?? "127.0.0.1";
  if (host === "") throw usage("--host must be an address such as 127.0.0.1, but is empty");
  return {
    help: values.help ?? false,
    version: values.version ?? false,
    models: values.model ?? [],
    host: host.replace(/^\[(.*)\]$/, "$1"),
    port: integer("--port", values.port, 8000, 65_535),
    allowedOrigins: allowedOrigins.includes("*") ? "*" : allowedOrigins,
    firstTokenTimeout: integer("--first-token-timeout", values["first-token-timeout"], 300_000, MAX_TIMEOUT),
    idleTimeout: integer("--idle-timeout", values["idle-timeout"], 60_000, MAX_TIMEOUT),
    timeout: integer("--timeout", values.timeout, 0, MAX_TIMEOUT),
    pull: values.pull ?? false,
    playground: !(values["no-playground"] ?? false),
  };
}

/** The longest that a timer can wait; a longer one would fire at once. */
const MAX_TIMEOUT = 2_147_483_647;

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        model: { type: "string", multiple: true },
        host: { type: "string" },
        port: { type: "string" },
        "allow-origin": { type: "string", multiple: true },
        "first-token-timeout": { type: "string" },
        "idle-timeout": { type: "string" },
        timeout: { type: "string" },
        pull: { type: "boolean" },
        "no-playground": { type: "boolean" },
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

function integer(flag: string, text: string | undefined, fallback: number, max: number): number {
  if (text === undefined) return fallback;
  if (!/^\d+$/.test(text) || Number(text) > max) {
    throw usage(`${flag} must be a whole number from 0 to ${max}, but is "${text}"`);
  }
  return Number(text);
}
