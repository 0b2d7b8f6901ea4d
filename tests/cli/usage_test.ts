/** Slips at the command line, and MLflow's own words for things. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { ROOT } from "../support/command.ts";
import { modelSource, workplace } from "./_cli.ts";

for (
  const [args, message] of [
    [["models", "lst"], "There is no command 'models lst'. Did you mean 'models list'?"],
    [["runs", "descrbe"], "Did you mean 'runs describe'?"],
    [["log", "model.ts", "--nmae", "n"], "Unknown option '--nmae': did you mean --name? Usage: "],
    [["runs", "list", "--max-result", "3"], "did you mean --max-results?"],
    [["log", "model.ts", "--name", "a", "--name", "b"], "--name is given more than once"],
    [["log", "model.ts", "--name", "a", "--experiment=x", "--experiment", "x"], "--experiment is given more than once"],
    [["predict", "-m", "a", "--model-uri", "b", "-i", "-"], "--model-uri is given more than once"],
    [["log", "model.ts", "--name", ""], "--name must not be empty"],
    [["runs", "list", "--experiment", "a", "--experiment-id", "0"], "name the same: give one of them"],
    [["log", "model.ts", "--name", "n", "--experiment", "a", "--experiment-id", "0"], "give one of them"],
    [["runs", "describe"], "--run-id ID is missing"],
  ] as const
) {
  Deno.test(`cli.ts ${args.join(" ")} is wrong usage, says what is right, and makes no database`, async () => {
    await using place = await workplace();
    const { code, stdout, stderr } = await place.run(args);
    assertEquals([code, stdout], [2, ""], stderr);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
    assertStringIncludes(stderr, message);
    assertEquals(await Array.fromAsync(Deno.readDir(place.path)), []);
  });
}

for (
  const [args, message] of [
    [["--register", "bad/name"], 'the name "bad/name" holds "/"'],
    [["--register", ""], "the name is empty"],
    [["--register", "ok", "--alias", "v1"], 'the alias "v1" is reserved'],
    [["--register", "ok", "--alias", "a b"], 'the alias "a b" must be'],
    [["--experiment-id", "77"], 'no experiment "77"'],
  ] as const
) {
  Deno.test(`cli.ts log ${args.join(" ")} fails before anything is logged`, async () => {
    await using place = await workplace();
    const file = await place.write("model.ts", modelSource("1"));
    const { code, stdout, stderr } = await place.run(["log", file, "--name", "m", ...args]);
    assertEquals([code, stdout], [1, ""], stderr);
    assertStringIncludes(stderr, message);
    for (const what of ["runs", "models"]) assertEquals(await place.json([what, "list", "--json"]), []);
  });
}

Deno.test("cli.ts register takes folders with a model only, and leaves no name behind", async () => {
  await using place = await workplace();
  await place.write("model.ts", modelSource("1"));
  await Deno.mkdir(join(place.path, "empty"));
  for (
    const [args, message] of [
      [["nope", "foo"], "there is no such folder"],
      [["empty", "foo"], 'has no file "MLmodel". Name the folder of a logged model'],
      [["model.ts", "foo"], "it is a file, not a saved model's folder. 'cli.ts log FILE --name NAME' logs it"],
      [["empty", "foo", "--alias", "v1"], "reserved"],
    ] as const
  ) {
    const { code, stdout, stderr } = await place.run(["register", ...args]);
    assertEquals([code, stdout], [1, ""], stderr);
    assertStringIncludes(stderr, message);
    assertEquals(await place.json(["models", "list", "--json"]), []);
  }
});

Deno.test("cli.ts register notes a folder so that it is found from elsewhere", async () => {
  await using place = await workplace();
  const file = await place.write("model.ts", modelSource("1"));
  const store = `sqlite:///${join(place.path, "elsewhere", "mlflow.db")}`;
  await Deno.mkdir(join(place.path, "elsewhere"));
  const logged = await place.json(["log", file, "--name", "m", "--json"]);
  const { artifacts } = Object.fromEntries(
    (await place.json(["models", "list", "--experiment", "Default", "--json"])).map(
      (model: { readonly artifact_location: string }) => ["artifacts", model.artifact_location],
    ),
  );
  await Deno.rename(artifacts, join(place.path, "fold"));
  assert(logged.model_id);
  assertEquals(await place.json(["register", "fold", "asst", "--tracking-uri", store, "--json"]), {
    name: "asst",
    version: "1",
  });
  const shown = await place.json(["models", "show", "models:/asst/1", "--tracking-uri", store, "--json"]);
  assertEquals([shown.name, shown.model_id], ["m", logged.model_id]);
});

Deno.test("cli.ts takes MLflow's words for commands and flags", async () => {
  await using place = await workplace();
  const file = await place.write("model.ts", modelSource("1"));
  const { experiment_id } = await place.json(["log", file, "--name", "m", "--experiment", "e", "--json"]);
  const logged = await place.json(["log", file, "--name", "m", "--experiment-id", experiment_id, "--json"]);
  assertEquals(logged.experiment_id, experiment_id);
  const runs = await place.json(["runs", "list", "--experiment-id", experiment_id, "-v", "active_only", "--json"]);
  assertEquals(runs.length, 2);
  assertEquals(await place.json(["runs", "list", "--experiment-id", "0", "--json"]), []);
  assertEquals(await place.json(["runs", "list", "-v", "deleted_only", "--json"]), []);
  assertEquals(await place.json(["runs", "list", "-v", "active", "--json"]), runs);
  assertEquals(await place.json(["runs", "describe", "--run-id", runs[0].info.run_id]), runs[0]);
  assertEquals((await place.json(["models", "list", "--experiment-id", experiment_id, "--json"])).length, 2);
  const listed = await place.json(["experiments", "list", "--view", "all", "--json"]);
  assertEquals(await place.json(["experiments", "search", "-v", "all", "--json"]), listed);
  assertEquals((await place.json(["experiments", "search", "--max-results", "1", "--json"])).length, 1);
  const request = '{"messages": [{"role": "user", "content": "Hi"}]}';
  const answer = await place.json(["models", "predict", "-m", logged.model_uri, "-i", "-"], request);
  assertEquals(answer.choices[0].message.content, "version 1, plain");
});

Deno.test("cli.ts predict takes a list of messages, and a request with params, as an input example", async () => {
  await using place = await workplace();
  const file = await place.write(
    "echo.ts",
    `import { ChatModel, type ChatMessage, type ChatParams } from "@chatmodel/chat-model";
export default class Echo extends ChatModel {
  override predict(_context: unknown, messages: readonly ChatMessage[], params: ChatParams) {
    return messages.length + " " + params.max_tokens;
  }
}
`,
  );
  const ask = async (input: unknown) =>
    (await place.json(["predict", "-m", file, "-i", "-"], JSON.stringify(input))).choices[0].message.content;
  const messages = [{ role: "user", content: "Hi" }, { role: "assistant", content: "Ho" }, {
    role: "user",
    content: "Hm",
  }];
  assertEquals(await ask(messages), "3 undefined");
  assertEquals(await ask([{ messages }, { max_tokens: 5 }]), "3 5");
  const { code, stderr } = await place.run(["predict", "-m", file, "-i", "-"], "[1]");
  assertEquals(code, 1);
  assertStringIncludes(stderr, '"messages.0"');
});

Deno.test("cli.ts doctor says that a database may only be read", async () => {
  await using place = await workplace();
  const file = await place.write("model.ts", modelSource("1"));
  await place.json(["log", file, "--name", "m", "--json"]);
  const free = await place.json(["doctor", "--json"]);
  const of = (findings: Record<string, string>[]) => findings.find(({ check }) => check === "Tracking");
  assertEquals(Object.keys(of(free) ?? {}), ["check", "status", "detail"]);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--allow-read", "--allow-env", "--config", join(ROOT, "deno.json")],
      ...[join(ROOT, "cli.ts"), "doctor", "--json"],
    ],
    cwd: place.path,
    env: { NO_COLOR: "1", MLFLOW_TRACKING_URI: "" },
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assertEquals(of(JSON.parse(new TextDecoder().decode(stdout))), {
    check: "Tracking",
    status: "warning",
    detail: "sqlite:///mlflow.db answers, 1 experiment, but it may only be read",
    remedy: "Run with --allow-write for its folder",
  });
});

Deno.test("cli.ts says that a server which knows no such requests may be no MLflow", async () => {
  await using place = await workplace();
  // As Python's own web server answers what is posted to it.
  const page = "<!DOCTYPE HTML><html><head><title>Error</title></head><body><h1>Error response</h1></body></html>";
  const headers = { "content-type": "text/html;charset=utf-8" };
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(page, { status: 501, headers }),
  );
  const uri = `http://127.0.0.1:${server.addr.port}`;
  const { code, stderr } = await place.run(["experiments", "list", "--tracking-uri", uri]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, `"${uri}" may be no MLflow tracking server`);
});
