import { assertEquals } from "@std/assert";
import type { SearchExperimentsOptions, TrackingStore } from "@chatmodel/chat-model/tracking";
import { assertRefused, collectPages, type Suite, testStore } from "./support.ts";

/** Searching for experiments. */
export function searchExperimentTests(suite: Suite): void {
  testStore(suite, "searchExperiments() understands MLflow's filters", async ({ store, name }) => {
    await store.createExperiment({ name: `${name}-a`, tags: { team: "x", "odd key": "1" } });
    await store.createExperiment({ name: `${name}-B`, tags: { team: "y's" } });
    const find = (filter: string) => names(store, name, { filter });
    const all = ["", "-B", "-a"];
    assertEquals(await find(`name LIKE '${name}%'`), all);
    assertEquals(await find(`name = '${name}-a'`), ["-a"]);
    assertEquals(await find(`attribute.name = '${name}-a'`), ["-a"]);
    assertEquals(await find(`name != '${name}-a' AND name LIKE '${name}%'`), ["", "-B"]);
    assertEquals(await find(`name LIKE '${name}-b'`), []);
    assertEquals(await find(`name ILIKE '${name.toUpperCase()}-b'`), ["-B"]);
    assertEquals(await find(`name LIKE '${name}%' AND tags.team = 'x'`), ["-a"]);
    assertEquals(await find(`tags.team LIKE 'x%' and name LIKE '${name}%'`), ["-a"]);
    assertEquals(await find(`tags.\`odd key\` = '1' AND name LIKE '${name}%'`), ["-a"]);
    assertEquals(await find(`name LIKE '${name}%' AND creation_time > 0 AND last_update_time > 1000`), all);
    assertEquals(await find(`name LIKE '${name}%' AND creation_time < 1000`), []);
  });

  testStore(suite, "searchExperiments() orders as told", async ({ store, name }) => {
    await store.createExperiment({ name: `${name}-a` });
    await store.createExperiment({ name: `${name}-b` });
    const order = async (...orderBy: string[]) => {
      const { items } = await store.searchExperiments({ filter: `name LIKE '${name}%'`, orderBy });
      return items.map((experiment) => experiment.name.slice(name.length));
    };
    assertEquals(await order("name ASC"), ["", "-a", "-b"]);
    assertEquals(await order("name DESC"), ["-b", "-a", ""]);
    assertEquals(await order("experiment_id DESC"), ["-b", "-a", ""]);
    assertEquals(await order("creation_time", "experiment_id ASC"), ["", "-a", "-b"]);
  });

  testStore(suite, "searchExperiments() tells deleted ones from active ones", async ({ store, experimentId, name }) => {
    await store.createExperiment({ name: `${name}-a` });
    await store.deleteExperiment(experimentId);
    const find = (options: SearchExperimentsOptions) =>
      names(store, name, { filter: `name LIKE '${name}%'`, ...options });
    assertEquals(await find({}), ["-a"]);
    assertEquals(await find({ viewType: "active" }), ["-a"]);
    assertEquals(await find({ viewType: "deleted" }), [""]);
    assertEquals(await find({ viewType: "all" }), ["", "-a"]);
  });

  testStore(suite, "searchExperiments() gives pages", async ({ store, name }) => {
    for (const suffix of ["-a", "-b", "-c", "-d"]) await store.createExperiment({ name: `${name}${suffix}` });
    const found = await collectPages((page) =>
      store.searchExperiments({ filter: `name LIKE '${name}%'`, orderBy: ["name"], ...page })
    );
    assertEquals(found.map((experiment) => experiment.name.slice(name.length)), ["", "-a", "-b", "-c", "-d"]);
  });

  testStore(suite, "searchExperiments() refuses what it does not understand", async ({ store }) => {
    const refuse = (options: SearchExperimentsOptions) =>
      assertRefused(() => store.searchExperiments(options), "INVALID_PARAMETER_VALUE");
    await refuse({ filter: "nope = 'x'" });
    await refuse({ filter: "name =" });
    await refuse({ filter: "name = 'a' OR name = 'b'" });
    await refuse({ filter: "name > 'a'" });
    await refuse({ orderBy: ["nope DESC"] });
    await refuse({ pageToken: "???" });
    await refuse({ maxResults: 0 });
    await refuse({ maxResults: 50_001 });
  });
}

async function names(store: TrackingStore, prefix: string, options: SearchExperimentsOptions): Promise<string[]> {
  const { items } = await store.searchExperiments(options);
  return items.map(({ name }) => name.slice(prefix.length)).sort();
}
