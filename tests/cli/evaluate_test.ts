/** From evaluating a model to moving its alias, by the command line. */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { CommandError } from "../../_command_error.ts";
import { parseCommand } from "../../cli/command.ts";
import { evaluate } from "../../cli/evaluate.ts";
import { openTrackingStore } from "../../tracking/mod.ts";
import { ROOT } from "../support/command.ts";
import { workplace } from "./_cli.ts";
import { aliasOf, ECHO, echoRows, moveAlias, startOllama, tutorialRows, writeRows } from "./_evaluate.ts";

const WITHOUT_MAPPING = join(ROOT, "examples/simple_ollama_model.ts");
const WITH_MAPPING = join(ROOT, "examples/ollama_model_with_metadata.ts");
const GATE = "exact_match >= 0.8, exact_match >= baseline, rows_failed == 0";

Deno.test("cli.ts evaluate promotes the tutorial's version that heeds max_tokens, and refuses the one that does not", async () => {
  await using ollama = startOllama();
  await using place = await workplace({ OLLAMA_HOST: ollama.url });
  const data = await writeRows(place, tutorialRows());
  const logged = ["--name", "assistant", "--register", "assistant"];
  await place.json(["log", WITHOUT_MAPPING, ...logged, "--alias", "champion", "--json"]);
  await place.json(["log", WITH_MAPPING, ...logged, "--json"]);

  const flags = [
    "--data",
    data,
    "--scorers",
    "exact_match,contains,latency",
    "--baseline",
    "models:/assistant@champion",
  ];
  const judged = ["evaluate", ...flags, "--gate", GATE, "--promote", "champion"];
  const fixed = await place.run([...judged, "--model", "models:/assistant/2", "--run-name", "fixed"]);
  assertEquals(fixed.code, 0, fixed.stderr);
  assertStringIncludes(fixed.stdout, "The gate is passed");
  assertMatch(fixed.stdout, /exact_match +0\.2 +1 +\+0\.8 .*better/);
  assertStringIncludes(fixed.stdout, "models:/assistant@champion is version 2 now, and was version 1");
  assertEquals(await aliasOf(place, "assistant", "champion"), "2");

  await place.json(["register", "models:/assistant/1", "assistant", "--json"]);
  const broken = await place.run([...judged, "--model", "models:/assistant/3"]);
  assertEquals(broken.code, 1);
  assertMatch(broken.stdout, /REFUSED +exact_match >= 0\.8 +exact_match\/mean is 0\.2, but it must be >= 0\.8/);
  assertMatch(broken.stdout, /exact_match +1 +0\.2 +-0\.8 .*worse/);
  assertStringIncludes(broken.stderr, "error: The gate is not passed: exact_match/mean is 0.2, but it must be >= 0.8");
  assertEquals(await aliasOf(place, "assistant", "champion"), "2");

  // The runs tell the same.
  const runs = await place.json(["runs", "list", "--filter", "tags.`mlflow.runType` = 'genai_evaluate'", "--json"]);
  assertEquals(runs.map((run: { readonly data: { readonly metrics: object } }) => run.data.metrics).map(exactMatchOf), [
    1,
    0.2,
    0.2,
    1,
  ]);
  const [, , , { info, data: { params, tags } }] = runs;
  const [, runId] = /^Run (\w{32}), baseline: run (\w{32})$/m.exec(fixed.stdout) ?? [];
  assertEquals([info.run_id, info.run_name, info.status], [runId, "fixed", "FINISHED"]);
  assertEquals([params.model_uri, params.dataset], ["models:/assistant/2", "rows.jsonl"]);
  assertEquals(tags["chatmodel.gate"], "passed");
});

function exactMatchOf(metrics: object): unknown {
  return Object.entries(metrics).find(([name]) => name === "exact_match/mean")?.[1];
}

Deno.test("cli.ts evaluate leaves an alias alone that was moved while it ran", async () => {
  await using ollama = startOllama();
  await using place = await workplace({ OLLAMA_HOST: ollama.url });
  const data = await writeRows(place, tutorialRows());
  for (let version = 1; version <= 3; version++) {
    await place.json(["log", WITH_MAPPING, "--name", "m", "--register", "m", "--json"]);
  }
  await moveAlias(place, { name: "m", alias: "champion", version: "1" });
  ollama.hold = async () => {
    ollama.hold = () => Promise.resolve();
    await moveAlias(place, { name: "m", alias: "champion", version: "3" });
  };
  const ended = await place.run([
    ...["evaluate", "--model", "models:/m/2", "--data", data, "--scorers", "exact_match"],
    ...["--gate", "exact_match==1", "--promote", "champion"],
  ]);
  assertEquals(ended.code, 1);
  assertStringIncludes(ended.stdout, "The gate is passed");
  assertStringIncludes(
    ended.stderr,
    "error: models:/m@champion is left alone: it was version 1 when the evaluation began, and is version 3 now",
  );
  assertEquals(await aliasOf(place, "m", "champion"), "3");
});

Deno.test("cli.ts evaluate writes JUnit's XML, JSON and a report for the browser, and prints JSON", async () => {
  await using place = await workplace();
  const model = await place.write("echo.ts", ECHO);
  const data = await writeRows(place, [
    ...echoRows(["one", "two", "boom"]),
    { id: "three", inputs: "3", expectations: { expected_response: "three" } },
  ]);
  const args = ["evaluate", "-m", model, "-d", data, "--scorers", "exact_match, length", "--gate", "length_p95<1"];
  const { code, stdout, stderr } = await place.run([
    ...args,
    "--output",
    "out/reports",
    "--html",
    "page.html",
    "--json",
  ]);
  assertEquals(code, 1, stderr);
  const printed = JSON.parse(stdout);
  assertEquals(printed.candidate.rows, { total: 4, failed: 1, resumed: 0 });
  assertEquals(printed.candidate.metrics["exact_match/mean"], 0.5);
  assertEquals(printed.gate, {
    holds: false,
    conditions: [{
      condition: "length_p95<1",
      metric: "length/p95",
      value: 3,
      limit: 1,
      holds: false,
      reason: "length/p95 is 3, but it must be < 1",
    }],
  });
  const written = await Deno.readTextFile(join(place.path, "out/reports/results.json"));
  assertEquals(JSON.parse(written), printed);
  const junit = await Deno.readTextFile(join(place.path, "out/reports/junit.xml"));
  assertStringIncludes(junit, '<testsuite name="answers" tests="4" failures="0" errors="1" skipped="0">');
  assertStringIncludes(junit, '<testsuite name="exact_match" tests="4" failures="2" errors="0" skipped="0">');
  assertStringIncludes(junit, '<testsuite name="length" tests="4" failures="0" errors="0" skipped="1">');
  assertStringIncludes(junit, '<testsuite name="gate" tests="1" failures="1" errors="0" skipped="0">');
  assertStringIncludes(await Deno.readTextFile(join(place.path, "page.html")), "<!DOCTYPE html>");
});

Deno.test("cli.ts evaluate tells of the worst rows, and fails without a gate where the model failed", async () => {
  await using place = await workplace();
  const model = await place.write("echo.ts", ECHO);
  const data = await writeRows(place, [
    { id: "wrong", inputs: "3\u001b[31m\nand\tmore", expectations: { expected_response: "three" } },
    ...echoRows(["one", "boom"]),
  ]);
  const { code, stdout, stderr } = await place.run(["evaluate", "-m", model, "-d", data, "--scorers", "exact_match"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "error: Of 3 rows, the model failed on 1");
  const rows = stdout.slice(stdout.indexOf("Something is wrong with 2 rows:")).split("\n").slice(2, 5);
  assertEquals(rows.map((row) => row.split(/ {2,}/)), [
    ["ROW", "WHAT", "ASKED", "ANSWERED"],
    ["boom", "model failed", "boom", "Cannot answer: the model failed: Cannot answer"],
    ["wrong", "exact_match", "3 [31m and more", "3 [31m and more"],
  ]);
  // Where there is no terminal, progress comes in lines.
  assertStringIncludes(stderr, "echo.ts: 3 rows\n");
  assertStringIncludes(stderr, "echo.ts: 3 of 3 rows, 1 failed\n");
});

Deno.test({
  name: "cli.ts evaluate that is interrupted says how to go on, and goes on without asking again",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using place = await workplace();
    const model = await place.write("echo.ts", ECHO);
    const data = await writeRows(place, echoRows(["one", "two", "wait", "four"]));
    const args = ["evaluate", "-m", model, "-d", data, "--scorers", "exact_match", "--concurrency", "1"];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", join(ROOT, "deno.json"), join(ROOT, "cli.ts"), ...args],
      cwd: place.path,
      env: { NO_COLOR: "1", MLFLOW_TRACKING_URI: "" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let said = "";
    const stdout = new Response(child.stdout).text();
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      const before = said;
      said += text;
      if (said.includes("waiting") && !before.includes("waiting")) child.kill("SIGINT");
    }
    assertEquals([(await child.status).code, await stdout], [130, ""]);
    const [, journal = ""] = /Interrupted after 2 of 4 rows: go on by the same line with --resume (\S+)\n/.exec(said) ??
      [];
    assert(journal !== "", said);
    const [killed] = await place.json(["runs", "list", "--json"]);
    assertEquals(killed.info.status, "KILLED");

    await place.write("go", "");
    const resumed = await place.json([...args, "--resume", journal, "--json"]);
    assertEquals(resumed.candidate.rows, { total: 4, failed: 0, resumed: 2 });
    assertEquals(resumed.candidate.runId, killed.info.run_id);
    const [finished, ...others] = await place.json(["runs", "list", "--json"]);
    assertEquals([finished.info.status, others], ["FINISHED", []]);
    await Deno.remove(join(journal, ".."), { recursive: true });
  },
});

Deno.test("cli.ts evaluate takes the first rows, scorers of one's own, and a baseline's journal", async () => {
  await using place = await workplace();
  const model = await place.write("echo.ts", ECHO);
  const data = await writeRows(place, echoRows(["one", "two", "three", "four"]));
  await place.write(
    "scorers.ts",
    'export default [function vowels({ text }: { text: string }) { return { name: "vowels", value: text.match(/[aeiou]/g)?.length ?? 0 }; }];\n',
  );
  const args = ["evaluate", "-m", model, "-d", data, "--scorers", "./scorers.ts,contains", "--seed", "7"];
  const options = ["--scorer-options", '{"contains": {"texts": ["O"], "ignoreCase": true}}'];
  const first = await place.json([...args, ...options, "--limit", "3", "--resume", "before.jsonl", "--json"]);
  assertEquals(first.candidate.rows, { total: 3, failed: 0, resumed: 0 });
  assertEquals(first.candidate.metrics["contains/mean"], 2 / 3);
  assertEquals(first.candidate.seed, 7);

  const gate = ["--gate", "vowels/mean>=baseline", "--gate", "vowels_difference==0"];
  const ended = await place.run([...args, ...options, "--baseline", "before.jsonl", ...gate, "--json"]);
  assertEquals(ended.code, 0, ended.stderr);
  assertStringIncludes(ended.stderr, "warning: the baseline was evaluated on other rows");
  const second = JSON.parse(ended.stdout);
  assertEquals(second.candidate.rows.total, 4);
  assertEquals(second.baseline.runId, first.candidate.runId);
  assertEquals(second.comparison.onlyInCandidate, ["four"]);
  assertEquals(second.comparison.scores.vowels.count, 3);
  assertEquals(second.gate.holds, true);

  const unknown = await place.run([...args, "--gate", "consonants>1"]);
  assertEquals([unknown.code, unknown.stdout], [2, ""]);
  assertStringIncludes(unknown.stderr, '"consonants>1" names no metric that there is');
  assertStringIncludes(unknown.stderr, "vowels/mean");
  // The answers need not be asked for again.
  const [, journal = ""] =
    /Failed after 4 of 4 rows: go on by the same line with --resume (\S+)\n/.exec(unknown.stderr) ?? [];
  assert(journal !== "", unknown.stderr);
  await Deno.remove(join(journal, ".."), { recursive: true });
});

Deno.test("cli.ts evaluate has a model judge, and keeps a trace of each row with its scores", async () => {
  await using place = await workplace();
  const data = await writeRows(place, echoRows(["one", "two"]));
  const judge = await place.write(
    "judge.ts",
    `import { ChatModel } from "@chatmodel/chat-model";
export default class Judge extends ChatModel {
  override predict() {
    return JSON.stringify({ rationale: "It breaks the rule", value: "no" });
  }
}
`,
  );
  const { candidate } = await place.json([
    ...["evaluate", "-m", "demo", "-d", data, "--scorers", "guidelines", "--judge-model", judge, "--traces"],
    ...["--scorer-options", '{"guidelines": {"guidelines": ["Be brief"]}}', "--experiment", "judged", "--json"],
  ]);
  assertEquals(candidate.model.name, "demo");
  assertEquals(candidate.scores.guidelines.passRate.passed, 0);
  assertEquals([candidate.scores.guidelines.count, candidate.scores.guidelines.errors], [2, 0]);
  await using store = openTrackingStore(`sqlite:///${join(place.path, "mlflow.db")}`);
  const { experimentId } = await store.getRun(candidate.runId).then(({ info }) => info);
  const { items } = await store.searchTraces({ experimentIds: [experimentId] });
  const traces = items.filter(({ metadata }) => metadata["mlflow.sourceRun"] === candidate.runId);
  assertEquals(traces.length, 2);
  for (const { traceId } of traces) {
    const [feedback] = (await store.getAssessments(traceId)).filter(({ name }) => name === "guidelines");
    assertEquals([feedback?.value, feedback?.rationale], ["no", "It breaks the rule"]);
  }
});

const REFUSED: readonly (readonly [title: string, args: readonly string[], message: string])[] = [
  [
    "a scorer is unknown",
    ["--scorers", "exact_macth"],
    'there is no scorer "exact_macth": did you mean "exact_match"?',
  ],
  ["a scorer is named twice", ["--scorers", "latency,latency"], '--scorers names "latency" twice'],
  ["a judge has no model", ["--scorers", "safety"], 'The scorer "safety" is a judge: give --judge-model MODEL'],
  ["no judge needs a model", ["--judge-model", "demo"], "--judge-model is of no use"],
  [
    "options are of no scorer",
    ["--scorer-options", '{"contains": {}}'],
    '"contains" is none of the scorers that --scorers names',
  ],
  ["an option is wrong", ["--scorer-options", '{"exact_match": {"ignoreCase": 1}}'], '"ignoreCase": '],
  ["a condition cannot be read", ["--gate", "exact_match=>1"], '"exact_match=>1"'],
  ["a metric is unknown", ["--gate", "exact_macth>=0.8"], 'names no metric that there is: did you mean "exact_match"?'],
  ["there is no baseline", ["--gate", "exact_match>=baseline"], "give --baseline MODEL"],
  ["nothing is to hold", ["--promote", "champion"], "--promote needs --gate"],
  [
    "the model is not registered",
    ["--promote", "c", "--gate", "exact_match>0"],
    "--promote needs a registered version",
  ],
  ["an alias is reserved", ["--promote", "latest", "--gate", "exact_match>0"], 'the alias "latest" is reserved'],
  ["there is no such folder", ["--junit", "no/such/folder/junit.xml"], 'there is no folder "no/such/folder"'],
  ["nothing is to be resumed", ["--retry-failed"], "--retry-failed needs --resume FILE"],
];

Deno.test("cli.ts evaluate refuses a line before it asks anyone or writes anything", async (t) => {
  await using place = await workplace();
  const model = await place.write("echo.ts", ECHO);
  const data = await writeRows(place, echoRows(["boom"]));
  for (const [title, args, message] of REFUSED) {
    await t.step(`when ${title}`, async () => {
      const scorers = args.includes("--scorers") ? [] : ["--scorers", "exact_match"];
      const store = ["--tracking-uri", `sqlite:///${join(place.path, "mlflow.db")}`];
      const input = parseCommand(evaluate, ["-m", model, "-d", data, ...store, ...scorers, ...args]);
      const error = await assertRejects(() => evaluate.run(input), CommandError, message);
      assertEquals(error.exitCode, 2);
    });
  }
  const ended = await place.run([
    "evaluate",
    "-m",
    model,
    "-d",
    data,
    "--scorers",
    "latency",
    "--gate",
    "latency_p99<1",
  ]);
  assertEquals([ended.code, ended.stdout], [2, ""]);
  assertMatch(
    ended.stderr,
    /^error: --gate: .*"latency_p99<1" names no metric .*: did you mean "latency_p95"\? There are .*\n$/,
  );
  const left = await Array.fromAsync(Deno.readDir(place.path), ({ name }) => name);
  assertEquals(left.sort(), ["echo.ts", "rows.jsonl"]);
});

Deno.test("cli.ts evaluate says which version or row is not there", async () => {
  await using place = await workplace();
  const model = await place.write("echo.ts", ECHO);
  const data = await writeRows(place, echoRows(["one"]));
  await place.json(["log", model, "--name", "m", "--register", "m", "--json"]);
  const rest = ["-d", data, "--scorers", "exact_match", "--gate", "exact_match==1", "--promote", "champion"];
  const missing = await place.run(["evaluate", "-m", "models:/m/7", ...rest]);
  assertEquals([missing.code, missing.stdout], [1, ""]);
  const noBaseline = await place.run(["evaluate", "-m", "models:/m/1", ...rest, "--baseline", "models:/m@champion"]);
  assertEquals([noBaseline.code, noBaseline.stdout], [1, ""]);
  assertStringIncludes(noBaseline.stderr, "there is no such alias");
  // The first champion needs none.
  assertEquals((await place.run(["evaluate", "-m", "models:/m/latest", ...rest])).code, 0);
  assertEquals(await aliasOf(place, "m", "champion"), "1");
  // No value, no promotion: nothing was scored.
  const unscored = await place.run([
    ...["evaluate", "-m", "models:/m/1", "-d", data, "--scorers", "exact_match,cost", "--promote", "other"],
    ...["--scorer-options", '{"cost": {"prices": {"*": {"input": 1, "output": 1}}}}', "--gate", "cost<1"],
  ]);
  assertEquals(unscored.code, 1);
  assertStringIncludes(unscored.stderr, "cost/mean has no value: nothing was scored");
  assertEquals(await aliasOf(place, "m", "other"), undefined);
});
