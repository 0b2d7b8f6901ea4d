/** What the command line tells people to do: by its own commands, not by functions of the library. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { inCommands, REMEDIES } from "../../cli/_remedies.ts";
import { ROOT } from "../support/command.ts";
import { modelSource, workplace } from "./_cli.ts";

/** The text of all files of some folders. */
function sourcesOf(folders: readonly string[]): string {
  return folders.flatMap((folder) =>
    [...Deno.readDirSync(folder)].map(({ name, isDirectory }): string =>
      isDirectory
        ? sourcesOf([join(folder, name)])
        : name.endsWith(".ts")
        ? Deno.readTextFileSync(join(folder, name))
        : ""
    )
  ).join("\n");
}

Deno.test("inCommands() knows no remedy that the library does not give", () => {
  const text = sourcesOf(["tracking", "registry", "models"].map((folder) => join(ROOT, folder)))
    // Messages are put together of values, which stand for what the remedies catch, and broken into lines.
    .replaceAll(/" \+\s*["`]|` \+\s*["`]/g, "").replaceAll(/\$\{[\w.]+\}/g, "1");
  for (const [remedy] of REMEDIES) assertMatch(text, remedy);
});

Deno.test("inCommands() keeps what a message says besides, ids too", () => {
  assertEquals(
    inCommands('Cannot resume run "ab12": it is deleted. Restore it by getTrackingStore().restoreRun("ab12")'),
    "Cannot resume run \"ab12\": it is deleted. Restore it by 'mlflow runs restore --run-id ab12'",
  );
  assertEquals(inCommands("x names y: name it in codePaths"), "x names y: name it with --code-path");
  assertEquals(inCommands("Cannot write database: the disk is full"), "Cannot write database: the disk is full");
});

for (
  const [args, remedy] of [
    [["runs", "show", "nope"], "'cli.ts runs list --view all' lists them"],
    [["models", "show", "models:/m-0"], "'cli.ts models list --experiment NAME' lists them"],
    [["models", "show", "models:/nope@best"], "'cli.ts models list' lists them"],
    [["models", "show", "runs:/nope/model"], "'cli.ts runs list --view all' lists them"],
    [["alias", "set", "nope", "a", "1"], "'cli.ts models list' lists them"],
    [["alias", "remove", "nope", "a"], "'cli.ts models list' lists them"],
    [["models", "show", "model.ts"], "'cli.ts log FILE --name NAME' logs it"],
    [["models", "show", "."], "has no file"],
  ] as const
) {
  Deno.test(`cli.ts ${args.join(" ")} says what to do by a command`, async () => {
    await using place = await workplace();
    await place.write("model.ts", modelSource("1"));
    const { code, stderr } = await place.run(args);
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, remedy);
    assert(!/search[A-Z]|\w\(\)/.test(stderr), stderr);
  });
}

for (
  const [args, message] of [
    [["alias", "set", "n", "a", "one"], 'VERSION must be the number of a version, such as 3, but is "one"'],
    [["alias", "set", "n", "a", "1.5"], 'but is "1.5"'],
    [["runs", "list", "--max-results", "-1"], '--max-results must be a whole number from 1 to 50000, but is "-1"'],
    [["runs", "list", "--max-results=0"], 'from 1 to 50000, but is "0"'],
    [["runs", "list", "--max-results", "50001"], 'from 1 to 50000, but is "50001"'],
    [["runs", "list", "--max-results", "--json"], "--max-results must have a value"],
  ] as const
) {
  Deno.test(`cli.ts ${args.join(" ")} is wrong usage, and makes no database`, async () => {
    await using place = await workplace();
    const { code, stdout, stderr } = await place.run(args);
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, message);
    assertEquals(await Array.fromAsync(Deno.readDir(place.path)), []);
  });
}

Deno.test("cli.ts alias remove says whether there was such an alias", async () => {
  await using place = await workplace();
  const file = await place.write("model.ts", modelSource("1"));
  await place.json(["log", file, "--name", "m", "--register", "reg", "--alias", "best", "--json"]);
  const missing = await place.run(["alias", "remove", "reg", "bset"]);
  assertEquals([missing.code, missing.stdout], [0, 'There was no alias "bset" of "reg"\n']);
  assertEquals(await place.json(["alias", "remove", "reg", "best", "--json"]), {
    name: "reg",
    alias: "best",
    removed: true,
  });
  assertEquals((await place.json(["alias", "remove", "reg", "best", "--json"])).removed, false);
  const unknown = await place.run(["alias", "set", "reg", "best", "7"]);
  assertEquals(unknown.code, 1, unknown.stderr);
});

Deno.test("cli.ts models show tells the name that a model was logged under", async () => {
  await using place = await workplace();
  const file = await place.write("model.ts", modelSource("1"));
  const { model_uri } = await place.json(["log", file, "--name", "assistant_model", "--json"]);
  assertEquals((await place.json(["models", "show", model_uri, "--json"])).name, "assistant_model");
  const { stdout } = await place.run(["models", "show", model_uri]);
  assertMatch(stdout, /^Name +assistant_model$/m);
});

Deno.test("cli.ts predict says how a file's own deno.json comes to be read", async () => {
  await using place = await workplace();
  const file = await place.write("model.ts", `import "own-name";\n${modelSource("1")}`);
  const request = JSON.stringify({ messages: [{ role: "user", content: "Hi" }] });
  const bare = await place.run(["predict", "-m", file, "-i", "-"], request);
  assertEquals(bare.code, 1);
  assertStringIncludes(bare.stderr, 'Import "own-name" not a dependency');
  assertStringIncludes(bare.stderr, "Write what it imports with npm: or jsr: before the name");
  const own = await place.write("deno.json", JSON.stringify({ imports: { "own-name": "./own.ts" } }));
  const { code, stderr } = await place.run(["predict", "-m", file, "-i", "-"], request);
  assertEquals([code, stderr.trim().split("\n").length], [1, 1]);
  assertStringIncludes(
    stderr,
    `"${own}" is not read for a file that was not logged. Run with --config "${own}", or log the model`,
  );
});

Deno.test("cli.ts lists what is in a database that it may only read", async () => {
  await using place = await workplace();
  const file = await place.write("model.ts", modelSource("1"));
  const logged = await place.json(["log", file, "--name", "m", "--register", "reg", "--json"]);
  const readOnly = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--allow-read", "--allow-env", "--config", join(ROOT, "deno.json")],
        ...[join(ROOT, "cli.ts"), ...args],
      ],
      cwd: place.path,
      env: { NO_COLOR: "1", MLFLOW_TRACKING_URI: "" },
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  };
  const runs = await readOnly("runs", "list", "--json");
  assertEquals(runs.code, 0, runs.stderr);
  assertEquals(JSON.parse(runs.stdout)[0].info.run_id, logged.run_id);
  const models = await readOnly("models", "list", "--json");
  assertEquals(JSON.parse(models.stdout)[0].name, "reg");
  const { code, stderr } = await readOnly("alias", "set", "reg", "best", "1");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "it may only be read. Run with --allow-write for its folder");
});
