import * as v from "valibot";
import { VERSION } from "../_version.ts";
import { ChatModelError } from "../types/mod.ts";
import { Credit } from "./_credit.ts";
import type { StdioModel } from "./_stdio_model.ts";

/** Version of the protocol. A logged loader speaks this one for ever, so it is never dropped. */
const PROTOCOL = 1;

const values = v.record(v.string(), v.unknown());
const id = v.pipe(v.number(), v.integer());
const call = { id, input: v.unknown(), params: v.optional(values) };
const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const loadSchema = v.object({
  type: v.literal("load"),
  protocol: v.number(),
  model_config: v.optional(values),
});
const messageSchema = v.variant("type", [
  v.object({ type: v.literal("predict"), ...call }),
  v.object({ type: v.literal("predict_stream"), ...call, credit: count }),
  v.object({ type: v.literal("more"), id, count }),
  v.object({ type: v.literal("cancel"), id }),
]);

type Message = v.InferOutput<typeof messageSchema>;
type CallMessage = Extract<Message, { type: "predict" | "predict_stream" }>;

/** What a session is given. */
export interface StdioSessionOptions {
  /** Loads the model, with what the caller changes in its configuration. */
  readonly load: (modelConfig: { readonly [name: string]: unknown }) => Promise<StdioModel>;
  /** Writes one message; messages come out in the order of the calls. */
  readonly write: (text: string) => Promise<void>;
  /** Told of failures of the model's own code, with their stack, for the log. */
  readonly log: (text: string) => void;
}

interface RunningCall {
  readonly controller: AbortController;
  readonly credit: Credit;
  readonly done: Promise<void>;
}

/**
 * One conversation with the Python loader. It sends, each as JSON on a line:
 *
 * - `load` with `protocol` and perhaps `model_config`, once, at first. The answer is `hello` with `protocol`, `version`,
 *   `kind` and `streamable`, or an `error` without id.
 * - `predict` with `id`, `input` and perhaps `params`. The answer is `result` with `output`.
 * - `predict_stream` with `credit` beside. The answer is one `item` for each piece, then `end`. No more than `credit`
 *   items are sent, until `more` with a `count` raises it: so a slow reader does not let them pile up.
 * - `cancel` with the `id` of a call, which then ends soon.
 *
 * Any call may instead end in `error` with `message`, `code`, `status`, `type` and `param`. Calls run at once; all that
 * is said of one bears its id.
 */
export class StdioSession {
  readonly #options: StdioSessionOptions;
  readonly #calls = new Map<number, RunningCall>();
  #model: StdioModel | undefined;
  /** Whether the model could not be loaded; known before the caller is told. */
  failed = false;

  constructor(options: StdioSessionOptions) {
    this.#options = options;
  }

  /**
   * Takes the first line.
   *
   * @returns Whether the model is ready; if not, the caller has been told why.
   */
  async load(line: string): Promise<boolean> {
    try {
      const { protocol, model_config = {} } = parseLine(loadSchema, line);
      if (protocol !== PROTOCOL) {
        throw new ChatModelError(
          `Cannot load model: its loader speaks version ${protocol} of the protocol, but @chatmodel/chat-model ${VERSION} speaks version ${PROTOCOL}. Log the model anew`,
          { code: "start_failed" },
        );
      }
      this.#model = await this.#options.load(model_config);
      const { kind, streamable } = this.#model;
      await this.#send({ type: "hello", protocol: PROTOCOL, version: VERSION, kind, streamable });
      return true;
    } catch (error) {
      this.failed = true;
      await this.#send({ type: "error", error: this.#describe(error) });
      return false;
    }
  }

  /**
   * Takes any other line. What it begins goes on by itself.
   *
   * @throws {ChatModelError} If it is none of the protocol's.
   */
  take(line: string): void {
    const message = parseLine(messageSchema, line);
    switch (message.type) {
      case "predict":
      case "predict_stream":
        this.#begin(message);
        break;
      // Of calls that have just ended there is nothing to be said any more.
      case "more":
        this.#calls.get(message.id)?.credit.add(message.count);
        break;
      case "cancel":
        this.#calls.get(message.id)?.controller.abort();
    }
  }

  /** Stops all calls and waits until they are over. */
  async close(): Promise<void> {
    const calls = [...this.#calls.values()];
    for (const { controller } of calls) controller.abort();
    await Promise.all(calls.map(({ done }) => done));
  }

  #begin(message: CallMessage): void {
    const controller = new AbortController();
    const credit = new Credit(message.type === "predict_stream" ? message.credit : 0);
    const done = this.#answer(message, credit, controller.signal).finally(() => this.#calls.delete(message.id));
    this.#calls.set(message.id, { controller, credit, done });
  }

  async #answer(message: CallMessage, credit: Credit, signal: AbortSignal): Promise<void> {
    const { id, input, params } = message;
    const options = { signal, ...(params !== undefined && { params }) };
    try {
      if (this.#model === undefined) {
        throw new ChatModelError('Cannot answer: the model is not loaded. Let the loader send "load" first', {
          code: "invalid_protocol",
        });
      }
      if (message.type === "predict") {
        const output = await this.#model.predict(input, options);
        await this.#send({ type: "result", id, output: output ?? null });
        return;
      }
      for await (const output of this.#model.predictStream(input, options)) {
        await credit.take(signal);
        await this.#send({ type: "item", id, output: output ?? null });
      }
      await this.#send({ type: "end", id });
    } catch (error) {
      await this.#send({ type: "error", id, error: this.#describe(error) });
    }
  }

  #describe(thrown: unknown): Record<string, unknown> {
    const error = ChatModelError.from(thrown);
    if (!ChatModelError.isInstance(thrown) && error.status >= 500) {
      this.#options.log(thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown));
    }
    return { ...error.toErrorObject(), status: error.status };
  }

  async #send(message: Record<string, unknown>): Promise<void> {
    await this.#options.write(JSON.stringify(message));
  }
}

function parseLine<Output>(schema: v.GenericSchema<unknown, Output>, line: string): Output {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw new ChatModelError(
    "Cannot read what the Python loader says: a line is no message of the protocol. Let nothing but code/deno_chat_loader.py write to the worker",
    { code: "invalid_protocol" },
  );
}
