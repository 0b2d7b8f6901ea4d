/**
 * Serves chat models over HTTP, to OpenAI's clients and to MLflow's.
 *
 * Run it: `deno run --allow-net --allow-read --allow-env serve.ts --help`.
 * Or build an app of your own, for {@linkcode listen}, `Deno.serve`, `deno serve` or Deno Deploy:
 *
 * @example An app of your own
 * ```ts
 * import { createApp } from "@chatmodel/chat-model/serve";
 * import { DemoChatModel } from "@chatmodel/chat-model/demo";
 * import { assertEquals } from "@std/assert";
 *
 * const app = createApp({ demo: DemoChatModel });
 * const response = await app.fetch(new Request("http://localhost/v1/models"));
 * assertEquals((await response.json()).data[0].id, "demo");
 * ```
 *
 * @module
 */
import { main } from "./serving/main.ts";

export { type App, type AppOptions, createApp } from "./serving/app.ts";
export {
  type ApiKey,
  ApiKeys,
  ApiKeysFile,
  type ApiKeysFileOptions,
  apiKeysFromText,
  type ApiKeySource,
  type ApiKeysTextOptions,
} from "./serving/access/mod.ts";
export {
  Admission,
  type AdmissionOptions,
  type AdmissionRequest,
  type LimitAmounts,
  type LimitDecision,
  type LimitedKey,
  type LimitHeader,
  type LimitRefusal,
  type LimitReservation,
  type Limits,
  type LimitState,
  type LimitStore,
  type ModelLoad,
  type QueueOptions,
  type Ticket,
} from "./serving/limits/mod.ts";
export type { MetricsText } from "./serving/_metrics_route.ts";
export type { RequestRecord, TokenCounts } from "./serving/request_record.ts";
export type { AppModel, AppModels, LoadedModel, ModelDirectory } from "./serving/directory.ts";
export { MemoryResponseStore, type MemoryResponseStoreOptions } from "./serving/_memory_store.ts";
export { listen, type ListeningServer, type ListenOptions, type ShutdownOptions } from "./serving/listen.ts";
export type { AllowedOrigins } from "./serving/origins.ts";
export type {
  ResponseStore,
  StoredAnswer,
  StoredAnswerPage,
  StoredAnswerQuery,
  StoredObject,
} from "./serving/response_store.ts";

if (import.meta.main) await main(Deno.args);
