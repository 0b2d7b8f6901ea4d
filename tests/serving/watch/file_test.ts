import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { saveModel } from "@chatmodel/chat-model/models";
import { ChatModelError } from "../../../types/mod.ts";
import { WatchedModels } from "../../../serving/watch/mod.ts";
import { makeFolder } from "../../models/_folder.ts";
import { until } from "../_stack.ts";
import { answerNow, answerOf, serveWatched, source, startLoad, type WatchServer } from "./_watch.ts";

/** A model of several files: it answers what they say, in one piece. */
const SEVERAL = {
  "model.ts": `import { ChatModel } from "@chatmodel/chat-model";
import { A } from "./lib/a.ts";
import data from "./data.json" with { type: "json" };

export default class extends ChatModel {
  override async predict() {
    const { LATE } = await import("./late.ts");
    const beside = await Deno.readTextFile(new URL("./beside.txt", import.meta.url));
    return [A, data.value, LATE, beside].join(" ");
  }
}
`,
  "lib/a.ts": 'import { B } from "./b.ts";\nexport const A = "a1 " + B;\n',
  "lib/b.ts": 'export const B = "b1";\n',
  "data.json": '{ "value": "d1" }',
  "late.ts": 'export const LATE = "l1";\n',
  "beside.txt": "t1",
};

/** Waits until the server answers so. */
async function answers(server: WatchServer, wanted: string): Promise<void> {
  let last = "";
  let asking = false;
  await until(() => {
    if (!asking && last !== wanted) {
      asking = true;
      void answerNow(server).then((answer) => last = answer).finally(() => asking = false);
    }
    return last === wanted;
  }, `the answer ${wanted}`);
}

Deno.test("WatchedModels reads a file and all that it imports anew when one of them is edited", async () => {
  await using folder = await makeFolder(SEVERAL);
  await using server = await serveWatched(join(folder.path, "model.ts"));
  const write = (path: string, text: string) => Deno.writeTextFile(join(folder.path, path), text);
  assertEquals(await answerNow(server), "a1 b1 d1 l1 t1");
  await write("lib/b.ts", 'export const B = "b2";\n');
  await answers(server, "a1 b2 d1 l1 t1");
  await write("lib/a.ts", 'import { B } from "./b.ts";\nexport const A = "a2 " + B;\n');
  await answers(server, "a2 b2 d1 l1 t1");
  await write("data.json", '{ "value": "d2" }');
  await answers(server, "a2 b2 d2 l1 t1");
  // Imported while it answered.
  await write("late.ts", 'export const LATE = "l2";\n');
  await answers(server, "a2 b2 d2 l2 t1");
  // As editors do it: a new file in its place.
  await write("new.ts", SEVERAL["model.ts"].replace("[A,", '["m2", A,'));
  await Deno.rename(join(folder.path, "new.ts"), join(folder.path, "model.ts"));
  await answers(server, "m2 a2 b2 d2 l2 t1");
  // Back to what it was.
  await write("lib/b.ts", SEVERAL["lib/b.ts"]);
  await answers(server, "m2 a2 b1 d2 l2 t1");
  assertEquals(server.events.filter(({ kind }) => kind === "failed"), []);
});

Deno.test("WatchedModels does not load a file again when nothing of it changes", async () => {
  await using folder = await makeFolder(SEVERAL);
  await using server = await serveWatched(join(folder.path, "model.ts"));
  await answerNow(server);
  await Deno.utime(join(folder.path, "lib/a.ts"), new Date(), new Date());
  await Deno.writeTextFile(join(folder.path, "lib/a.ts"), SEVERAL["lib/a.ts"]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assertEquals(server.told(), []);
});

Deno.test("WatchedModels reads local files anew that a name of deno.json stands for", async () => {
  // Names come from the configuration that Deno was started with: so in a program of its own.
  await using folder = await makeFolder({
    "deno.json": JSON.stringify({
      imports: {
        "@/": "./src/",
        "@chatmodel/chat-model": new URL("../../../mod.ts", import.meta.url).href,
        valibot: "npm:valibot@^1.5.0",
        "@std/path": import.meta.resolve("@std/path"),
      },
    }),
    "src/name.ts": 'export const NAME = "one";\n',
    "model.ts": `import { ChatModel } from "@chatmodel/chat-model";
import { NAME } from "@/name.ts";
import { string } from "valibot";
export default class extends ChatModel {
  override predict() {
    return NAME + " " + typeof string;
  }
}
`,
    "program.ts": `import { FreshImports } from ${
      JSON.stringify(new URL("../../../serving/watch/_fresh_imports.ts", import.meta.url).href)
    };
using fresh = await FreshImports.of(Deno.cwd() + "/model.ts", { isFolder: false });
const answer = async (load: number) => new (await import("./model.ts?load=" + load)).default().predict();
const first = await answer(1001);
await Deno.writeTextFile("src/name.ts", 'export const NAME = "two";');
console.log(JSON.stringify([first, await answer(1002), [...fresh.files].map((file) => file.split("/").at(-1))]));
`,
  });
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--quiet", "program.ts"],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  assertEquals(JSON.parse(decoder.decode(stdout)), ["one function", "two function", ["name.ts"]]);
});

Deno.test("WatchedModels drops no request when a file is edited five times under load", async () => {
  await using folder = await makeFolder({ "model.ts": source("one") });
  await using server = await serveWatched(join(folder.path, "model.ts"));
  const load = startLoad(server);
  await load.met(answerOf("one"));
  const versions = ["two", "three", "four", "five", "six"];
  for (const version of versions) {
    await Deno.writeTextFile(join(folder.path, "model.ts"), source(version));
    await until(() => load.answers.at(-1) === answerOf(version), `answers of ${version}`);
    assertEquals(await answerNow(server, true), answerOf(version));
  }
  await load.stop();
  assertEquals(load.failures, []);
  assertEquals(new Set(load.answers), new Set(["one", ...versions].map(answerOf)));
  assertEquals(server.events.filter(({ kind }) => kind === "swapped").length, versions.length);
});

Deno.test("WatchedModels goes on when a file is broken or gone, and takes it up when it is mended", async () => {
  await using folder = await makeFolder(SEVERAL);
  await using server = await serveWatched(join(folder.path, "model.ts"));
  const write = (path: string, text: string) => Deno.writeTextFile(join(folder.path, path), text);
  const kinds = () => server.events.map(({ kind }) => kind);
  await write("lib/b.ts", "export const B = ;\n");
  await until(() => kinds().includes("failed"), "a failure");
  assertEquals(await answerNow(server), "a1 b1 d1 l1 t1");
  const failed = server.events.find((event) => event.kind === "failed");
  assert(failed !== undefined && failed.error instanceof Error);
  assertStringIncludes(failed.error.message, "b.ts");
  await write("lib/b.ts", 'export const B = "b2";\n');
  await answers(server, "a1 b2 d1 l1 t1");
  await Deno.rename(join(folder.path, "model.ts"), join(folder.path, "away.ts"));
  await until(() => kinds().includes("unreachable"), "that it is gone");
  assertEquals(await answerNow(server), "a1 b2 d1 l1 t1");
  await Deno.rename(join(folder.path, "away.ts"), join(folder.path, "model.ts"));
  await until(() => kinds().includes("reachable"), "that it is back");
  assertEquals(kinds().filter((kind) => kind === "failed" || kind === "unreachable"), ["failed", "unreachable"]);
});

Deno.test("WatchedModels takes up a saved model that is put in place of another", async () => {
  await using folder = await makeFolder(SEVERAL);
  const [live, next] = [join(folder.path, "live"), join(folder.path, "next")];
  const save = async (path: string, value: string) => {
    await Deno.writeTextFile(join(folder.path, "lib/b.ts"), `export const B = "${value}";\n`);
    await saveModel(path, {
      model: join(folder.path, "model.ts"),
      codePaths: [join(folder.path, "late.ts"), join(folder.path, "beside.txt")],
    });
  };
  await save(live, "b1");
  await using server = await serveWatched(live);
  assertEquals(await answerNow(server), "a1 b1 d1 l1 t1");
  await save(next, "b2");
  await Deno.rename(live, join(folder.path, "old"));
  await Deno.rename(next, live);
  await answers(server, "a1 b2 d1 l1 t1");
});

Deno.test("WatchedModels.open() fails as loading does, and leaves nothing behind", async () => {
  await using folder = await makeFolder({ "model.ts": source("one"), "broken.ts": "export default 1;" });
  const open = (path: string) =>
    WatchedModels.open(new Map([["good", join(folder.path, "model.ts")], ["bad", join(folder.path, path)]]));
  assertEquals((await assertRejects(() => open("broken.ts"), ChatModelError)).code, "invalid_model_file");
  assertEquals((await assertRejects(() => open("missing.ts"), ChatModelError)).code, "invalid_model_file");
});
