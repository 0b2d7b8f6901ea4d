import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { TrackingError } from "@chatmodel/chat-model/tracking";
import {
  activeRun,
  endRun,
  lastActiveRun,
  logMetric,
  logParam,
  setExperiment,
  setTrackingUri,
  startRun,
} from "../../../tracking/fluent/mod.ts";
import { newTracking } from "./support.ts";

Deno.test("startRun() finishes a run with its callback, and returns what that returns", async () => {
  await using tracking = await newTracking();
  const before = Date.now();
  const runId = await startRun({ runName: "first", tags: { a: 1 }, description: "**Text**" }, async (run) => {
    assertEquals(activeRun()?.info.runId, run.info.runId);
    assertEquals(run.ended, false);
    await logParam("p", "v");
    return run.info.runId;
  });
  assertEquals(activeRun(), undefined);
  const { info, data } = await tracking.store.getRun(runId);
  assertEquals([info.status, info.runName, info.experimentId], ["FINISHED", "first", "0"]);
  assert(info.endTime !== undefined && info.endTime >= before);
  assertEquals([data.tags["a"], data.tags["mlflow.note.content"]], ["1", "**Text**"]);
  assertEquals(data.params, { p: "v" });
});

Deno.test("startRun() tags a run with its user and its program, as MLflow does", async () => {
  await using tracking = await newTracking();
  const runId = await startRun(({ info }) => info.runId);
  const { info, data } = await tracking.store.getRun(runId);
  assertEquals(data.tags["mlflow.source.type"], "LOCAL");
  assert(!data.tags["mlflow.source.name"]?.startsWith("file:"));
  assert((data.tags["mlflow.user"] ?? "") !== "");
  assertEquals(info.userId, data.tags["mlflow.user"]);
  assertEquals(data.tags["mlflow.parentRunId"], undefined);
});

Deno.test("startRun() marks a run as failed when its callback throws, and rethrows that untouched", async () => {
  await using tracking = await newTracking();
  const failure = new Error("The model is asleep");
  const thrown = await startRun(() => Promise.reject(failure)).catch((error: unknown) => error);
  assertStrictEquals(thrown, failure);
  const synchronous = await startRun(() => {
    throw failure;
  }).catch((error: unknown) => error);
  assertStrictEquals(synchronous, failure);
  assertEquals((await tracking.runs()).map(({ info }) => info.status), ["FAILED", "FAILED"]);
  assertEquals(activeRun(), undefined);
});

Deno.test("startRun() rethrows what the callback threw even when the run cannot be ended", async () => {
  await using tracking = await newTracking();
  const failure = new Error("The model is asleep");
  const thrown = await startRun(async ({ info, store }) => {
    await store.deleteRun(info.runId);
    throw failure;
  }).catch((error: unknown) => error);
  assertStrictEquals(thrown, failure);
  assertEquals(await tracking.runs(), []);
});

Deno.test("startRun() finishes a run at the end of its block", async () => {
  await using tracking = await newTracking();
  let runId: string;
  {
    await using run = await startRun({ runName: "block" });
    runId = run.info.runId;
    assertEquals(activeRun()?.info.runId, runId);
    await logMetric("m", 1);
    assertEquals((await tracking.store.getRun(runId)).info.status, "RUNNING");
  }
  assertEquals(activeRun(), undefined);
  const { info, data } = await tracking.store.getRun(runId);
  assertEquals([info.status, data.metrics["m"]], ["FINISHED", 1]);
});

Deno.test("ActiveRun.end() decides how a run ended, once", async () => {
  await using tracking = await newTracking();
  {
    await using run = await startRun();
    const ending = run.end("FAILED");
    assertEquals([run.ended, activeRun()], [true, undefined]);
    await ending;
    await run.end("KILLED");
  }
  await startRun(async (run) => {
    await run.end("KILLED");
    assertEquals(activeRun(), undefined);
  });
  assertEquals((await tracking.runs()).map(({ info }) => info.status).sort(), ["FAILED", "KILLED"]);
});

Deno.test("startRun() refuses a second run unless it is nested", async () => {
  await using tracking = await newTracking();
  await startRun(async (run) => {
    const error = await assertRejects(() => startRun(() => {}), TrackingError, "nested: true");
    assertEquals([error.errorCode, error.status], ["INVALID_STATE", 400]);
    assertStringIncludes(error.message, run.info.runId);
    await assertRejects(() => startRun(), TrackingError, "nested: true");
    assertEquals(activeRun(), run);
  });
  assertEquals((await tracking.runs()).length, 1);
});

Deno.test("startRun() links nested runs to their parents, in whichever form", async () => {
  await using tracking = await newTracking();
  const { experimentId } = await setExperiment("chosen");
  await startRun({ runName: "parent", experimentId: "0" }, async (parent) => {
    await startRun({ runName: "child", nested: true }, async (child) => {
      {
        await using grandchild = await startRun({ runName: "grandchild", nested: true });
        assertEquals(activeRun(), grandchild);
      }
      assertEquals(activeRun(), child);
    });
    assertEquals(activeRun(), parent);
  });
  // Children belong where their parents do.
  assertEquals(await tracking.runs(experimentId), []);
  const runs = new Map((await tracking.runs()).map((run) => [run.info.runName, run]));
  const parentOf = (name: string) => runs.get(name)?.data.tags["mlflow.parentRunId"];
  assertEquals(parentOf("parent"), undefined);
  assertEquals(parentOf("child"), runs.get("parent")?.info.runId);
  assertEquals(parentOf("grandchild"), runs.get("child")?.info.runId);
});

Deno.test("startRun() lets nested: true start a run without a parent", async () => {
  await using tracking = await newTracking();
  await startRun({ nested: true }, () => {});
  assertEquals((await tracking.runs())[0]?.data.tags["mlflow.parentRunId"], undefined);
});

for (const form of ["callback", "block"] as const) {
  Deno.test(`startRun() keeps 20 tasks with nested runs apart (${form})`, async () => {
    await using tracking = await newTracking();
    async function work(name: string, inner?: () => Promise<void>): Promise<void> {
      const own = activeRun()?.info.runName;
      assertEquals(own, name);
      for (let step = 0; step < 3; step++) {
        await logMetric(name, step, { step });
        await new Promise((resolve) => setTimeout(resolve, step));
        assertEquals(activeRun()?.info.runName, name);
      }
      await inner?.();
      await logParam(name, name);
    }
    async function inRun(options: { runName: string; nested?: boolean }, body: () => Promise<void>): Promise<void> {
      if (form === "callback") return await startRun(options, body);
      await using _run = await startRun(options);
      await body();
    }
    await Promise.all(
      Array.from(
        { length: 20 },
        (_, index) =>
          inRun({ runName: `task${index}` }, () =>
            work(`task${index}`, async () => {
              await Promise.all(["a", "b"].map((suffix) => {
                const runName = `task${index}${suffix}`;
                return inRun({ runName, nested: true }, () => work(runName));
              }));
            })),
      ),
    );
    assertEquals(activeRun(), undefined);
    const runs = await tracking.runs();
    assertEquals(runs.length, 60);
    const names = new Map(runs.map(({ info }) => [info.runId, info.runName]));
    for (const { info, data } of runs) {
      assertEquals(info.status, "FINISHED");
      assertEquals(data.metrics, { [info.runName]: 2 });
      assertEquals(data.params, { [info.runName]: info.runName });
      const parent = names.get(data.tags["mlflow.parentRunId"] ?? "");
      assertEquals(parent, /[ab]$/.test(info.runName) ? info.runName.slice(0, -1) : undefined);
    }
  });
}

Deno.test("startRun() resumes a run, and sets name, tags and description on it", async () => {
  await using tracking = await newTracking();
  const runId = await startRun({ runName: "old", tags: { a: "1" } }, async ({ info }) => {
    await logParam("p", "1");
    return info.runId;
  });
  await startRun({ runId, runName: "new", tags: { b: "2" }, description: "Again" }, async ({ info }) => {
    assertEquals([info.runId, info.status, info.runName], [runId, "RUNNING", "new"]);
    await logParam("q", "2");
  });
  const { info, data } = await tracking.store.getRun(runId);
  assertEquals([info.status, info.runName], ["FINISHED", "new"]);
  assertEquals(data.params, { p: "1", q: "2" });
  assertEquals([data.tags["a"], data.tags["b"], data.tags["mlflow.note.content"]], ["1", "2", "Again"]);
  assertEquals((await tracking.runs()).length, 1);
});

Deno.test("startRun() refuses to resume runs that are deleted, not there, or of another experiment", async () => {
  await using tracking = await newTracking();
  const runId = await startRun(({ info }) => info.runId);
  await setExperiment("other");
  await assertRejects(() => startRun({ runId }), TrackingError, 'setExperiment({ experimentId: "0" })');
  await setExperiment({ experimentId: "0" });
  await tracking.store.deleteRun(runId);
  await assertRejects(() => startRun({ runId }), TrackingError, "restoreRun");
  const gone = await assertRejects(() => startRun({ runId: "0".repeat(32) }), TrackingError);
  assertEquals(gone.errorCode, "RESOURCE_DOES_NOT_EXIST");
  assertEquals(activeRun(), undefined);
});

Deno.test("startRun() refuses a description beside its tag", async () => {
  await using _tracking = await newTracking();
  const options = { description: "a", tags: { "mlflow.note.content": "b" } };
  await assertRejects(() => startRun(options), TrackingError, "Leave one out");
});

Deno.test("startRun() leaves active runs where they are when the tracking URI changes", async () => {
  await using first = await newTracking();
  await startRun(async ({ info }) => {
    setTrackingUri(`sqlite:///${first.folder}/second.db`);
    await logParam("p", "1");
    setTrackingUri(first.uri);
    assertEquals((await first.store.getRun(info.runId)).data.params, { p: "1" });
  });
});

Deno.test("endRun() ends the innermost run, and does nothing where there is none", async () => {
  await using tracking = await newTracking();
  await endRun();
  await startRun({ runName: "outer" });
  await startRun({ runName: "inner", nested: true });
  await endRun("KILLED");
  assertEquals(activeRun()?.info.runName, "outer");
  await endRun();
  await endRun();
  const statuses = Object.fromEntries((await tracking.runs()).map(({ info }) => [info.runName, info.status]));
  assertEquals(statuses, { outer: "FINISHED", inner: "KILLED" });
});

Deno.test("lastActiveRun() is the active run, then the one that ended last", async () => {
  await using _tracking = await newTracking();
  const runId = await startRun(async ({ info }) => {
    await logParam("p", "1");
    const run = await lastActiveRun();
    assertEquals([run?.info.runId, run?.info.status, run?.data.params["p"]], [info.runId, "RUNNING", "1"]);
    return info.runId;
  });
  const run = await lastActiveRun();
  assertEquals([run?.info.runId, run?.info.status], [runId, "FINISHED"]);
});

Deno.test("A run that a function started for its caller is not lost in silence", async () => {
  await using tracking = await newTracking();
  async function begin() {
    await Promise.resolve();
    return await startRun({ runName: "lost" });
  }
  const run = await begin();
  assertEquals(activeRun(), undefined);
  const error = await assertRejects(() => logParam("p", "1"), TrackingError, run.info.runId);
  assertStringIncludes(error.message, "startRun(options, callback)");
  await assertRejects(() => endRun(), TrackingError, run.info.runId);
  await logParam("p", "1", { runId: run.info.runId });
  await run.end();
  assertEquals((await tracking.runs()).map(({ info }) => info.runName), ["lost"]);
});
