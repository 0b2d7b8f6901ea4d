import { assertEquals, assertRejects } from "@std/assert";
import type { ModelRegistry } from "@chatmodel/chat-model/registry";
import { type LoggedModel, TrackingError, type TrackingStore } from "@chatmodel/chat-model/tracking";

/** Opens a registry and the tracking store beside it. */
export type OpenRegistry = () => Promise<
  { readonly store: TrackingStore; readonly registry: ModelRegistry } & AsyncDisposable
>;

/** A registry under test. */
export interface Suite {
  readonly name: string;
  readonly open: OpenRegistry;
}

/** What a test gets. */
export interface Fixture {
  readonly store: TrackingStore;
  readonly registry: ModelRegistry;
  /** A name of the test's own, which nothing has yet. */
  readonly name: string;
  /** Makes a logged model by a run. */
  logModel(name?: string): Promise<LoggedModel & { readonly runId: string }>;
  /** Makes the registered model `name`, with as many versions as told. */
  register(count: number): Promise<LoggedModel & { readonly runId: string }>;
}

/** Registers a test of a registry. */
export function testRegistry(suite: Suite, title: string, body: (fixture: Fixture) => Promise<void>): void {
  Deno.test(`${title} [${suite.name}]`, async () => {
    await using opened = await suite.open();
    const { store, registry } = opened;
    const name = `registry-${crypto.randomUUID()}`;
    const logModel = async (modelName = "assistant") => {
      const experimentId = await experimentOf(store, name);
      const { info } = await store.createRun({ experimentId });
      const model = await store.createLoggedModel({ experimentId, name: modelName, sourceRunId: info.runId });
      await store.logOutputs(info.runId, [{ modelId: model.modelId, step: 0 }]);
      return { ...await store.finalizeLoggedModel(model.modelId, "READY"), runId: info.runId };
    };
    const register = async (count: number) => {
      const model = await logModel();
      await registry.createRegisteredModel(name);
      for (let made = 0; made < count; made++) {
        await registry.createModelVersion({ name, source: `models:/${model.modelId}`, modelId: model.modelId });
      }
      return model;
    };
    await body({ store, registry, name, logModel, register });
  });
}

async function experimentOf(store: TrackingStore, name: string): Promise<string> {
  const found = await store.getExperimentByName(name);
  return found?.experimentId ?? await store.createExperiment({ name });
}

/** Asserts that something is refused with one of MLflow's codes. */
export async function assertRefused(action: () => Promise<unknown>, errorCode: string): Promise<TrackingError> {
  const error = await assertRejects(action, TrackingError);
  assertEquals(error.errorCode, errorCode, error.message);
  return error;
}
