import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { checkConfig, layeredConfig, readConfigFile } from "../../models/config_layers.ts";
import { ChatModelError, ValidationError } from "../../types/mod.ts";
import { makeFolder } from "./_folder.ts";

/** Runs with environment variables that are gone afterwards. */
async function withVariables(variables: { readonly [name: string]: string }, run: () => Promise<void>): Promise<void> {
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    await run();
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  }
}

const LOGGED = { a: "logged", b: "logged", c: "logged", d: "logged", nested: { x: 1, y: 2 } };

Deno.test("layeredConfig() puts logged under file under environment under call", async () => {
  await using folder = await makeFolder({ "config.yaml": "b: file\nc: file\nd: file\nnested: {x: 3}\n" });
  await withVariables({ MLFLOW_PYFUNC_INFERENCE_CONFIG: '{"c": "env", "d": "env"}' }, async () => {
    const config = await layeredConfig({
      logged: LOGGED,
      file: join(folder.path, "config.yaml"),
      call: { d: "call", nested: { y: 4 } },
    });
    assertEquals(config.toObject(), { a: "logged", b: "file", c: "env", d: "call", nested: { x: 3, y: 4 } });
    assertEquals(["a", "b", "c", "d", "nested.x", "nested.y"].map((path) => config.sourceOf(path)), [
      "logged",
      "file",
      "env",
      "call",
      "file",
      "call",
    ]);
  });
});

Deno.test("layeredConfig() takes both of MLflow's variables, and none that is empty", async () => {
  await withVariables({ SERVING_MODEL_CONFIG: '{"a": "serving"}', MLFLOW_PYFUNC_INFERENCE_CONFIG: "" }, async () => {
    assertEquals((await layeredConfig({ logged: LOGGED })).get("a"), "serving");
  });
});

Deno.test("layeredConfig() refuses keys that were not logged, and names near ones", async () => {
  const error = await assertRejects(() => layeredConfig({ logged: { limit: 5 }, call: { limt: 3 } }), ValidationError);
  assertEquals(error.code, "invalid_model_config");
  assert(error.message.includes('"limit"'), error.message);
  await assertRejects(() => layeredConfig({ logged: {}, call: { limit: 3 } }), ValidationError, "there are none");
});

Deno.test("layeredConfig() takes any keys where nothing was logged", async () => {
  const config = await layeredConfig({ call: { limit: 3 } });
  assertEquals([config.get("limit"), config.sourceOf("limit")], [3, "call"]);
  assertEquals((await layeredConfig({})).toObject(), {});
});

Deno.test("layeredConfig() names the variable that cannot be read", async () => {
  for (const value of ["{", "[1]", '"x"']) {
    await withVariables({ MLFLOW_PYFUNC_INFERENCE_CONFIG: value }, async () => {
      const error = await assertRejects(
        () => layeredConfig({ logged: LOGGED }),
        ChatModelError,
        "MLFLOW_PYFUNC_INFERENCE_CONFIG",
      );
      assertEquals(error.code, "invalid_model_config");
    });
  }
});

Deno.test("readConfigFile() reads YAML and JSON, and takes an empty file for an empty configuration", async () => {
  await using folder = await makeFolder({
    "a.yaml": "prompt: Be brief.\nlimits:\n- 1\n- 2.5\nsecret: env:KEY\n",
    "a.yml": "a: 1\n",
    "a.json": '{"a": {"b": [1, null]}}',
    "empty.yaml": "# nothing\n",
  });
  const read = (name: string) => readConfigFile(join(folder.path, name));
  assertEquals(await read("a.yaml"), { prompt: "Be brief.", limits: [1, 2.5], secret: "env:KEY" });
  assertEquals(await read("a.yml"), { a: 1 });
  assertEquals(await read("a.json"), { a: { b: [1, null] } });
  assertEquals(await read("empty.yaml"), {});
});

Deno.test("readConfigFile() refuses with the file's name what is no configuration", async () => {
  await using folder = await makeFolder({
    "list.yaml": "- 1\n",
    "broken.yaml": "a: [\n",
    "broken.json": "a: 1\n",
    "nan.yaml": "a: .nan\n",
  });
  for (const name of ["list.yaml", "broken.yaml", "broken.json", "nan.yaml", "missing.yaml"]) {
    const error = await assertRejects(() => readConfigFile(join(folder.path, name)), ChatModelError, name);
    assertEquals([error.code, error.status], ["invalid_model_config", 500]);
    assert(!error.message.includes("\n"));
  }
});

Deno.test("checkConfig() gives a copy, and names what JSON cannot hold by its path", () => {
  const given = { a: { b: [1, undefined] }, c: undefined };
  assertThrows(() => checkConfig(given, "modelConfig"), ChatModelError, '"a.b.1"');
  const plain = { a: { b: [1, null] } };
  const checked = checkConfig(plain, "modelConfig");
  assertEquals(checked, plain);
  assert(checked["a"] !== plain.a);
  assertEquals(Object.keys(checkConfig({ a: 1, c: undefined }, "modelConfig")), ["a"]);
  for (const value of [null, [], "x", new Map(), { f: () => 1 }]) {
    const error = assertThrows(() => checkConfig(value, "modelConfig"), ChatModelError, "modelConfig");
    assertEquals(error.code, "invalid_model_config");
  }
});

Deno.test("layeredConfig() says that it may not read the environment, once, where that could matter", async () => {
  const module = new URL("../../models/config_layers.ts", import.meta.url).href;
  const program = `import { layeredConfig } from "${module}";
    for (const options of JSON.parse(Deno.args[0])) console.log(JSON.stringify((await layeredConfig(options)).toObject()));`;
  await using folder = await makeFolder({ "program.ts": program });
  const run = async (options: readonly object[], ...permissions: string[]) => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--config", fromFileUrl(new URL("../../deno.json", import.meta.url))],
        ...[...permissions, join(folder.path, "program.ts"), JSON.stringify(options)],
      ],
      env: { SERVING_MODEL_CONFIG: '{"a": "env"}', NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return [decoder.decode(stdout), decoder.decode(stderr)];
  };
  const logged = { logged: { a: "logged" } };
  const names = "SERVING_MODEL_CONFIG,MLFLOW_PYFUNC_INFERENCE_CONFIG";
  assertEquals(await run([logged, logged]), [
    '{"a":"logged"}\n{"a":"logged"}\n',
    "Not read, as permission is missing: SERVING_MODEL_CONFIG and MLFLOW_PYFUNC_INFERENCE_CONFIG, which may change the " +
    `model's configuration. Run with --allow-env=${names}, or go without by --deny-env=${names}\n`,
  ]);
  const [, partly = ""] = await run([{ call: { a: "call" } }], "--allow-env=SERVING_MODEL_CONFIG");
  assertStringIncludes(partly, "missing: MLFLOW_PYFUNC_INFERENCE_CONFIG, which");
  assertEquals(await run([logged], `--deny-env=${names}`), ['{"a":"logged"}\n', ""]);
  assertEquals(await run([logged], `--allow-env=${names}`), ['{"a":"env"}\n', ""]);
  // Where nothing is configured, nothing can be changed.
  assertEquals(await run([{ logged: {} }, {}]), ["{}\n{}\n", ""]);
});
