/** The command line from logging a model to asking it, with nothing but a folder. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { modelSource, workplace } from "./_cli.ts";

const REQUEST = JSON.stringify({ messages: [{ role: "user", content: "Hi" }] });

Deno.test("cli.ts logs, registers, gives an alias, and predicts, by the forms that scripts rely on", async () => {
  await using place = await workplace();
  const file = await place.write("model.ts", modelSource("1"));
  const logged = await place.json([
    ...["log", file, "--name", "assistant_model", "--experiment", "cli", "--input-example", REQUEST],
    ...["--model-config", '{"tone": "kind"}', "--register", "assistant", "--json"],
  ]);
  assertEquals(Object.keys(logged), ["model_uri", "model_id", "run_id", "experiment_id", "version"]);
  assertMatch(logged.model_id, /^m-[0-9a-f]{32}$/);
  assertEquals(logged.model_uri, `models:/${logged.model_id}`);
  assertMatch(logged.run_id, /^[0-9a-f]{32}$/);
  assertEquals(logged.version, "1");

  const second = await place.write("second.ts", modelSource("2"));
  const unregistered = await place.json(["log", second, "--name", "assistant_model", "--experiment", "cli", "--json"]);
  assertEquals(Object.keys(unregistered), ["model_uri", "model_id", "run_id", "experiment_id"]);
  assertEquals(unregistered.experiment_id, logged.experiment_id);
  assertEquals(await place.json(["register", unregistered.model_uri, "assistant", "--json"]), {
    name: "assistant",
    version: "2",
  });

  assertEquals((await place.run(["alias", "set", "assistant", "champion", "1"])).code, 0);
  const ask = async (uri: string) => {
    const answer = await place.json(["predict", "-m", uri, "-i", "-"], REQUEST);
    return answer.choices[0].message.content;
  };
  assertEquals(await ask("models:/assistant@champion"), "version 1, kind");
  assertEquals((await place.run(["alias", "set", "assistant", "champion", "2"])).code, 0);
  assertEquals(await ask("models:/assistant@champion"), "version 2, plain");
  assertEquals(await ask("models:/assistant/1"), "version 1, kind");
  assertEquals(await ask(`runs:/${logged.run_id}/assistant_model`), "version 1, kind");
  assertEquals((await place.run(["alias", "remove", "assistant", "champion"])).code, 0);
  const gone = await place.run(["predict", "-m", "models:/assistant@champion", "-i", "-"], REQUEST);
  assertEquals([gone.code, gone.stdout], [1, ""]);
  assertStringIncludes(gone.stderr, "there is no such alias");
});

Deno.test("cli.ts predict reads a file, writes a file, and streams chunk by chunk", async () => {
  await using place = await workplace();
  const file = await place.write("model.ts", modelSource("1"));
  const input = await place.write("input.json", REQUEST);
  const { code } = await place.run(["predict", "-m", file, "-i", input, "-o", "answer.json"]);
  assertEquals(code, 0);
  const answer = JSON.parse(await Deno.readTextFile(join(place.path, "answer.json")));
  assertEquals(answer.choices[0].message.content, "version 1, plain");
  const { stdout } = await place.run(["predict", "-m", file, "-i", input, "--stream"]);
  const chunks = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert(chunks.every(({ object }) => object === "chat.completion.chunk"));
  assertEquals(
    chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""),
    "version 1, plain",
  );
});

Deno.test("cli.ts lists and shows what was logged, for people and as JSON", async () => {
  await using place = await workplace();
  const file = await place.write("model.ts", modelSource("1"));
  const logged = await place.json([
    ...["log", file, "--name", "m", "--experiment", "lists", "--param", "base=llama3.2:1b", "--register", "reg"],
    ...["--alias", "best", "--json"],
  ]);
  const [experiment] = await place.json(["experiments", "list", "--json"]);
  assertEquals([experiment.name, experiment.experiment_id], ["lists", logged.experiment_id]);
  const [run] = await place.json([
    "runs",
    "list",
    "--experiment",
    "lists",
    "--filter",
    "params.base LIKE 'llama%'",
    "--json",
  ]);
  assertEquals([run.info.run_id, run.info.status, run.data.params], [logged.run_id, "FINISHED", {
    base: "llama3.2:1b",
  }]);
  assertEquals(await place.json(["runs", "show", logged.run_id, "--json"]), run);
  const [registered] = await place.json(["models", "list", "--json"]);
  assertEquals([registered.name, registered.latest_version, registered.aliases], ["reg", "1", { best: "1" }]);
  const [model] = await place.json(["models", "list", "--experiment", "lists", "--json"]);
  assertEquals([model.model_id, model.status], [logged.model_id, "READY"]);
  const shown = await place.json(["models", "show", "models:/reg@best", "--json"]);
  assertEquals([shown.kind, shown.model_id, shown.model_path], ["chat", logged.model_id, "src/model.ts"]);
  for (const args of [["experiments", "list"], ["runs", "list"], ["models", "list"], ["runs", "show", logged.run_id]]) {
    const { code, stdout } = await place.run(args);
    assertEquals(code, 0);
    assert(stdout.includes("lists") || stdout.includes(logged.run_id) || stdout.includes("best=1"), stdout);
  }
});

Deno.test("cli.ts models diff tells code and configuration of two versions apart", async () => {
  await using place = await workplace();
  const one = await place.json(["log", await place.write("model.ts", modelSource("1")), "--name", "m", "--json"]);
  await place.write("model.ts", modelSource("2"));
  const other = await place.json([
    ...["log", join(place.path, "model.ts"), "--name", "m", "--model-config", '{"tone": "kind"}', "--json"],
  ]);
  const differences = await place.json(["models", "diff", one.model_uri, other.model_uri, "--json"]);
  assertEquals(differences.map(({ what }: { what: string }) => what), ["config", "src/model.ts"]);
  assertStringIncludes(differences[1].diff, '-    return "version 1, "');
  assertStringIncludes(differences[1].diff, '+    return "version 2, "');
  const same = await place.run(["models", "diff", one.model_uri, one.model_uri]);
  assertEquals([same.code, same.stdout], [0, "The models do not differ in code, signature or configuration\n"]);
});

for (
  const [args, reason] of [
    [["lg"], "Did you mean 'log'?"],
    [["models"], "'models list', 'models show', 'models diff'"],
    [["log"], "FILE is missing"],
    [["log", "x.ts"], "--name NAME is missing"],
    [["log", "x.ts", "y.ts", "--name", "n"], 'unexpected "y.ts"'],
    [["log", "x.ts", "--name"], "--name"],
    [["log", "x.ts", "--name", "n", "--nope"], "--nope"],
    [["log", "model.ts", "--name", "n", "--validate", "twice"], '"predict" or "stream"'],
    [["log", "model.ts", "--name", "n", "--alias", "a"], "--register"],
    [["log", "model.ts", "--name", "n", "--input-example", "{nope"], "not valid JSON"],
    [["log", "model.ts", "--name", "n", "--input-example", "nope.json"], "there is no such file"],
    [["log", "model.ts", "--name", "n", "--tag", "nope"], "NAME=VALUE"],
    [["runs", "list", "--max-results", "0"], "whole number"],
    [["experiments", "list", "--view", "some"], '"active_only", "deleted_only" or "all"'],
  ] as const
) {
  Deno.test(`cli.ts ${args.join(" ")} is wrong usage: one line, exit code 2`, async () => {
    await using place = await workplace();
    await place.write("model.ts", modelSource("1"));
    const { code, stdout, stderr } = await place.run(args);
    assertEquals([code, stdout], [2, ""], stderr);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
    assert(stderr.startsWith("error: "), stderr);
    assertStringIncludes(stderr, reason);
  });
}

for (
  const [args, reason] of [
    [["log", "nope.ts", "--name", "n"], "there is no such file"],
    [["log", "broken.ts", "--name", "n"], "broken.ts"],
    [["log", "model.ts", "--name", "n/m"], "/ : . % \" '"],
    [["register", "models:/m-0", "x"], "no logged model"],
    [["register", "models:a", "x"], "models:/NAME@ALIAS"],
    [["alias", "set", "nope", "a", "1"], 'no registered model "nope"'],
    [["models", "show", "nope"], "no such file or folder"],
    [["models", "show", "model.ts"], "it was not saved"],
    [["runs", "show", "nope"], 'no run "nope"'],
    [["runs", "list", "--experiment", "nope"], 'no experiment "nope"'],
    [["runs", "list", "--filter", "nonsense = 1"], "nonsense"],
    [["predict", "-m", "model.ts", "-i", "nope.json"], "no file"],
    [["predict", "-m", "model.ts", "-i", "model.ts"], "not valid JSON"],
    [["experiments", "list", "--tracking-uri", "ftp://x"], "ftp:"],
    [["experiments", "list", "--tracking-uri", "http://127.0.0.1:1"], "127.0.0.1:1"],
  ] as const
) {
  Deno.test(`cli.ts ${args.join(" ")} fails: one line, exit code 1, nothing on stdout`, async () => {
    await using place = await workplace({ MLFLOW_HTTP_REQUEST_MAX_RETRIES: "0" });
    await place.write("model.ts", modelSource("1"));
    await place.write("broken.ts", "import './nope.ts';");
    const { code, stdout, stderr } = await place.run(args);
    assertEquals([code, stdout], [1, ""], stderr);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
    assertStringIncludes(stderr, reason);
  });
}

Deno.test("cli.ts tells of the model's own failures in one line, and makes no database for a folder or a file", async () => {
  await using place = await workplace();
  const file = await place.write(
    "throws.ts",
    `import { ChatModel } from "@chatmodel/chat-model";
export default class Throws extends ChatModel {
  override predict(): string {
    throw new Error("boom of author");
  }
}
`,
  );
  for (
    const args of [["predict", "-m", file, "-i", "-"], ["predict", "-m", file, "-i", "-", "--stream"], [
      ...["predict", "-m", file, "-i", "-", "-o", "nowhere/answer.json"],
    ], ["predict", "-m", file, "-i", place.path]]
  ) {
    const { code, stdout, stderr } = await place.run(args, REQUEST);
    assertEquals([code, stdout], [1, ""], stderr);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
    assertMatch(
      stderr,
      /^error: Cannot (?:answer: the model failed: boom of author|write the answer|read the request)/,
    );
  }
  assertEquals((await Array.fromAsync(Deno.readDir(place.path))).map(({ name }) => name), ["throws.ts"]);
  const { code, stderr } = await place.run(["log", file, "--name", "m", "--validate", "predict"]);
  assertEquals([code, stderr.trim().split("\n").length], [1, 1], stderr);
  assertStringIncludes(stderr, "boom of author");
});

Deno.test("cli.ts --help lists all commands; each has a help of its own", async () => {
  await using place = await workplace();
  const { code, stdout } = await place.run(["--help"]);
  assertEquals(code, 0);
  const commands = ["log", "register", "alias set", "models diff", "predict", "serve", "runs show", "doctor"];
  for (const command of commands) assertStringIncludes(stdout, `  ${command}`);
  for (const command of ["log", "models list", "serve"]) {
    const help = await place.run([...command.split(" "), "--help"]);
    assertEquals([help.code, help.stderr], [0, ""]);
    assertStringIncludes(help.stdout, "Usage: ");
  }
});

Deno.test("cli.ts doctor tells what is right, what is wrong, and how to mend it", async () => {
  await using place = await workplace();
  const right = await place.run(["doctor", "--json"]);
  assertEquals(right.code, 0, right.stderr);
  const findings: { check: string; status: string; detail: string; remedy?: string }[] = JSON.parse(right.stdout);
  const of = (check: string) => findings.find((finding) => finding.check === check);
  assertEquals(of("Deno")?.status, "ok");
  assertEquals(of("Ollama")?.status, "warning");
  assertStringIncludes(of("Ollama")?.remedy ?? "", "OLLAMA_HOST");
  assertStringIncludes(of("Tracking")?.detail ?? "", "is not there yet");
  // A look leaves nothing behind.
  assertEquals(await Array.fromAsync(Deno.readDir(place.path)), []);
  const wrong = await place.run(["doctor", "--tracking-uri", "http://127.0.0.1:1"]);
  assertEquals(wrong.code, 1);
  assertMatch(wrong.stdout, /^ok +Deno/m);
  assertMatch(wrong.stdout, /^error +Tracking/m);
  assertStringIncludes(wrong.stdout, "MLFLOW_TRACKING_URI");
});
