/**
 * What this package sees of what Python wrote in store_checks.py, in the store that the environment names.
 *
 * Usage: `read_back.ts SOURCE`, with how the source of a registered version begins there.
 */
import { assertEquals } from "@std/assert";
import { loadModel } from "../models/mod.ts";
import { openModelRegistry } from "../registry/mod.ts";
import { closeTracking, getTrackingStore } from "../tracking/mod.ts";

const store = getTrackingStore();
const experiment = await store.getExperimentByName("chatmodel-quickstart");
const { items } = await store.searchRuns({
  experimentIds: [experiment?.experimentId ?? ""],
  filter: "attributes.run_name = 'from-python'",
});
const [run] = items;
assertEquals(items.length, 1);
assertEquals([run?.info.status, run?.data.params, run?.data.metrics], ["FINISHED", { language: "Python" }, {
  accuracy: 0.5,
}]);
const note = await store.artifacts(run?.info.artifactUri ?? "").get("note.txt");
assertEquals(await new Response(note).text(), "hello");
{
  await using registry = openModelRegistry();
  const { items: models } = await registry.searchRegisteredModels();
  assertEquals(models.map(({ name }) => name), ["assistant", "from_python"]);
  const version = await registry.getModelVersionByAlias("from_python", "best");
  assertEquals([version.version, version.source.startsWith(Deno.args[0] ?? "?")], ["1", true]);
}
const model = await loadModel("models:/from_python@best");
assertEquals((await model.predict({ messages: [{ role: "user", content: "Hi" }] })).object, "chat.completion");
await closeTracking();
