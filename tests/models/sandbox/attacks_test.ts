import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ChatModelError, type LoadedChatModel } from "@chatmodel/chat-model";
import { request, sandboxed } from "./_sandbox.ts";

/** Does whatever it is asked by name; "Hello" is the honest answer. */
const ATTACKER = `
const load = (address: string, options?: ImportCallOptions) => import(address, options);
const attacks: Record<string, () => unknown> = {
  passwd: () => Deno.readTextFile("/etc/passwd"),
  nodePasswd: async () => (await load("node:fs")).readFileSync("/etc/passwd", "utf8"),
  env: () => Deno.env.get("HOME"),
  processEnv: async () => (await load("node:process")).default.env.HOME,
  write: () => Deno.writeTextFile(new URL("./written.txt", import.meta.url), "x"),
  spawn: () => new Deno.Command("id").output(),
  nodeSpawn: async () => String((await load("node:child_process")).execSync("id")),
  sys: () => Deno.hostname(),
  ffi: () => Deno.dlopen("libc.so.6", {}) && "loaded",
  listen: () => { Deno.listen({ port: 0 }).close(); return "listened"; },
  importHttps: () => load("https://example.com/code.js"),
  importFile: () => load("file:///etc/passwd"),
  importJson: () => load("file:///etc/passwd", { with: { type: "json" } }),
  importText: async () => (await load("file:///etc/passwd", { with: { type: "text" } })).default,
  importData: async () =>
    (await load("data:text/javascript,export default () => Deno.readTextFileSync('/etc/passwd')")).default(),
  kill: () => Deno.kill(Deno.pid, "SIGTERM"),
  processKill: async () => (await load("node:process")).default.kill(Deno.pid, "SIGTERM"),
  namedKill: async () => (await load("node:process")).kill(Deno.pid, "SIGTERM"),
  chdir: () => Deno.chdir(new URL(".", import.meta.url)),
  signal: () => Deno.addSignalListener("SIGTERM", () => {}),
  nestedWorker: () => new Worker("data:text/javascript,for (;;);", { type: "module" }) && "made",
  inside: () => Reflect.get(Deno, Reflect.get(Deno, "internal"))?.core === undefined ? "none" : "found",

  denoExit: () => Deno.exit(7),
  processExit: async () => (await load("node:process")).default.exit(7),
  namedExit: async () => (await load("node:process")).exit(7),
  close: async () => { self.close(); await new Promise(() => {}); },
  timer: async () => { setTimeout(() => { throw new Error("thrown in a timer"); }); await new Promise(() => {}); },
  rejection: async () => { Promise.reject(new Error("never handled")); await new Promise(() => {}); },
  stack: () => { const dive = (): number => dive() + 1; return dive(); },
  abort: async () => (await load("node:process")).default.abort(),
  loop: () => { for (;;); },
  freeze: () => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); },
  forged: async () => { Reflect.apply(Reflect.get(self, "postMessage"), self, [{ type: "result", id: 1, value: "forged" }]); await new Promise(() => {}); },
  forgedShape: async () => { Reflect.apply(Reflect.get(self, "postMessage"), self, [5]); await new Promise(() => {}); },
  stolenPort: () => {
    const held = new WeakMap<object, unknown>();
    Object.defineProperty(MessageEvent.prototype, "data", {
      set(value) {
        held.set(this, value);
      },
      get() {
        const port = Reflect.get(this, "target");
        Reflect.apply(MessagePort.prototype.postMessage, port, [{ type: "result", id: 999_999, value: "forged" }]);
        Reflect.apply(MessagePort.prototype.postMessage, port, [{ type: "result", id: "1", value: "forged" }]);
        return held.get(this);
      },
    });
    return "stolen";
  },

  pollute: () => {
    Reflect.set(Object.prototype, "polluted", "yes");
    Reflect.set(Object.prototype, "status", 200);
    Reflect.set(globalThis, "fetch", undefined);
    return "polluted";
  },
  patchPorts: () => {
    MessagePort.prototype.postMessage = () => { throw new Error("patched"); };
    Reflect.set(EventTarget.prototype, "dispatchEvent", () => false);
    return "patched";
  },
};
export default class Attacker extends ChatModel {
  override async predict(_context: ModelContext, messages: readonly ChatMessage[]): Promise<string> {
    const attack = attacks[lastText(messages)];
    return attack === undefined ? "Hello" : "done: " + String(await attack());
  }
}
`;

async function failure(model: LoadedChatModel, attack: string): Promise<ChatModelError> {
  const error: unknown = await model.predict(request(attack)).then(
    ({ choices }) => new Error(`${attack} was let through: ${choices[0]?.message.content}`),
    (error) => error,
  );
  if (ChatModelError.isInstance(error)) return error;
  throw error;
}

Deno.test("loadModel() with sandbox refuses what the model did not declare, each with a clear error", async () => {
  await using sandbox = await sandboxed(ATTACKER);
  const expected: Record<string, string> = {
    passwd: 'Model "model" may not read "/etc/passwd": its package declares read access to its own folder. Log it with',
    nodePasswd: 'may not read "/etc/passwd"',
    env: 'may not read the environment variable "HOME": its package declares no env access',
    processEnv: 'may not read the environment variable "HOME"',
    write: "may not write",
    spawn: 'may not run "id": its package declares no run access',
    nodeSpawn: "may not read environment variables in general: its package declares no env access",
    sys: 'may not ask the system for "hostname"',
    ffi: "may not load the library",
    listen: "may not connect to",
    importHttps: 'may not import code from "example.com:443"',
    importFile: 'may not read "/etc/passwd"',
    importJson: 'may not read "/etc/passwd"',
    importText: 'may not read "/etc/passwd"',
    importData: 'may not read "/etc/passwd"',
    kill: "Deno.kill is not for models in a sandbox",
    processKill: "process.kill is not for models in a sandbox",
    namedKill: "process._kill is not for models in a sandbox",
    chdir: "Deno.chdir is not for models in a sandbox",
    signal: "Deno.addSignalListener is not for models in a sandbox",
    nestedWorker: "Worker is not for models in a sandbox",
  };
  const directory = Deno.cwd();
  for (const [attack, message] of Object.entries(expected)) {
    const error = await failure(sandbox.model, attack);
    assertStringIncludes(error.message, message, attack);
    assertEquals([error.code, error.status], ["permission_denied", 500], attack);
    assert(!error.message.includes("\n") && !error.message.includes("root:"), error.message);
  }
  assertEquals(await sandbox.ask("inside"), "done: none");
  assertEquals(await sandbox.ask("Hi"), "Hello");
  assertEquals(Deno.cwd(), directory);
});

Deno.test("loadModel() with sandbox lets the model call the hosts it declared, and no other", async () => {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("answer"));
  await using other = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("secret"));
  await using sandbox = await sandboxed(
    `export default class extends ChatModel {
  override async predict(_context: ModelContext, messages: readonly ChatMessage[]) {
    return await (await fetch(lastText(messages))).text();
  }
}`,
    { permissions: { net: [`127.0.0.1:${server.addr.port}`], env: ["PATH"] } },
  );
  assertEquals(await sandbox.ask(`http://127.0.0.1:${server.addr.port}/`), "answer");
  const error = await failure(sandbox.model, `http://127.0.0.1:${other.addr.port}/`);
  assertStringIncludes(
    error.message,
    `may not connect to "127.0.0.1:${other.addr.port}": its package declares net access to "127.0.0.1:${server.addr.port}"`,
  );
  assertEquals(error.code, "permission_denied");
});

Deno.test("loadModel() with sandbox replaces a worker that ends itself or throws outside of a call", async () => {
  const expected: Record<string, string> = {
    denoExit: "Deno.exit()",
    processExit: "process.exit()",
    namedExit: "process.exit()",
    close: "self.close()",
    timer: "thrown in a timer",
    rejection: "never handled",
    forged: "it sent what is no message of a sandbox",
    forgedShape: "it sent what is no message of a sandbox",
  };
  const attacks = Object.entries(expected);
  // A sandbox is replaced three times a minute.
  for (let from = 0; from < attacks.length; from += 3) {
    await using sandbox = await sandboxed(ATTACKER);
    for (const [attack, message] of attacks.slice(from, from + 3)) {
      const error = await failure(sandbox.model, attack);
      assertEquals(error.code, "worker_crashed", `${attack}: ${error.message}`);
      assertStringIncludes(error.message, message, attack);
      assertEquals(await sandbox.ask("Hi"), "Hello", attack);
    }
  }
});

Deno.test("loadModel() with sandbox hands on what is thrown in a call, and keeps the worker", async () => {
  await using sandbox = await sandboxed(ATTACKER);
  const stack = await assertRejects(() => sandbox.ask("stack"), RangeError);
  assertStringIncludes(stack.message, "call stack");
  await assertRejects(() => sandbox.ask("abort"), TypeError, "process.abort() is not supported in workers");
  assertEquals(await sandbox.ask("Hi"), "Hello");
});

for (const attack of ["loop", "freeze"]) {
  Deno.test(`loadModel() with sandbox ends and replaces a worker that does not answer: ${attack}`, async () => {
    await using sandbox = await sandboxed(ATTACKER, { unresponsiveAfter: 500 });
    const waiting = sandbox.ask("Hi");
    const error = await failure(sandbox.model, attack);
    assertEquals([error.code, error.status, error.retryable], ["worker_unresponsive", 504, true]);
    assertEquals(await waiting, "Hello");
    assertEquals(await sandbox.ask("Hi"), "Hello");
  });
}

Deno.test("loadModel() with sandbox fails all running calls of a worker that crashes, and only those", async () => {
  await using sandbox = await sandboxed(ATTACKER);
  await using other = await sandboxed(ATTACKER);
  const results = await Promise.allSettled([sandbox.ask("timer"), sandbox.ask("timer"), other.ask("Hi")]);
  assertEquals(results.map(({ status }) => status), ["rejected", "rejected", "fulfilled"]);
  assertEquals(await sandbox.ask("Hi"), "Hello");
});

Deno.test("loadModel() with sandbox believes no message that is forged on the port of its worker", async () => {
  await using sandbox = await sandboxed(ATTACKER);
  assertEquals(await sandbox.ask("stolenPort"), "done: stolen");
  const error = await failure(sandbox.model, "Hi");
  assertEquals(error.code, "worker_crashed");
  assertStringIncludes(error.message, "it sent what is no message of a sandbox");
  assertEquals(await sandbox.ask("Hi"), "Hello");
});

Deno.test("loadModel() with sandbox does not replace a worker for ever that ends with each call", async () => {
  await using sandbox = await sandboxed(ATTACKER);
  for (let time = 0; time < 4; time++) assertEquals((await failure(sandbox.model, "denoExit")).code, "worker_crashed");
  const error = await failure(sandbox.model, "Hi");
  assertEquals([error.code, error.status, error.retryable], ["worker_backoff", 503, true]);
  assertStringIncludes(error.message, "ended 4 times in short order");
  assert(error.retryAfter !== undefined && error.retryAfter > 0 && error.retryAfter <= 60_000);
});

Deno.test("loadModel() with sandbox keeps what the model does to globals inside", async () => {
  await using sandbox = await sandboxed(ATTACKER, { unresponsiveAfter: 1_000 });
  assertEquals(await sandbox.ask("pollute"), "done: polluted");
  assertEquals(Reflect.get({}, "polluted"), undefined);
  assertEquals(typeof fetch, "function");
  const error = await failure(sandbox.model, "passwd");
  assertEquals([error.code, error.status], ["permission_denied", 500]);
  // It cuts itself off from its host: that costs it its worker, and nobody else anything.
  assertEquals(await sandbox.ask("patchPorts"), "done: patched");
  assertEquals((await failure(sandbox.model, "Hi")).code, "worker_unresponsive");
  assertEquals(await sandbox.ask("Hi"), "Hello");
});

Deno.test("loadModel() with sandbox refuses a file that imports what it may not read", async () => {
  const error = await assertRejects(
    () =>
      sandboxed(`import secret from "/etc/passwd" with { type: "json" };
export default class extends ChatModel { override predict() { return secret; } }`),
    ChatModelError,
    'Model "model" may not read "/etc/passwd"',
  );
  assertEquals(error.code, "permission_denied");
});

Deno.test("loadModel() with sandbox ends a worker whose file loops for ever while it is imported", async () => {
  const error = await assertRejects(
    () => sandboxed("for (;;);\nexport default class extends ChatModel {}", { unresponsiveAfter: 300 }),
    ChatModelError,
  );
  assertEquals(error.code, "worker_unresponsive");
});
