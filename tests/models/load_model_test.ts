import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { ChatModelError, LoadedChatModel, LoadedCustomModel, ValidationError } from "@chatmodel/chat-model";
import { loadModel, saveModel, type SaveModelOptions } from "@chatmodel/chat-model/models";
import { ROOT } from "../support/command.ts";
import { runDeno, type TemporaryFolder } from "./_folder.ts";
import { answer, ask, authorFolder, copyFolder, namesIn } from "./_models.ts";

const MLFLOW_MODELS = join(ROOT, "tests/testdata/mlflow/models");

/** A saved chat model, with artifact and configuration. */
async function saved(author: TemporaryFolder, options: Partial<SaveModelOptions> = {}): Promise<string> {
  const path = join(author.path, "saved");
  await saveModel(path, {
    model: join(author.path, "model.ts"),
    artifacts: { prompt: join(author.path, "prompt.txt") },
    modelConfig: { retrieval: { limit: 5, method: "dense" } },
    ...options,
  });
  return path;
}

async function withVariable<T>(name: string, value: string, action: () => Promise<T>): Promise<T> {
  Deno.env.set(name, value);
  try {
    return await action();
  } finally {
    Deno.env.delete(name);
  }
}

Deno.test("loadModel() loads a copy of a folder without the author's files, beside another deno.json", async () => {
  const author = await authorFolder();
  await using elsewhere = await authorFolder({
    "deno.json": '{ "imports": { "@chatmodel/chat-model": "./wrong.ts", "valibot": "./wrong.ts" } }',
    "wrong.ts": 'throw new Error("The wrong file was imported");\n',
  });
  const copy = join(elsewhere.path, "models/copy");
  try {
    await copyFolder(await saved(author), copy);
  } finally {
    await author[Symbol.asyncDispose]();
  }

  assertEquals(await answer(await loadModel(copy)), "Hello Hi Be kind 5=5 prompt 1");

  const program = `import { loadModel } from ${JSON.stringify(toFileUrl(join(ROOT, "models/mod.ts")).href)};
const model = await loadModel("models/copy");
console.log(JSON.stringify(await model.predict(${JSON.stringify(ask("Hi"))})));
`;
  await Deno.writeTextFile(join(elsewhere.path, "program.ts"), program);
  const args = ["run", "-A", "--no-check", "--quiet", "--config", join(ROOT, "deno.json"), "program.ts"];
  const { success, text } = await runDeno(args, elsewhere.path);
  assert(success, text);
  const response = JSON.parse(text);
  assertEquals(response.choices[0].message.content, "Hello Hi Be kind 5=5 prompt 1");
  assertEquals(response.model, "model");
});

Deno.test("loadModel() streams what a saved model yields", async () => {
  await using author = await authorFolder();
  const model = await loadModel(await saved(author));
  let text = "";
  for await (const chunk of model.predictStream(ask("Hi"))) text += chunk.choices[0]?.delta.content ?? "";
  assertEquals(text, "Hello Hi Be kind 5=5 prompt 1");
});

Deno.test("loadModel() refuses a model of which one byte was changed, with the file's name", async () => {
  await using author = await authorFolder();
  const path = await saved(author);
  for (const file of ["src/model.ts", "src/lib/greeting.ts", "artifacts/prompt.txt", "code/deno_chat_loader.py"]) {
    const bytes = await Deno.readFile(join(path, file));
    const changed = Uint8Array.from(bytes, (byte, index) => index === bytes.length - 2 ? byte ^ 1 : byte);
    await Deno.writeFile(join(path, file), changed);
    const error = await assertRejects(() => loadModel(path), ChatModelError, `"${file}" was changed`);
    assertEquals(error.code, "model_changed");
    await Deno.writeFile(join(path, file), bytes);
  }
  assertEquals(await answer(await loadModel(path)), "Hello Hi Be kind 5=5 prompt 1");
});

Deno.test("loadModel() refuses a model to whose code a file was added, or of which one was removed", async () => {
  await using author = await authorFolder();
  const path = await saved(author);
  await Deno.writeTextFile(join(path, "src/lib/extra.ts"), "export {};\n");
  const added = await assertRejects(() => loadModel(path), ChatModelError, '"src/lib/extra.ts" was added');
  assertEquals(added.code, "model_changed");
  await Deno.remove(join(path, "src/lib"), { recursive: true });
  const removed = await assertRejects(() => loadModel(path), ChatModelError, '"src/lib/greeting.ts" is missing');
  assertEquals(removed.code, "model_changed");
});

Deno.test("loadModel() lets the call win over the environment, that over a file, and that over what was logged", async () => {
  await using author = await authorFolder({
    "custom.ts": `import { CustomModel, type ModelContext } from "@chatmodel/chat-model";
export default class extends CustomModel {
  override predict({ modelConfig }: ModelContext) {
    return ["a", "b", "c", "nested.d", "nested.e"].map((key) => modelConfig.get(key) + " of " + modelConfig.sourceOf(key));
  }
}
`,
    "config.yaml": "b: file\nc: file\nnested:\n  d: file\n",
  });
  const logged = { a: "logged", b: "logged", c: "logged", nested: { d: "logged", e: "logged" } };
  const path = await saved(author, { model: join(author.path, "custom.ts"), modelConfig: logged });
  const modelConfigFile = join(author.path, "config.yaml");
  const tell = async (options: { modelConfig?: Record<string, string> | string; modelConfigFile?: string } = {}) =>
    await (await loadModel(path, { kind: "custom", ...options })).predict({});

  assertEquals(await tell(), ["a", "b", "c", "d", "e"].map(() => "logged of logged"));
  assertEquals(await tell({ modelConfigFile }), [
    "logged of logged",
    ...["file of file", "file of file", "file of file"],
    "logged of logged",
  ]);
  assertEquals(await tell({ modelConfig: modelConfigFile }), await tell({ modelConfigFile }));
  const environment = '{ "a": "env", "b": "env", "c": "env" }';
  await withVariable("MLFLOW_PYFUNC_INFERENCE_CONFIG", environment, async () => {
    assertEquals(await tell({ modelConfigFile, modelConfig: { c: "call" } }), [
      ...["env of env", "env of env", "call of call", "file of file"],
      "logged of logged",
    ]);
  });
});

Deno.test("loadModel() refuses configuration under a key that was not logged, and suggests the nearest", async () => {
  await using author = await authorFolder();
  const path = await saved(author);
  const error = await assertRejects(
    () => loadModel(path, { modelConfig: { retrieval: { limits: 3 } } }),
    ValidationError,
    'limit"',
  );
  assertEquals(error.code, "invalid_model_config");
  assertStringIncludes(error.message, "retrieval.limits");
  await withVariable("MLFLOW_PYFUNC_INFERENCE_CONFIG", '{ "retreival": {} }', async () => {
    await assertRejects(() => loadModel(path), ValidationError, "retrieval");
  });
  assertEquals(
    await answer(await loadModel(path, { modelConfig: { retrieval: { limit: 7 } } })),
    "Hello Hi Be kind 7=7 prompt 1",
  );
});

Deno.test("loadModel() makes a model of its own each time", async () => {
  await using author = await authorFolder();
  const path = await saved(author);
  const [one, other] = await Promise.all([loadModel(path), loadModel(path)]);
  assert(one !== other);
  assertEquals(await answer(one), "Hello Hi Be kind 5=5 prompt 1");
  assertEquals(await answer(one), "Hello Hi Be kind 5=5 prompt 2");
  assertEquals(await answer(other), "Hello Hi Be kind 5=5 prompt 1");
});

Deno.test("loadModel() makes a model of its own each time of a file that exports an instance, or names one", async () => {
  const source = (last: string) =>
    `import { ChatModel, setModel } from "@chatmodel/chat-model";
class Counting extends ChatModel {
  #calls = 0;
  override predict() {
    return String(++this.#calls);
  }
}
${last}
`;
  await using author = await authorFolder({
    "exported.ts": source("export default new Counting();").replace(", setModel", ""),
    "named.ts": source("setModel(new Counting());"),
  });
  for (const name of ["exported", "named"]) {
    const path = join(author.path, name);
    await saveModel(path, { model: join(author.path, `${name}.ts`), validate: "predict" });
    const [one, other] = [await loadModel(path), await loadModel(path)];
    assertEquals([await answer(one), await answer(one), await answer(other)], ["1", "2", "1"], name);
  }
});

Deno.test("loadModel() does not take one file's setModel for another's", async () => {
  // Both are under way for a while after they named their model.
  const named = (text: string) =>
    `import { ChatModel, setModel } from "@chatmodel/chat-model";
setModel(class extends ChatModel {
  override predict() {
    return "${text}";
  }
});
await new Promise((resolve) => setTimeout(resolve, 20));
`;
  await using author = await authorFolder({
    "a.ts": named("a"),
    "b.ts": named("b"),
    "none.ts": "export const one = 1;\n",
  });
  for (const name of ["a", "b"]) await saveModel(join(author.path, name), { model: join(author.path, `${name}.ts`) });
  const [a, b] = await Promise.all([loadModel(join(author.path, "a")), loadModel(join(author.path, "b"))]);
  assertEquals([await answer(a), await answer(b)], ["a", "b"]);
  const [again, file] = [await loadModel(join(author.path, "a")), await loadModel(join(author.path, "a.ts"))];
  assertEquals([await answer(again), await answer(file)], ["a", "a"]);
  await assertRejects(() => loadModel(join(author.path, "none.ts")), ChatModelError, "it has no model");
});

Deno.test("loadModel() can be called by the loadContext of another model", async () => {
  await using author = await authorFolder();
  const path = await saved(author);
  const outer = `import { ChatModel, type LoadedChatModel, setModel } from "@chatmodel/chat-model";
import { loadModel } from ${JSON.stringify(toFileUrl(join(ROOT, "models/mod.ts")).href)};
setModel(class extends ChatModel {
  #inner?: LoadedChatModel;
  override async loadContext() {
    this.#inner = await loadModel(${JSON.stringify(path)});
  }
  override async predict() {
    const answer = await this.#inner?.predict({ messages: [{ role: "user", content: "Ho" }] });
    return "Inner says " + answer?.choices[0]?.message.content;
  }
});
`;
  await Deno.writeTextFile(join(author.path, "outer.ts"), outer);
  const model = await loadModel(join(author.path, "outer.ts"));
  assertEquals(await answer(model), "Inner says Hello Ho Be kind 5=5 prompt 1");
});

Deno.test("loadModel() takes a folder, its file: address, and a file that was not saved", async () => {
  await using author = await authorFolder();
  const path = await saved(author);
  const uris = [path, `${path}/`, toFileUrl(path).href];
  for (const uri of uris) assertEquals(await answer(await loadModel(uri)), "Hello Hi Be kind 5=5 prompt 1", uri);
  const file = join(author.path, "model.ts");
  for (const uri of [file, toFileUrl(file).href]) {
    const model = await loadModel(uri, { modelConfig: { retrieval: { limit: 2 } } });
    assertEquals(await answer(model), "Hello Hi none 2=2  1", uri);
    assertEquals(model.name, "model");
  }
});

Deno.test("loadModel() names a saved model as it is told, else as its file was named", async () => {
  await using author = await authorFolder();
  const path = await saved(author);
  assertEquals((await loadModel(path)).name, "model");
  const named = await loadModel(path, { name: "assistant" });
  assertEquals(named.name, "assistant");
  assertEquals((await named.predict(ask("Hi"))).model, "assistant");
  // As folders were before names were kept in them.
  const text = await Deno.readTextFile(join(path, "MLmodel"));
  await Deno.writeTextFile(join(path, "MLmodel"), text.replace("    name: model\n", ""));
  assertEquals((await loadModel(path)).name, "saved");
});

Deno.test("loadModel() refuses a model of the other kind, and says how to load it", async () => {
  await using author = await authorFolder();
  const chat = await saved(author);
  const custom = join(author.path, "counter");
  await saveModel(custom, { model: join(author.path, "custom.ts"), inputExample: { text: "Hi" } });
  const wrongChat = await assertRejects(() => loadModel(custom), ChatModelError, '{ kind: "custom" }');
  assertEquals(wrongChat.code, "wrong_model_kind");
  const wrongCustom = await assertRejects(
    () => loadModel(chat, { kind: "custom" }),
    ChatModelError,
    '{ kind: "chat" }',
  );
  assertEquals(wrongCustom.code, "wrong_model_kind");
  assert(LoadedChatModel.isInstance(await loadModel(chat, { kind: "any" })));
  assert(LoadedCustomModel.isInstance(await loadModel(custom, { kind: "any" })));
});

Deno.test("loadModel() checks a custom model's input and fills in its params", async () => {
  await using author = await authorFolder();
  const path = await saved(author, {
    model: join(author.path, "custom.ts"),
    inputExample: [{ text: "Hi" }, { factor: 2, tag: "x" }],
    modelConfig: { unit: "letters" },
  });
  const model = await loadModel(path, { kind: "custom" });
  assertEquals(await model.predict({ text: "Hello" }, { factor: 3 }), {
    letters: 5,
    factor: 3,
    tag: "x",
    unit: "letters",
  });
  const error = await assertRejects(() => model.predict({ texts: "Hello" }, { factor: "three" }), ValidationError);
  assertStringIncludes(error.message, '"text": Expected a string, found nothing');
  assertStringIncludes(error.message, '"params.factor": Expected a whole number, found a string');
});

Deno.test("loadModel() says of MLflow's Python models that they cannot be run here", async () => {
  const names = await namesIn(MLFLOW_MODELS);
  assertEquals(names.length, 8);
  for (const name of names) {
    const path = join(MLFLOW_MODELS, name);
    const error = await assertRejects(() => loadModel(path), ChatModelError, "Python code cannot be run here");
    assertEquals(error.code, "python_model", name);
    assertStringIncludes(error.message, '(its loader is "mlflow.pyfunc.');
  }
});

Deno.test("loadModel() says what is wrong with a place that is no model's", async () => {
  await using author = await authorFolder();
  const cases: [string, string, string][] = [
    [join(author.path, "missing"), "model_not_found", "there is no such file or folder"],
    [join(author.path, "prompt.txt"), "model_not_found", "it is no file of code"],
    [join(author.path, "lib"), "invalid_mlmodel", 'it has no file "MLmodel"'],
  ];
  for (const [uri, code, text] of cases) {
    const error = await assertRejects(() => loadModel(uri), ChatModelError, text);
    assertEquals(error.code, code);
    assertStringIncludes(error.message, uri);
  }
});

Deno.test("loadModel() hands on what loadContext throws, and stops where it is aborted", async () => {
  await using author = await authorFolder({
    "failing.ts": `import { ChatModel } from "@chatmodel/chat-model";
export default class extends ChatModel {
  override loadContext() {
    throw new RangeError("No weights here");
  }
  override predict() {
    return "";
  }
}
`,
  });
  const path = join(author.path, "failing");
  await saveModel(path, { model: join(author.path, "failing.ts") });
  await assertRejects(() => loadModel(path), RangeError, "No weights here");
  const reason = new Error("No longer wanted");
  assertEquals(await assertRejects(() => loadModel(path, { signal: AbortSignal.abort(reason) })), reason);
});
