import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { logModel } from "@chatmodel/chat-model/models";
import { contains, evaluate } from "../../../evaluation/mod.ts";
import { newTracking } from "../../tracking/fluent/support.ts";
import { authorFolder } from "../../models/_models.ts";

Deno.test("evaluate() loads a registered version by its URI, and links the run to the logged model", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder();
  const { modelId } = await logModel({
    name: "teller",
    model: join(author.path, "model.ts"),
    registeredModelName: "teller",
  });
  assert(modelId !== undefined);
  const result = await evaluate({
    model: "models:/teller/1",
    data: [{ inputs: { question: "Hi" } }],
    scorers: [contains({ texts: ["Hello Hi"] })],
    runName: "by URI",
  });
  assertEquals(result.metrics["contains/mean"], 1);
  assertEquals(result.config.model, { name: "teller", uri: "models:/teller/1", modelId });
  const [run] = await tracking.runs();
  assertEquals(run?.inputs.modelIds, [modelId]);
  assertEquals(run?.data.params["model_uri"], "models:/teller/1");
  const metrics = (await tracking.store.getLoggedModel(modelId)).metrics;
  assertEquals(metrics.find(({ key }) => key === "contains/mean")?.runId, run?.info.runId);
});
