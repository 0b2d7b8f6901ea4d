import * as v from "valibot";
import type { ModelConfigLayer, ModelConfigValues } from "../../model_config.ts";

/** Parts that a worker may be ahead of who reads them. */
export const WINDOW = 64;

/** What a model's methods are called, with what is said over the boundary. */
export type SandboxMethod = "loadContext" | "predict" | "predictStream" | "embed";

/** What a host says to its worker. */
export type HostMessage =
  /** First: which file the model is in. */
  | { readonly type: "import"; readonly path: string }
  | {
    readonly type: "call";
    readonly id: number;
    readonly method: SandboxMethod;
    readonly requestId: string;
    /** What comes after the context. */
    readonly input: readonly unknown[];
    /** Of `loadContext`: what the model is equipped with from then on. */
    readonly equipment?: SandboxEquipment;
    /** The call's span, if anyone takes note of it. */
    readonly span?: SandboxSpan;
  }
  /** That many parts more are wanted. */
  | { readonly type: "more"; readonly id: number; readonly count: number }
  /** Nobody waits for a call any more. */
  | { readonly type: "cancel"; readonly id: number; readonly reason: Thrown }
  | { readonly type: "ping" };

/** What a model is equipped with: `ModelConfig` is a class, and its values go over the boundary. */
export interface SandboxEquipment {
  /** Files and folders by name. */
  readonly artifacts: { readonly [name: string]: string };
  /** Its configuration, put together. */
  readonly config: ModelConfigValues;
  /** What it was put together from. */
  readonly layers: readonly ModelConfigLayer[];
}

/** What a model may know of its call's span. */
export interface SandboxSpan {
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
}

const id = v.pipe(v.number(), v.integer());
const texts = v.pipe(v.array(v.object({ path: v.string(), message: v.string() })), v.maxLength(1_000));
const nullableText = v.nullable(v.string());
/** How much of a message is kept: it goes to a log, and perhaps to a client. */
const message = v.pipe(v.string(), v.transform((text) => text.slice(0, 10_000)));

const thrownSchema = v.variant("kind", [
  v.object({
    kind: v.literal("own"),
    name: v.string(),
    message,
    status: v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
    code: nullableText,
    errorType: v.string(),
    param: nullableText,
    retryable: v.boolean(),
    retryAfter: v.optional(v.number()),
    issues: v.optional(texts),
  }),
  v.object({ kind: v.literal("permission"), message }),
  v.object({ kind: v.literal("dom"), name: v.string(), message }),
  v.object({ kind: v.literal("error"), name: v.string(), message, stack: v.optional(v.string()) }),
  v.object({ kind: v.literal("value"), message }),
]);

/** What was thrown, as it goes over the boundary. */
export type Thrown = v.InferOutput<typeof thrownSchema>;

const importedSchema = v.object({
  type: v.literal("imported"),
  kind: v.picklist(["chat", "custom"]),
  predict: v.boolean(),
  predictStream: v.boolean(),
  embed: v.boolean(),
});

/** What a model turned out to be. */
export type ImportedModel = v.InferOutput<typeof importedSchema>;

const workerSchema = v.variant("type", [
  v.object({ type: v.literal("ready") }),
  importedSchema,
  v.object({ type: v.literal("refused"), error: thrownSchema }),
  v.object({ type: v.literal("result"), id, value: v.unknown() }),
  v.object({ type: v.literal("parts"), id, parts: v.pipe(v.array(v.unknown()), v.maxLength(WINDOW)) }),
  v.object({ type: v.literal("end"), id }),
  v.object({ type: v.literal("error"), id, error: thrownSchema }),
  v.object({ type: v.literal("attribute"), id, name: v.string(), value: v.unknown() }),
  v.object({
    type: v.literal("event"),
    id,
    name: v.string(),
    attributes: v.optional(v.record(v.string(), v.unknown())),
  }),
  v.object({ type: v.literal("pong") }),
  v.object({ type: v.literal("closing"), how: v.string() }),
]);

/** What a worker says to its host. */
export type WorkerMessage = v.InferOutput<typeof workerSchema>;

/**
 * Reads what a worker says. A model's code runs beside what speaks for it, so nothing is taken for what it should be.
 *
 * @param value What came.
 * @returns The message; `undefined` if it is none.
 */
export function readWorkerMessage(value: unknown): WorkerMessage | undefined {
  const result = v.safeParse(workerSchema, value);
  return result.success ? result.output : undefined;
}
