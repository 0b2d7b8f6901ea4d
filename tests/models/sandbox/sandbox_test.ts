import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join, toFileUrl } from "@std/path";
import { ChatModelError, LoadedCustomModel, UpstreamError, ValidationError } from "@chatmodel/chat-model";
import { loadModel, saveModel } from "@chatmodel/chat-model/models";
import { observeEveryCall } from "../../../call_observer.ts";
import { makeFolder, runDeno } from "../_folder.ts";
import { request, sandboxed } from "./_sandbox.ts";

const ROOT = fromFileUrl(new URL("../../../", import.meta.url));

Deno.test("loadModel() with sandbox answers and streams as without", async () => {
  const code = `export default class extends ChatModel {
  override predict(_context: ModelContext, messages: readonly ChatMessage[]) {
    return { role: "assistant" as const, content: "You said " + lastText(messages) };
  }
  override async *predictStream(): AsyncGenerator<PredictPart> {
    yield "one";
    yield { content: " two" };
    await new Promise((resolve) => setTimeout(resolve, 5));
    yield " three";
  }
}`;
  await using sandbox = await sandboxed(code);
  const plain = await loadModel(join(sandbox.folder, "model.ts"));
  const read = async (model: typeof plain) => {
    const whole = await model.predict(request("Hi"));
    const deltas: unknown[] = [];
    for await (const { choices } of model.predictStream(request("Hi"))) deltas.push(choices);
    return [whole.choices, whole.model, deltas];
  };
  assertEquals(await read(sandbox.model), await read(plain));
});

Deno.test("loadModel() with sandbox derives the way to answer that the model lacks", async () => {
  await using streams = await sandboxed(
    "export default class extends ChatModel { override *predictStream() { yield 'a'; yield 'b'; } }",
  );
  assertEquals(await streams.ask("Hi"), "ab");
  await using answers = await sandboxed(
    "export default class extends ChatModel { override predict() { return 'whole'; } }",
  );
  let text = "";
  for await (const { choices } of answers.model.predictStream(request("Hi"))) text += choices[0]?.delta.content ?? "";
  assertEquals(text, "whole");
  const error = await assertRejects(() => answers.model.embed({ input: ["text"] }), ChatModelError);
  assertEquals(error.code, "unsupported_feature");
});

Deno.test("loadModel() with sandbox makes vectors", async () => {
  await using sandbox = await sandboxed(`export default class extends ChatModel {
  override predict() { return ""; }
  override embed(_context: ModelContext, input: readonly string[]) { return input.map((text) => [text.length, 1]); }
}`);
  const { data } = await sandbox.model.embed({ input: ["a", "bcd"] });
  assertEquals(data.map(({ embedding }) => embedding), [[1, 1], [3, 1]]);
});

/** Counts what it does; can be asked for it. */
const COUNTING = `let produced = 0;
let ended = "not yet";
export default class extends ChatModel {
  override predict() { return produced + " " + ended; }
  override async *predictStream({ signal }: ModelContext, messages: readonly ChatMessage[]) {
    produced = 0;
    ended = "not yet";
    try {
      for (;;) {
        yield "part " + produced++ + " ";
        if (lastText(messages) === "wait") {
          await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        }
      }
    } finally {
      ended = "ended, signal " + (signal.aborted ? "fired: " + signal.reason.name : "silent");
    }
  }
}`;

async function until(ask: () => Promise<string>, isDone: (answer: string) => boolean): Promise<string> {
  for (let time = 0; time < 200; time++) {
    const answer = await ask();
    if (isDone(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return await ask();
}

Deno.test("loadModel() with sandbox keeps the model no more than a window ahead of who reads", async () => {
  await using sandbox = await sandboxed(COUNTING);
  const stream = sandbox.model.predictStream(request("go"))[Symbol.asyncIterator]();
  for (let time = 0; time < 3; time++) await stream.next();
  let before = "";
  const produced = await until(() => sandbox.ask(""), (answer) => answer === before || (before = answer) === "");
  const count = Number.parseInt(produced);
  assert(count >= 3 && count <= 200, produced);
  // As far as it went, it goes on when more is read.
  for (let time = 0; time < 300; time++) await stream.next();
  const later = await until(() => sandbox.ask(""), (answer) => Number.parseInt(answer) > count);
  assert(Number.parseInt(later) > count && Number.parseInt(later) <= count + 500, later);
  await stream.return?.();
});

Deno.test("loadModel() with sandbox runs a generator's finally when its reader leaves", async () => {
  for (const kind of ["go", "wait"]) {
    await using sandbox = await sandboxed(COUNTING);
    for await (const { choices } of sandbox.model.predictStream(request(kind))) {
      if ((choices[0]?.delta.content ?? "") !== "") break;
    }
    const answer = await until(() => sandbox.ask(""), (answer) => answer.includes("ended"));
    assertStringIncludes(answer, "ended, signal fired: AbortError", kind);
  }
});

Deno.test("loadModel() with sandbox fires the model's signal when the caller's fires, with its reason", async () => {
  await using sandbox = await sandboxed(COUNTING);
  const controller = new AbortController();
  const reason = new RangeError("enough");
  const error = await assertRejects(async () => {
    for await (const { choices } of sandbox.model.predictStream(request("wait"), { signal: controller.signal })) {
      if ((choices[0]?.delta.content ?? "") !== "") controller.abort(reason);
    }
  });
  assertEquals(error, reason);
  const answer = await until(() => sandbox.ask(""), (answer) => answer.includes("ended"));
  assertStringIncludes(answer, "ended, signal fired: RangeError");
});

Deno.test("loadModel() with sandbox ends a call in one piece by its time limit, and fires its signal", async () => {
  await using sandbox = await sandboxed(`let fired = "";
export default class extends ChatModel {
  override async predict({ signal }: ModelContext, messages: readonly ChatMessage[]) {
    if (lastText(messages) === "fired") return fired;
    signal.addEventListener("abort", () => fired = signal.reason.code);
    await new Promise(() => {});
    return "";
  }
}`);
  const error = await assertRejects(
    () => sandbox.model.predict(request("wait"), { firstTokenTimeout: 50 }),
    ChatModelError,
  );
  assertEquals(error.code, "first_token_timeout");
  assertEquals(await until(() => sandbox.ask("fired"), (answer) => answer !== ""), "first_token_timeout");
});

Deno.test("loadModel() with sandbox answers many at once, each with its own request id", async () => {
  await using sandbox = await sandboxed(`export default class extends ChatModel {
  override async *predictStream({ requestId }: ModelContext, messages: readonly ChatMessage[]) {
    for (let part = 0; part < 5; part++) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
      yield lastText(messages) + "/" + requestId + " ";
    }
  }
}`);
  const answers = await Promise.all(Array.from({ length: 50 }, async (_, index) => {
    const { choices } = await sandbox.model.predict(request(`text ${index}`), { requestId: `request-${index}` });
    return choices[0]?.message.content;
  }));
  assertEquals(answers, answers.map((_, index) => `text ${index}/request-${index} `.repeat(5)));
});

Deno.test("loadModel() with sandbox hands errors on with all that they say", async () => {
  await using sandbox = await sandboxed(`const errors: Record<string, () => unknown> = {
  own: () => new ChatModelError("Own words", { status: 418, code: "teapot", param: "messages.0", retryable: true, retryAfter: 70 }),
  upstream: () => new UpstreamError("Upstream is down"),
  validation: () => new ValidationError("Cannot brew", [{ path: "tea", message: "is missing" }]),
  type: () => new TypeError("Wrong type"),
  named: () => Object.assign(new Error("Named"), { name: "BrewError" }),
  abort: () => new DOMException("Given up", "AbortError"),
  text: () => "only text",
};
export default class extends ChatModel {
  override predict(_context: ModelContext, messages: readonly ChatMessage[]): string { throw errors[lastText(messages)]?.(); }
  override async *predictStream(_context: ModelContext, messages: readonly ChatMessage[]) {
    yield "before";
    throw errors[lastText(messages)]?.();
  }
}`);
  const own = await assertRejects(() => sandbox.ask("own"), ChatModelError, "Own words");
  assertEquals([own.status, own.code, own.param, own.retryable, own.retryAfter], [
    418,
    "teapot",
    "messages.0",
    true,
    70,
  ]);
  const upstream = await assertRejects(() => sandbox.ask("upstream"), UpstreamError, "Upstream is down");
  assertEquals([upstream.status, upstream.code], [502, "upstream_error"]);
  const validation = await assertRejects(() => sandbox.ask("validation"), ValidationError);
  assertEquals(validation.message, 'Cannot brew: "tea": is missing');
  assertEquals(validation.issues, [{ path: "tea", message: "is missing" }]);
  const type = await assertRejects(() => sandbox.ask("type"), TypeError, "Wrong type");
  assertStringIncludes(type.stack ?? "", "model.ts");
  assertEquals((await assertRejects(() => sandbox.ask("named"), Error, "Named")).name, "BrewError");
  const abort = await assertRejects(() => sandbox.ask("abort"), DOMException, "Given up");
  assertEquals(abort.name, "AbortError");
  await assertRejects(() => sandbox.ask("text"), Error, "only text");
  let text = "";
  await assertRejects(
    async () => {
      for await (const { choices } of sandbox.model.predictStream(request("own"))) {
        text += choices[0]?.delta.content ?? "";
      }
    },
    ChatModelError,
    "Own words",
  );
  assertEquals(text, "before");
});

Deno.test("loadModel() with sandbox refuses output that is no value", async () => {
  await using sandbox = await sandboxed(`export default class extends ChatModel {
  override predict(_context: ModelContext, messages: readonly ChatMessage[]) {
    const outputs: Record<string, unknown> = { nothing: undefined, number: 5, function: { content: () => "x" } };
    return outputs[lastText(messages)] as string;
  }
  override predictStream() { return Promise.resolve(["x"]) as unknown as string[]; }
}`);
  for (const output of ["nothing", "number", "function"]) {
    const error = await assertRejects(() => sandbox.ask(output), ChatModelError, "Cannot read the model's output");
    assertEquals(error.code, "invalid_model_output", output);
  }
  const error = await assertRejects(
    async () => {
      for await (const _ of sandbox.model.predictStream(request("Hi")));
    },
    ChatModelError,
    "predictStream must return an iterable",
  );
  assertEquals(error.code, "invalid_model_output");
});

const LOGGED = `import { ChatModel, CustomModel, type ModelContext } from "@chatmodel/chat-model";
import { GREETING } from "./lib/greeting.ts";
let loaded = 0;
let prompt = "";
export default class extends ChatModel {
  override async loadContext({ artifacts }: ModelContext) {
    loaded++;
    prompt = await Deno.readTextFile(artifacts.prompt ?? "");
  }
  override async predict({ artifacts, modelConfig }: ModelContext, messages: readonly { content?: unknown }[]) {
    const text = String(messages.at(-1)?.content);
    if (text === "exit") Deno.exit(0);
    if (text.startsWith("/")) return await Deno.readTextFile(text);
    if (text.startsWith("$")) return Deno.env.get(text.slice(1)) ?? "unset";
    const config = modelConfig.get("depth.limit", 0) + modelConfig.get("key", "") + modelConfig.sourceOf("depth.limit");
    return [GREETING, loaded, prompt, Object.keys(artifacts), config].join(" ");
  }
}
`;

Deno.test("loadModel() with sandbox runs a logged model with its package's permissions and equipment", async () => {
  await using author = await makeFolder({
    "deno.json": JSON.stringify({ imports: { "@chatmodel/chat-model": "jsr:@chatmodel/chat-model@^0.1.0" } }),
    "model.ts": LOGGED,
    "lib/greeting.ts": 'export const GREETING = "Hello";\n',
    "prompt.txt": "Be kind",
    "outside/allowed.txt": "allowed",
    "outside.txt": "forbidden",
  });
  const path = join(author.path, "saved");
  await saveModel(path, {
    model: join(author.path, "model.ts"),
    artifacts: { prompt: join(author.path, "prompt.txt") },
    modelConfig: { depth: { limit: 5 }, key: "env:SANDBOX_TEST_KEY" },
    permissions: { read: [join(author.path, "outside")], env: ["SANDBOX_TEST_KEY"] },
  });
  Deno.env.set("SANDBOX_TEST_KEY", "key");
  Deno.env.set("SANDBOX_TEST_OTHER", "other");
  const stop = new AbortController();
  try {
    const model = await loadModel(path, { modelConfig: { depth: { limit: 7 } }, sandbox: { signal: stop.signal } });
    const ask = async (text: string) => (await model.predict(request(text))).choices[0]?.message.content;
    assertEquals(await ask("Hi"), "Hello 1 Be kind prompt 7keycall");
    assertEquals(await ask(join(author.path, "outside/allowed.txt")), "allowed");
    assertEquals(await ask("$SANDBOX_TEST_KEY"), "key");
    const file = await assertRejects(() => ask(join(author.path, "outside.txt")), ChatModelError);
    assertStringIncludes(file.message, `declares read access to its own folder, "${join(author.path, "outside")}"`);
    const variable = await assertRejects(() => ask("$SANDBOX_TEST_OTHER"), ChatModelError);
    assertStringIncludes(variable.message, 'may not read the environment variable "SANDBOX_TEST_OTHER"');
    // A worker in place of the first has the same equipment, and was prepared as that was.
    await assertRejects(() => ask("exit"), ChatModelError, "Deno.exit()");
    assertEquals(await ask("Hi"), "Hello 1 Be kind prompt 7keycall");
    const refused = await assertRejects(
      () => loadModel(path, { sandbox: { permissions: { read: true } } }),
      ValidationError,
    );
    assertStringIncludes(refused.message, '"sandbox.permissions": cannot be given for a logged model');
  } finally {
    stop.abort();
    Deno.env.delete("SANDBOX_TEST_KEY");
    Deno.env.delete("SANDBOX_TEST_OTHER");
  }
});

Deno.test("loadModel() with sandbox runs custom models", async () => {
  await using author = await makeFolder({
    "model.ts": `import { CustomModel, type ModelContext } from "@chatmodel/chat-model";
export default class extends CustomModel {
  override predict(_context: ModelContext, input: unknown) { return input === "bad" ? { a: () => 1 } : { got: input, at: [1] }; }
}`,
  });
  const stop = new AbortController();
  const model = await loadModel(join(author.path, "model.ts"), { kind: "custom", sandbox: { signal: stop.signal } });
  assertInstanceOf(model, LoadedCustomModel);
  assertEquals(await model.predict({ x: [1, null] }), { got: { x: [1, null] }, at: [1] });
  const error = await assertRejects(() => model.predict("bad"), ChatModelError, '"a"');
  assertEquals(error.code, "invalid_model_output");
  await assertRejects(() => model.predict(() => "x"), DOMException, "could not be cloned");
  assertEquals(await model.predict(1), { got: 1, at: [1] });
  const running = assertRejects(() => model.predict("x"), ChatModelError, "was stopped");
  stop.abort();
  await running;
  assertEquals((await assertRejects(() => model.predict("x"), ChatModelError, "was stopped")).code, "server_stopping");
  const wrong = await assertRejects(
    () => loadModel(join(author.path, "model.ts"), { sandbox: true }),
    ChatModelError,
    "it is a custom model",
  );
  assertEquals(wrong.code, "wrong_model_kind");
});

Deno.test("loadModel() with sandbox lets the model write notes to its call's span", async () => {
  await using sandbox = await sandboxed(`export default class extends ChatModel {
  override predict({ span }: ModelContext) {
    span.setAttribute("cache.hit", true);
    span.addEvent("looked up", { rows: 3 });
    return [span.isRecording, span.traceId, span.spanId].join(" ");
  }
}`);
  assertEquals(await sandbox.ask("Hi"), "false  ");
  const notes: unknown[] = [];
  const span = {
    isRecording: true,
    traceId: "a".repeat(32),
    spanId: "b".repeat(16),
    setAttribute: (name: string, value: unknown) => void notes.push([name, value]),
    addEvent: (name: string, attributes?: unknown) => void notes.push([name, attributes]),
  };
  const end = observeEveryCall({ begin: () => ({ span, end() {} }) });
  try {
    assertEquals(await sandbox.ask("Hi"), `true ${span.traceId} ${span.spanId}`);
  } finally {
    end();
  }
  assertEquals(notes, [["cache.hit", true], ["looked up", { rows: 3 }]]);
});

Deno.test("loadModel() with sandbox gives up a file that never comes to its end when its signal fires", async () => {
  const code = `setTimeout(() => {}, 1e9);
await new Promise(() => {});
export default class extends ChatModel {}`;
  const controller = new AbortController();
  const reason = new RangeError("enough");
  const loading = sandboxed(code, { load: { signal: controller.signal } });
  setTimeout(() => controller.abort(reason), 300);
  assertEquals(await assertRejects(() => loading), reason);
});

Deno.test("loadModel() with sandbox refuses options that are none", async () => {
  for (
    const [sandbox, message] of [
      [{ permission: {} }, '"sandbox.permission": is no option'],
      [{ permissions: { nett: true } }, '"sandbox.permissions": Cannot read permissions'],
      [{ unresponsiveAfter: 0 }, '"sandbox.unresponsiveAfter": must be a number of milliseconds'],
      [{ signal: 5 }, '"sandbox.signal": must be an AbortSignal'],
      ["yes", '"sandbox": must be true, false or an object'],
    ] as const
  ) {
    // @ts-expect-error what no types stop
    const error = await assertRejects(() => loadModel("model.ts", { sandbox }), ValidationError);
    assertStringIncludes(error.message, message);
  }
});

Deno.test({
  name: "loadModel() with sandbox refuses a model that declares what this process may not do itself",
  permissions: { read: true, write: true, net: ["127.0.0.1:1"] },
  fn: async () => {
    const error = await assertRejects(
      () =>
        sandboxed("export default class extends ChatModel { override predict() { return ''; } }", {
          permissions: { net: ["127.0.0.1:1", "example.com"], env: ["HOME"], read: ["/etc"] },
        }),
      ChatModelError,
    );
    assertEquals(error.code, "permission_denied");
    assertStringIncludes(error.message, 'Run with "--allow-net=example.com" "--allow-env=HOME", or log');
  },
});

Deno.test("loadModel() with sandbox says why its worker does not start", async () => {
  await using author = await makeFolder({
    "model.ts": "export default 5;\n",
    "program.ts": `
import { loadModel } from ${JSON.stringify(toFileUrl(join(ROOT, "models/mod.ts")).href)};
try {
  await loadModel("model.ts", { sandbox: true });
} catch (error) {
  console.log(error.code, error.message);
}
`,
  });
  const config = ["--config", join(ROOT, "deno.json")];
  const flags = ["--unstable-worker-options", "--no-check", "--quiet", "--no-prompt", "--allow-read=.", "--allow-env"];
  const { text } = await runDeno(["run", ...config, ...flags, "program.ts"], author.path);
  assertStringIncludes(text, 'start_failed Cannot start the sandbox of model "model": Requires read access to ');
});

Deno.test("loadModel() with sandbox says which flag of Deno is missing", async () => {
  const config = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const imports = Object.entries(config.imports).map(([name, target]) => {
    const isStd = name.startsWith("@std/");
    return [name, isStd ? toFileUrl(join(ROOT, name.slice(1), "mod.ts")).href : target];
  });
  await using folder = await makeFolder({
    "deno.json": JSON.stringify({
      imports: { ...Object.fromEntries(imports), "deno-std/": "npm:/deno-std@^1.4.0/" },
    }),
    "model.js": "export default 5;\n",
    "program.ts": `import { loadModel } from ${JSON.stringify(toFileUrl(join(ROOT, "models/mod.ts")).href)};
try {
  await loadModel("model.js", { sandbox: true });
} catch (error) {
  console.log(error.code, error.message);
}
`,
  });
  const args = ["run", "-A", "--no-check", "--quiet", "--no-lock", "program.ts"];
  const { text } = await runDeno(args, folder.path);
  assertStringIncludes(
    text,
    "start_failed Cannot load model into a sandbox: Deno was started without --unstable-worker-options",
  );
  const flagged = await runDeno(["run", "--unstable-worker-options", ...args.slice(1)], folder.path);
  assertStringIncludes(flagged.text, "invalid_model_file");
});
