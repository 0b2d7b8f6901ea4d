import { assert, assertEquals, assertRejects } from "@std/assert";
import { type CreateRunOptions, type Run, TrackingError, type TrackingStore } from "@chatmodel/chat-model/tracking";

/** Opens a store. */
export type OpenStore = () => Promise<{ readonly store: TrackingStore } & AsyncDisposable>;

/** A store under test. */
export interface Suite {
  readonly name: string;
  readonly open: OpenStore;
}

/** What a test gets. */
export interface Fixture {
  readonly store: TrackingStore;
  /** An experiment of the test's own. */
  readonly experimentId: string;
  /** Its name, which no other experiment's begins with. */
  readonly name: string;
  /** Makes a run in it. */
  run(options?: Partial<CreateRunOptions>): Promise<Run>;
  /** Makes a run in it and returns its id. */
  runId(options?: Partial<CreateRunOptions>): Promise<string>;
}

/** An id that is well formed and that nothing has. */
export const NO_RUN = "0".repeat(32);
/** An id that is well formed and that nothing has. */
export const NO_MODEL = `m-${NO_RUN}`;
/** An id that is well formed and that nothing has. */
export const NO_EXPERIMENT = "987654321";
/** A time, in ms since 1970. */
export const START = 1_795_000_000_000;

/** Registers a test of a store. */
export function testStore(suite: Suite, title: string, body: (fixture: Fixture) => Promise<void>): void {
  Deno.test(`${title} [${suite.name}]`, async () => {
    await using opened = await suite.open();
    const { store } = opened;
    const name = `suite-${crypto.randomUUID()}`;
    const experimentId = await store.createExperiment({ name });
    const run = (options: Partial<CreateRunOptions> = {}) => store.createRun({ experimentId, ...options });
    await body({ store, experimentId, name, run, runId: async (options) => (await run(options)).info.runId });
  });
}

/** Asserts that something is refused with one of MLflow's codes. */
export async function assertRefused(action: () => Promise<unknown>, errorCode: string): Promise<TrackingError> {
  const error = await assertRejects(action, TrackingError);
  assertEquals(error.errorCode, errorCode, error.message);
  return error;
}

/** Asserts that a thing is defined, and returns it. */
export function defined<Value>(value: Value | undefined): Value {
  assert(value !== undefined, "Expected a value, found none");
  return value;
}

/** All items of all pages of two, after checking that pages are full until the last. */
export async function collectPages<Item>(
  nextPage: (
    options: { readonly maxResults: number; readonly pageToken?: string },
  ) => Promise<{ readonly items: readonly Item[]; readonly nextPageToken?: string }>,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let pageToken: string | undefined;
  do {
    const page = await nextPage({ maxResults: 2, ...(pageToken !== undefined && { pageToken }) });
    items.push(...page.items);
    pageToken = page.nextPageToken;
    if (pageToken !== undefined) assertEquals(page.items.length, 2);
  } while (pageToken !== undefined);
  return items;
}

/** As many entries as asked for. */
export function manyEntries(count: number): { readonly [key: string]: string } {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, `value${index}`]));
}
