import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { ChatModelError, ValidationError } from "@chatmodel/chat-model";
import { getModelInfo, loadModel, saveModel } from "@chatmodel/chat-model/models";
import { ROOT } from "../support/command.ts";
import { ask, authorFolder, filesBelow, namesIn, noteCalls } from "./_models.ts";

Deno.test("saveModel() writes a folder that holds all of a chat model, and tells what it wrote", async () => {
  await using author = await authorFolder();
  const path = join(author.path, "out/model");
  const info = await saveModel(path, {
    model: join(author.path, "model.ts"),
    artifacts: { prompt: join(author.path, "prompt.txt") },
    modelConfig: { retrieval: { limit: 5 } },
    metadata: { team: "search" },
    permissions: { net: ["127.0.0.1:11434"] },
  });

  assertEquals(await filesBelow(path), [
    "MLmodel",
    "artifacts/prompt.txt",
    "code/deno_chat_loader.py",
    "code/deno_chat_worker.ts",
    "conda.yaml",
    "input_example.json",
    "python_env.yaml",
    "requirements.txt",
    "serving_input_example.json",
    "src/lib/greeting.ts",
    "src/model.ts",
  ]);
  assertEquals(await namesIn(join(author.path, "out")), ["model"]);
  const { warnings, ...saved } = info;
  assertEquals(warnings, []);
  assertEquals(saved, await getModelInfo(path));
  assertEquals(info.kind, "chat");
  assertEquals(info.flavors, ["deno_function", "python_function"]);
  assertEquals(info.modelPath, "src/model.ts");
  assertEquals(info.metadata, { task: "agent/v1/chat", team: "search" });
  assertEquals(info.modelConfig, { retrieval: { limit: 5 } });
  assertEquals(info.permissions, { net: ["127.0.0.1:11434"] });
  assertEquals(info.artifacts, {
    prompt: { path: "artifacts/prompt.txt", uri: join(author.path, "prompt.txt") },
  });
  assertEquals(info.files?.map((file) => file.path), (await filesBelow(path)).filter((name) => name !== "MLmodel"));
  const sizes = info.files?.map(({ size }) => size) ?? [];
  assertEquals(info.modelSizeBytes, sizes.reduce((sum, size) => sum + size));
  assertMatch(info.modelUuid ?? "", /^[\da-f]{32}$/);
  assertMatch(info.utcTimeCreated ?? "", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
  assertEquals(
    await Deno.readTextFile(join(path, "input_example.json")),
    '{"messages": [{"role": "user", "content": "Hello!"}], "temperature": 1.0, "max_tokens": 10, ' +
      '"stop": ["\\n"], "n": 1, "stream": false}',
  );
  assertStringIncludes(await Deno.readTextFile(join(path, "MLmodel")), "    name: model\n");
});

Deno.test("saveModel() calls nothing of the model unless it is to be validated", async () => {
  await using author = await authorFolder();
  using noted = noteCalls();
  const path = join(author.path, "out");
  await saveModel(path, { model: join(author.path, "model.ts"), inputExample: ask("Hi") });
  assertEquals(noted.calls, ["import"]);
  assert(!(await namesIn(path)).includes("output_example.json"));
});

Deno.test("saveModel() calls the model once where it is to be validated, and keeps the answer", async () => {
  await using author = await authorFolder();
  for (const [validate, method] of [["predict", "predict"], ["stream", "predictStream"]] as const) {
    using noted = noteCalls();
    const path = join(author.path, validate);
    await saveModel(path, {
      model: join(author.path, "model.ts"),
      inputExample: { ...ask("Hi"), max_tokens: 5 },
      artifacts: { prompt: join(author.path, "prompt.txt") },
      modelConfig: { retrieval: { limit: 5 } },
      validate,
    });
    assertEquals(noted.calls, ["import", "loadContext", method]);
    const output: unknown = JSON.parse(await Deno.readTextFile(join(path, "output_example.json")));
    const { choices } = Object(output);
    assertEquals(choices[0].message.content, "Hello Hi Be kind 5=5 prompt 1");
    const paths = (await getModelInfo(path)).files?.map((file) => file.path);
    assert(paths?.includes("output_example.json"));
  }
});

Deno.test("saveModel() leaves nothing behind where validation fails", async () => {
  await using author = await authorFolder();
  const before = await namesIn(author.path);
  for (const validate of ["predict", "stream"] as const) {
    await assertRejects(
      () =>
        saveModel(join(author.path, "out"), {
          model: join(author.path, "model.ts"),
          inputExample: ask("Fail"),
          validate,
        }),
      Error,
      "Model is broken",
    );
    assertEquals(await namesIn(author.path), before);
  }
});

Deno.test("saveModel() refuses a folder that is not empty, and leaves it alone", async () => {
  await using author = await authorFolder({ "taken/notes.txt": "mine" });
  const error = await assertRejects(
    () => saveModel(join(author.path, "taken"), { model: join(author.path, "model.ts") }),
    ChatModelError,
  );
  assertEquals(error.code, "folder_not_empty");
  assertEquals(await filesBelow(join(author.path, "taken")), ["notes.txt"]);
});

Deno.test("saveModel() infers a custom model's signature and keeps input and params of its example", async () => {
  await using author = await authorFolder();
  using noted = noteCalls();
  const path = join(author.path, "out");
  const info = await saveModel(path, {
    model: join(author.path, "custom.ts"),
    inputExample: [{ text: "Hi" }, { factor: 2 }],
  });
  assertEquals(noted.calls, []);
  assertEquals(info.kind, "custom");
  assertEquals(info.streamable, false);
  assertEquals(info.metadata, {});
  assertEquals(info.inputExample?.hasParams, true);
  assertEquals(info.signature?.inputs, '[{"type": "string", "name": "text", "required": true}]');
  assertStringIncludes(info.signature?.params ?? "", '"name": "factor"');
  assertEquals(
    await Deno.readTextFile(join(path, "input_example.json")),
    '{"inputs": {"text": "Hi"}, "params": {"factor": 2}}',
  );
});

Deno.test("saveModel() validates a custom model with the params of its example", async () => {
  await using author = await authorFolder();
  using noted = noteCalls();
  const path = join(author.path, "out");
  const info = await saveModel(path, {
    model: join(author.path, "custom.ts"),
    inputExample: [{ text: "Hi" }, { factor: 2 }],
    modelConfig: { unit: "letters" },
    validate: "predict",
  });
  assertEquals(noted.calls, ["predict"]);
  const output: unknown = JSON.parse(await Deno.readTextFile(join(path, "output_example.json")));
  assertEquals(output, { letters: 2, factor: 2, unit: "letters" });
  assertStringIncludes(info.signature?.outputs ?? "", '"name": "letters"');

  const error = await assertRejects(
    () => saveModel(join(author.path, "other"), { model: join(author.path, "custom.ts"), validate: "predict" }),
    ChatModelError,
  );
  assertEquals(error.code, "invalid_input_example");
});

Deno.test("saveModel() lets the author's task win over its own", async () => {
  await using author = await authorFolder();
  const { metadata } = await saveModel(join(author.path, "out"), {
    model: join(author.path, "model.ts"),
    metadata: { task: "llm/v1/chat" },
  });
  assertEquals(metadata, { task: "llm/v1/chat" });
});

Deno.test("saveModel() writes references to secrets, and never the secrets", async () => {
  await using author = await authorFolder({ "config.yaml": "key: env:CHATMODEL_TEST_SECRET\nunit: words\n" });
  const secret = `secret-${crypto.randomUUID()}`;
  Deno.env.set("CHATMODEL_TEST_SECRET", secret);
  try {
    const path = join(author.path, "out");
    await saveModel(path, {
      model: join(author.path, "custom.ts"),
      modelConfig: join(author.path, "config.yaml"),
      inputExample: { text: "Hi" },
      validate: "predict",
    });
    for (const file of await filesBelow(path)) {
      assert(!(await Deno.readTextFile(join(path, file))).includes(secret), file);
    }
    assertEquals((await getModelInfo(path)).modelConfig, { key: "env:CHATMODEL_TEST_SECRET", unit: "words" });
  } finally {
    Deno.env.delete("CHATMODEL_TEST_SECRET");
  }
});

Deno.test("saveModel() takes what setModel named, and code paths", async () => {
  await using author = await authorFolder({
    "named.ts": `import { ChatModel, setModel } from "@chatmodel/chat-model";
setModel(class extends ChatModel {
  override predict() {
    return Deno.readTextFile(new URL("data/facts.txt", import.meta.url));
  }
});
`,
    "data/facts.txt": "Water is wet",
  });
  const path = join(author.path, "out");
  await saveModel(path, { model: join(author.path, "named.ts"), codePaths: [join(author.path, "data")] });
  await Deno.remove(join(author.path, "data"), { recursive: true });
  const model = await loadModel(path);
  assertEquals((await model.predict(ask("Hi"))).choices[0]?.message.content, "Water is wet");
});

Deno.test("saveModel() tells what is wrong with a model file, an example, a configuration or an artifact", async () => {
  await using author = await authorFolder({
    "empty.ts": "export {};\n",
    "broken.ts": 'throw new Error("Broken on purpose");\n',
  });
  const before = await namesIn(author.path);
  const path = join(author.path, "out");
  const model = join(author.path, "model.ts");
  const cases: [string, Parameters<typeof saveModel>[1], string][] = [
    ["invalid_model_file", { model: join(author.path, "empty.ts") }, "empty.ts"],
    ["invalid_model_file", { model: join(author.path, "broken.ts") }, "Broken on purpose"],
    ["invalid_model_file", { model: join(author.path, "missing.ts") }, "there is no such file"],
    ["invalid_model_config", { model, modelConfig: join(author.path, "missing.yaml") }, "there is no such file"],
    ["invalid_model_path", { model, artifacts: { prompt: join(author.path, "missing.txt") } }, 'artifact "prompt"'],
  ];
  for (const [code, options, text] of cases) {
    const error = await assertRejects(() => saveModel(path, options), ChatModelError, text);
    assertEquals(error.code, code);
    assertEquals(await namesIn(author.path), before);
  }
  await assertRejects(() => saveModel(path, { model, inputExample: { messages: "Hi" } }), ValidationError);
  assertEquals(await namesIn(author.path), before);
});

Deno.test("saveModel() refuses a model that is no path", async () => {
  await using author = await authorFolder();
  // As callers without types may do.
  const options: { model: string } = Object(JSON.parse('{ "model": { "name": "instance" } }'));
  const error = await assertRejects(() => saveModel(join(author.path, "out"), options), ChatModelError);
  assertEquals(error.code, "invalid_model_file");
  assertStringIncludes(error.message, "Name the file that exports it as default");
});

Deno.test("saveModel() leaves nothing behind when it is aborted", async () => {
  await using author = await authorFolder({
    "slow.ts": `import { ChatModel } from "@chatmodel/chat-model";
export default class extends ChatModel {
  override predict(): Promise<string> {
    Reflect.get(globalThis, "chatModelTestReached")();
    return new Promise(() => {});
  }
}
`,
  });
  const before = await namesIn(author.path);
  const controller = new AbortController();
  const reason = new Error("No longer wanted");
  Reflect.set(globalThis, "chatModelTestReached", () => controller.abort(reason));
  const options = { model: join(author.path, "slow.ts"), validate: "predict", signal: controller.signal } as const;
  try {
    for (const when of ["while the model is called", "before"]) {
      const error = await assertRejects(() => saveModel(join(author.path, "out"), options));
      assertEquals(error, reason, when);
      assertEquals(await namesIn(author.path), before);
    }
  } finally {
    Reflect.deleteProperty(globalThis, "chatModelTestReached");
  }
});

Deno.test("saveModel() that is killed leaves no folder at the target", async () => {
  await using author = await authorFolder({
    "stuck.ts": `import { ChatModel } from "@chatmodel/chat-model";
export default class extends ChatModel {
  override async predict(): Promise<string> {
    console.log("called");
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    return "late";
  }
}
`,
  });
  const target = join(author.path, "out");
  await Deno.writeTextFile(
    join(author.path, "save.ts"),
    `import { saveModel } from ${JSON.stringify(toFileUrl(join(ROOT, "models/mod.ts")).href)};
await saveModel(${JSON.stringify(target)}, { model: ${
      JSON.stringify(join(author.path, "stuck.ts"))
    }, validate: "predict" });
`,
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", join(ROOT, "deno.json"), join(author.path, "save.ts")],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "called\n");
  child.kill("SIGKILL");
  assertEquals((await child.status).signal, "SIGKILL");
  assertEquals((await reader.read()).done, true);
  assert(!(await namesIn(author.path)).includes("out"));
  // What it left is hidden and in no one's way.
  await saveModel(target, { model: join(author.path, "model.ts") });
  assertEquals((await getModelInfo(target)).kind, "chat");
});

Deno.test("saveModel() names the author's files in what fails in its copies of them", async () => {
  await using author = await authorFolder({
    "throws.ts": 'import "./lib/broken.ts";\nexport default null;\n',
    "lib/broken.ts": '\nthrow new Error("Out of order");\n',
    "throws_two.ts": `import { ChatModel } from "@chatmodel/chat-model";
import "./lib/greeting.ts";

export default class Broken extends ChatModel {
  constructor() {
    super();
    throw new Error("Not built");
  }

  override predict(): string {
    return "";
  }
}
`,
  });
  for (const [file, text] of [["throws.ts", "lib/broken.ts:2:7"], ["throws_two.ts", "throws_two.ts:7:11"]] as const) {
    const folder = join(author.path, "saved");
    const error = await assertRejects(() => saveModel(folder, { model: join(author.path, file) }), ChatModelError);
    assertEquals(error.code, "invalid_model_file");
    assertStringIncludes(error.message, `"${join(author.path, file)}"`);
    assertStringIncludes(error.message, toFileUrl(join(author.path, text)).href);
    assertEquals(error.message.includes(".tmp"), false, error.message);
  }
});
