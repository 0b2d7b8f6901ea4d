/**
 * Writes traces into a database, in a thread of its own: who else is writing there may lock it for seconds, and SQLite
 * waits in its thread.
 *
 * @module
 */
import { parentPort } from "node:worker_threads";
import { openTrackingStore, TrackingError, type TrackingStore } from "../tracking/mod.ts";
import { ChatModelError } from "../types/mod.ts";
import { experimentIdOf } from "./_experiment.ts";
import type { StoreAnswer, StoreOptions, StoreOrder } from "./_store_messages.ts";

interface Target {
  readonly store: TrackingStore;
  readonly options: StoreOptions;
}

let target: Target | undefined;
let experimentId: string | undefined;

async function obey(order: StoreOrder): Promise<void> {
  switch (order.kind) {
    case "open":
      target = { store: openTrackingStore(order.uri), options: order.options };
      await findExperiment(target);
      return;
    case "write": {
      if (target === undefined) throw new TrackingError("INVALID_STATE", "Cannot write traces: no store is open");
      const { store, options: { runId } } = target;
      const id = await findExperiment(target);
      for (const { spans, metadata } of order.groups) await store.logSpans(id, spans, { runId, metadata });
      return;
    }
    case "close":
      await target?.store[Symbol.asyncDispose]();
      target = undefined;
  }
}

async function findExperiment({ store, options: { experiment } }: Target): Promise<string> {
  return experimentId ??= await experimentIdOf({
    getByName: (name) => store.getExperimentByName(name),
    create: (options) => store.createExperiment(options),
  }, experiment);
}

function toAnswer(error: unknown): StoreAnswer {
  return {
    ok: false,
    errorCode: error instanceof TrackingError ? error.errorCode : "INTERNAL_ERROR",
    code: ChatModelError.isInstance(error) ? error.code ?? undefined : undefined,
    message: error instanceof Error ? error.message : String(error),
    retryable: ChatModelError.isInstance(error) && error.retryable,
  };
}

/** One order after the other. */
let last: Promise<void> = Promise.resolve();

parentPort?.on("message", (order: StoreOrder) => {
  last = last.then(() => obey(order)).then((): StoreAnswer => ({ ok: true }), toAnswer).then((answer) =>
    parentPort?.postMessage(answer)
  );
});
