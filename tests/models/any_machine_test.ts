/**
 * Models on machines that have this package from its registry, not as a checkout.
 *
 * The registry is a stand-in on 127.0.0.1, and Deno keeps what it gives in a folder made for the test. Packages of npm
 * are those that Deno has on this machine already, as all that the package imports was loaded for these tests: the
 * test's folder links to them.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { parse } from "@std/yaml";
import * as v from "valibot";
import configuration from "../../deno.json" with { type: "json" };
import { PACKAGE_VERSION } from "../../models/_specifiers.ts";
import { type JsrRegistry, startJsrRegistry } from "../support/jsr_registry.ts";
import { makeFolder, type TemporaryFolder } from "./_folder.ts";
import { copyFolder, filesBelow } from "./_models.ts";

const PACKAGE = `jsr:@chatmodel/chat-model@${PACKAGE_VERSION}/models`;

/** What the author has: names that only this deno.json explains. */
const AUTHOR = {
  "author/deno.json": JSON.stringify({
    imports: {
      "@chatmodel/chat-model": `jsr:@chatmodel/chat-model@^${PACKAGE_VERSION}`,
      "words/": "./lib/",
      "paths": "jsr:@std/path@^1.1.6",
      "schemas": "npm:valibot@^1.5.0",
    },
  }),
  "author/model.ts": `import { type ChatMessage, ChatModel, type ModelContext } from "@chatmodel/chat-model";
import { basename } from "paths";
import * as v from "schemas";
import { shout } from "words/shout.ts";

export default class Shouter extends ChatModel {
  override *predictStream(_context: ModelContext, messages: readonly ChatMessage[]) {
    yield shout(v.parse(v.string(), messages.at(-1)?.content));
    yield " from ";
    yield basename("/home/shouter");
  }
}
`,
  "author/lib/shout.ts":
    'import { MARK } from "./mark.ts";\nexport const shout = (text: string) => text.toUpperCase() + MARK;\n',
  "author/lib/mark.ts": 'export const MARK = "!";\n',
  "author/log.ts": `import { logModel } from "${PACKAGE}";
console.log(JSON.stringify(await logModel({ name: "shouter", model: "model.ts" })));
`,
};

/** Another machine's: the same names mean something else there. */
const ELSEWHERE = {
  "elsewhere/deno.json": JSON.stringify({
    imports: {
      "@chatmodel/chat-model": "./wrong.ts",
      "words/": "./wrong/",
      "paths": "./wrong.ts",
      "schemas": "./wrong.ts",
      "@std/path": "./wrong.ts",
      "valibot": "./wrong.ts",
    },
    lock: false,
  }),
  "elsewhere/wrong.ts": 'throw new Error("Wrong module");\n',
  "elsewhere/load.ts": `import { loadModel } from "${PACKAGE}";
const [folder = ""] = Deno.args;
const model = await loadModel(folder);
const request = { messages: [{ role: "user", content: "Hi" }] };
const { choices } = await model.predict(request);
const pieces: string[] = [];
for await (const chunk of model.predictStream(request)) {
  const text = chunk.choices[0]?.delta.content;
  if (text) pieces.push(text);
}
console.log(JSON.stringify({ answer: choices[0]?.message.content, pieces }));
`,
  "work/nothing": "",
};

interface Machine extends AsyncDisposable {
  readonly registry: JsrRegistry;
  readonly folder: TemporaryFolder;
  /** Variables by which Deno uses the registry. */
  readonly env: Record<string, string>;
  /** Runs a command in a folder of the machine. */
  run(command: readonly string[], directory: string, env?: Record<string, string>): Promise<Result>;
}

interface Result {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

async function startMachine(): Promise<Machine> {
  const registry = await startJsrRegistry();
  const folder = await makeFolder({ ...AUTHOR, ...ELSEWHERE, "deno_dir/nothing": "" });
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { npmCache } = v.parse(v.object({ npmCache: v.string() }), JSON.parse(new TextDecoder().decode(stdout)));
  await Deno.symlink(npmCache, join(folder.path, "deno_dir/npm"), { type: "dir" });
  const env = {
    JSR_URL: registry.url,
    DENO_DIR: join(folder.path, "deno_dir"),
    MLFLOW_TRACKING_URI: "sqlite:///mlflow.db",
    NO_COLOR: "1",
  };
  return {
    registry,
    folder,
    env,
    async run([program = "", ...args], directory, more = {}) {
      const { success, stdout, stderr } = await new Deno.Command(program, {
        args,
        cwd: join(folder.path, directory),
        env: { ...env, ...more },
        stdin: "null",
      }).output();
      const decoder = new TextDecoder();
      return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Logs the author's model, brings its folder to the other machine, and leaves nothing of the author's. */
async function logAndMove({ run, folder }: Machine): Promise<string> {
  const { success, stdout, stderr } = await run([Deno.execPath(), "run", "-A", "log.ts"], "author");
  assert(success, stderr);
  const logged = v.parse(v.object({ modelId: v.string(), warnings: v.array(v.string()) }), JSON.parse(stdout));
  assertEquals(logged.warnings, []);
  const from = join(folder.path, "author/mlruns/0/models", logged.modelId, "artifacts");
  const to = join(folder.path, "elsewhere/model");
  await copyFolder(from, to);
  await Deno.remove(join(folder.path, "author"), { recursive: true });
  return to;
}

function load({ run, folder }: Machine, model: string): Promise<Result> {
  const program = join(folder.path, "elsewhere/load.ts");
  // What it may read is what it needs: the model, and nothing beside it.
  return run([Deno.execPath(), "run", `--allow-read=${model}`, "--allow-env", program, model], "work");
}

Deno.test("loadModel() loads a folder on any machine, from any directory, beside any deno.json", async () => {
  await using machine = await startMachine();
  const model = await logAndMove(machine);
  assertEquals((await filesBelow(model)).filter((path) => path.startsWith("src/")), [
    "src/lib/mark.ts",
    "src/lib/shout.ts",
    "src/model.ts",
  ]);
  const { stdout, stderr } = await load(machine, model);
  assertEquals(stderr, "");
  assertEquals(JSON.parse(stdout), { answer: "HI! from shouter", pieces: ["HI!", " from ", "shouter"] });
  const { paths } = machine.registry;
  assert(paths.includes(`/@chatmodel/chat-model/${PACKAGE_VERSION}_meta.json`));
  assert(paths.some((path) => /^\/@std\/path\/[\d.]+\/mod\.ts$/.test(path)));

  const code = join(model, "src/lib/mark.ts");
  await Deno.writeTextFile(code, (await Deno.readTextFile(code)).replace("!", "?"));
  const changed = await load(machine, model);
  assertEquals(changed.success, false);
  assertEquals(changed.stdout, "");
  assertMatch(changed.stderr, /ChatModelError: Cannot load model .*"src\/lib\/mark\.ts" /);
});

Deno.test("every entry point of the package loads from the registry, with the files that are published", async () => {
  await using machine = await startMachine();
  const names = Object.keys(configuration.exports).map((name) =>
    `jsr:${configuration.name}@${PACKAGE_VERSION}${name.slice(1)}`
  );
  const program = names.map((name) => `await import("${name}");\nconsole.log("${name}");`).join("\n");
  await Deno.writeTextFile(join(machine.folder.path, "work/imports.ts"), program);
  // Reading the environment is what packages of npm may do as soon as they are loaded.
  const { stdout, stderr } = await machine.run(
    [Deno.execPath(), "run", "--quiet", "--allow-env", "imports.ts"],
    "work",
  );
  assertEquals(stderr, "");
  assertEquals(stdout.trim().split("\n"), names);
  // What is imported only when it is needed Deno asks for as well.
  assertEquals(machine.registry.missing, []);
});

/** Runs the model as MLflow does, without MLflow: `yaml`, which MLflow brings along, is replaced by what the test knows. */
const PYTHON = `import json, sys
import deno_chat_loader

model = deno_chat_loader._load_pyfunc(sys.argv[1])
request = {"messages": [{"role": "user", "content": "Hi"}]}
answer = model.predict(request)["choices"][0]["message"]["content"]
pieces = [chunk["choices"][0]["delta"].get("content") for chunk in model.predict_stream(request)]
command = model._session.current.command
model.close()
print(json.dumps({"answer": answer, "pieces": pieces, "command": command}))
`;

const YAML = `import json, os

def safe_load(stream):
    return json.loads(os.environ["MLMODEL_AS_JSON"])
`;

Deno.test({
  name: "deno_chat_loader.py runs a folder on any machine, with its lock file and without any deno.json",
  ignore: !hasPython(),
  async fn() {
    await using machine = await startMachine();
    const model = await logAndMove(machine);
    const { path } = machine.folder;
    await Deno.writeTextFile(join(path, "work/yaml.py"), YAML);
    await Deno.writeTextFile(join(path, "work/run.py"), PYTHON);
    const mlmodel = await Deno.readTextFile(join(model, "MLmodel"));
    const { success, stdout, stderr } = await machine.run(["python3", "run.py", model], "work", {
      PYTHONPATH: join(model, "code"),
      PYTHONDONTWRITEBYTECODE: "1",
      MLMODEL_AS_JSON: JSON.stringify(parse(mlmodel)),
      CHATMODEL_DENO: Deno.execPath(),
      CHATMODEL_DENO_CONFIG: "",
    });
    assert(success, stderr);
    const { answer, pieces, command } = v.parse(
      v.object({ answer: v.string(), pieces: v.array(v.nullable(v.string())), command: v.array(v.string()) }),
      JSON.parse(stdout),
    );
    assertEquals(answer, "HI! from shouter");
    assertEquals(pieces.filter((piece) => piece), ["HI!", " from ", "shouter"]);
    assert(command.includes("--no-config"), command.join(" "));
    assertMatch(command.join(" "), /--lock=\S+deno\.lock/);
    assertStringIncludes(command.join(" "), `--allow-read=${model}`);
  },
});

function hasPython(): boolean {
  try {
    return new Deno.Command("python3", { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}
