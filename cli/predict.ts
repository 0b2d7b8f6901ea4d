import { CommandError } from "../_command_error.ts";
import { reasonOf } from "../models/reason_of.ts";
import { exampleBody } from "../models/_input_example.ts";
import { loadModel } from "../models/mod.ts";
import { LoadedChatModel } from "../loaded_chat_model.ts";
import type { LoadedCustomModel } from "../loaded_custom_model.ts";
import { ChatModelError, parseChatRequest } from "../types/mod.ts";
import type { Command } from "./command.ts";
import { print } from "./_output.ts";
import { interruptible } from "./_interruption.ts";
import { withStores } from "./_stores.ts";
import { TransferProgress } from "./_transfer_progress.ts";

/** `predict`. */
export const predict: Command = {
  words: ["predict"],
  summary: "Load a model and call it once; its answer is printed as JSON",
  positionals: [],
  flags: {
    "model-uri": {
      short: "m",
      value: "URI",
      required: true,
      help: "models:/NAME@ALIAS, models:/m-…, runs:/ID/PATH, a folder, a file",
    },
    "input-path": { short: "i", value: "FILE|-", required: true, help: "The request, in JSON; - for standard input" },
    "output-path": { short: "o", value: "FILE", help: "Write the answer here (default: standard output)" },
    "stream": { help: "Print the answer chunk by chunk, one JSON object a line" },
  },
  async run(input) {
    const uri = input.text("model-uri") ?? "";
    const request = await readRequest(input.text("input-path") ?? "-");
    const output = input.text("output-path");
    const write = output === undefined ? print : await writerTo(output);
    await interruptible((signal) =>
      withStores(input, async () => {
        const progress = new TransferProgress();
        let model: LoadedChatModel | LoadedCustomModel;
        try {
          model = await loadModel(uri, { kind: "any", signal, onProgress: progress.show });
        } finally {
          progress.end();
        }
        try {
          await ask(model, { uri, request, stream: input.has("stream"), write, signal });
        } catch (error) {
          if (error instanceof CommandError) throw error;
          throw ChatModelError.from(error);
        }
      })
    );
    // A model may have left timers or connections, for which the process would wait.
    Deno.exit(0);
  },
};

/** `models predict`: the same, by MLflow's name. */
export const modelsPredict: Command = { ...predict, words: ["models", "predict"] };

interface Question {
  readonly uri: string;
  readonly request: unknown;
  readonly stream: boolean;
  readonly write: (text: string) => void;
  readonly signal: AbortSignal;
}

async function ask(model: LoadedChatModel | LoadedCustomModel, question: Question): Promise<void> {
  const { uri, request, stream, write, signal } = question;
  if (LoadedChatModel.isInstance(model)) {
    // A list is taken as it is for an input example: messages, or a request and its params.
    const parsed = parseChatRequest(Array.isArray(request) ? exampleBody(request) : request);
    if (!stream) return write(JSON.stringify(await model.predict(parsed, { signal })));
    for await (const chunk of model.predictStream(parsed, { signal })) write(JSON.stringify(chunk));
    return;
  }
  if (stream) throw new CommandError(`Cannot stream "${uri}": it is a custom model`, 2);
  const { data, params } = splitInput(request);
  write(JSON.stringify(await model.predict(data, params, { signal })));
}

async function readRequest(path: string): Promise<unknown> {
  let text: string;
  try {
    text = path === "-" ? await new Response(Deno.stdin.readable).text() : await Deno.readTextFile(path);
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound ? `there is no file "${path}"` : reasonOf(cause);
    throw new CommandError(`Cannot read the request from "${path}": ${why}`, 1, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const where = path === "-" ? "standard input" : `"${path}"`;
    throw new CommandError(`Cannot read the request: ${where} is not valid JSON`, 1, { cause });
  }
}

/** A custom model's input and params: `{"inputs": …, "params": …}`, else the input alone. */
function splitInput(
  request: unknown,
): { readonly data: unknown; readonly params?: { readonly [name: string]: unknown } } {
  if (typeof request !== "object" || request === null || !("inputs" in request)) return { data: request };
  const params: unknown = "params" in request ? request.params : undefined;
  if (params === undefined || params === null) return { data: request.inputs };
  if (typeof params !== "object" || Array.isArray(params)) throw new CommandError('"params" must be an object', 1);
  return { data: request.inputs, params: Object.fromEntries(Object.entries(params)) };
}

async function writerTo(path: string): Promise<(text: string) => void> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { write: true, create: true, truncate: true });
  } catch (cause) {
    throw new CommandError(`Cannot write the answer to "${path}": ${reasonOf(cause)}`, 1, { cause });
  }
  const encoder = new TextEncoder();
  return (text) => {
    let bytes = encoder.encode(`${text}\n`);
    while (bytes.length > 0) bytes = bytes.subarray(file.writeSync(bytes));
  };
}
