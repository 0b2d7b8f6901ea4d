import type { OllamaModelInfo } from "./api_types.ts";
import type { OllamaClient } from "./client.ts";
import { SharedTask } from "./_shared_task.ts";

/** What must be known about a model to ask it rightly. */
export interface ModelFacts {
  /** What it can do; absent before Ollama 0.6.4, which does not tell. */
  readonly capabilities?: readonly string[];
  /** Its Modelfile's limit of tokens to answer with, if it has one. */
  readonly numPredict?: number;
}

interface Entry {
  readonly task: SharedTask<ModelFacts>;
  /** When it was asked for, in milliseconds of the monotonic clock. */
  readonly since: number;
}

/** Most models remembered of one server. */
const MAX_ENTRIES = 100;
/** Milliseconds that facts are believed: a pull or create may change a model under its name. */
const MAX_AGE = 60_000;

const caches = new WeakMap<OllamaClient, Map<string, Entry>>();

/**
 * Asks Ollama about a model, once for all who ask at the same time, and remembers the answer for a minute.
 *
 * @param client Speaks to Ollama.
 * @param model Name of the model.
 * @param signal Ends the wait.
 * @returns The facts.
 * @throws {ModelNotFoundError} If there is no such model.
 */
export async function getModelFacts(client: OllamaClient, model: string, signal: AbortSignal): Promise<ModelFacts> {
  let cache = caches.get(client);
  if (cache === undefined) caches.set(client, cache = new Map());
  let entry = cache.get(model);
  if (entry === undefined || entry.task.abandoned || performance.now() - entry.since > MAX_AGE) {
    const task = new SharedTask(async (signal) => toFacts(await client.show(model, { signal })));
    entry = { task, since: performance.now() };
    cache.delete(model);
    cache.set(model, entry);
    const [oldest] = cache.keys();
    if (cache.size > MAX_ENTRIES && oldest !== undefined) cache.delete(oldest);
  }
  try {
    return await entry.task.wait(signal);
  } catch (error) {
    // Failures are not remembered.
    if (!signal.aborted && cache.get(model) === entry) cache.delete(model);
    throw error;
  }
}

/** Forgets a model, since it has just been pulled. */
export function forgetModelFacts(client: OllamaClient, model: string): void {
  caches.get(client)?.delete(model);
}

function toFacts(info: OllamaModelInfo): ModelFacts {
  const numPredict = Number(/^num_predict\s+(\d+)\s*$/m.exec(info.parameters ?? "")?.[1] ?? 0);
  return {
    ...(info.capabilities !== undefined && { capabilities: info.capabilities }),
    ...(numPredict > 0 && { numPredict }),
  };
}
