/** Errors of models that run in a worker of their own, and of those that another version takes the place of. */
import { join } from "@std/path";
import { loadModel } from "../../../models/mod.ts";
import type { ModelDirectory } from "../../../serve.ts";
import { WatchedModels } from "../../../serving/watch/mod.ts";
import { post } from "../_wire.ts";
import type { Scenario } from "./_scenario.ts";
import { serve, type Served } from "./_served.ts";

const CHAT = "/v1/chat/completions";
const HELLO = '{"messages":[{"role":"user","content":"Hello"}]}';
const MOD = new URL("../../../mod.ts", import.meta.url).href;

const CRASHING = "predict() { setTimeout(() => { throw new Error('broken'); }); return new Promise(() => {}); }";

/** As a loop without end would do, but for the thread, which Deno does not stop. */
const LOOPING = "predict() { const end = Date.now() + 2000; while (Date.now() < end); return 'late'; }";

/** Serves what is made of a file. */
async function serveFile(
  method: string,
  open: (path: string) => Promise<ModelDirectory & AsyncDisposable>,
): Promise<Served & { readonly path: string }> {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "model.ts");
  await Deno.writeTextFile(path, code(method));
  const directory = await open(path);
  const served = await serve(directory);
  return {
    path,
    port: served.port,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function code(method: string): string {
  return `import { ChatModel } from "${MOD}";\nexport default class extends ChatModel { ${method} }\n`;
}

const sandboxed = (method: string) => (): Promise<Served> =>
  serveFile(method, async (path) => {
    const model = await loadModel(path, { sandbox: { unresponsiveAfter: 300 } });
    return { list: () => [], find: () => model, [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() };
  });

/** Crashes it as often as it is started anew. */
async function afterCrashes({ port }: Served): Promise<string> {
  for (let i = 0; i < 4; i++) {
    await (await fetch(`http://127.0.0.1:${port}${CHAT}`, { method: "POST", body: HELLO })).text();
  }
  return post(CHAT, HELLO);
}

const paths = new WeakMap<Served, string>();

/** A version that never answers, in whose place another comes. */
async function watched(): Promise<Served> {
  const served = await serveFile(
    "predict() { return new Promise(() => {}); }",
    (path) => WatchedModels.open(new Map([["model", path]]), { fileInterval: 20, drainTimeout: 20, onEvent: () => {} }),
  );
  paths.set(served, served.path);
  return served;
}

function whileReplaced(served: Served): Promise<string> {
  const path = paths.get(served) ?? "";
  // When the request runs.
  setTimeout(() => void Deno.writeTextFile(path, code("predict() { return 'new'; }")), 150);
  return Promise.resolve(post(CHAT, HELLO));
}

export const WORKER_SCENARIOS: readonly Scenario[] = [
  {
    code: "worker_crashed",
    when: "a model in a sandbox ends its worker",
    start: sandboxed(CRASHING),
    wire: post(CHAT, HELLO),
  },
  {
    code: "worker_unresponsive",
    when: "a model in a sandbox lets nothing else run",
    start: sandboxed(LOOPING),
    wire: post(CHAT, HELLO),
  },
  {
    code: "worker_backoff",
    when: "a model in a sandbox crashes again and again",
    start: sandboxed(CRASHING),
    wire: afterCrashes,
  },
  {
    code: "model_replaced",
    when: "another version has taken the model's place",
    start: watched,
    wire: whileReplaced,
  },
];
