import type { FinishedSpan } from "./trace_sink.ts";

/** Attributes that tell which model was called. Those of a trace's first span become metadata of the trace. */
export const LINKS = {
  /** MLflow's key for the logged model: its page lists such traces. */
  modelId: "mlflow.modelId",
  uri: "chatmodel.model_uri",
  registeredName: "chatmodel.registered_model.name",
  registeredVersion: "chatmodel.registered_model.version",
} as const;

/** Characters of a trace's metadata in MLflow's column. What is longer stays in the span alone. */
const MAX_LENGTH = 250;

/**
 * What the first span of a trace says of the model that was called.
 *
 * @param span The span.
 * @returns Metadata; `undefined` if there is none.
 */
export function linksOf({ attributes }: FinishedSpan): { readonly [name: string]: string } | undefined {
  const links: { [name: string]: string } = {};
  for (const name of Object.values(LINKS)) {
    const value = attributes[name];
    if (typeof value === "string" && value.length <= MAX_LENGTH) links[name] = value;
  }
  return Object.keys(links).length === 0 ? undefined : links;
}
