import { assert, assertEquals } from "@std/assert";
import { answerNow, answerOf, registered, serveWatched, source, startLoad } from "./_watch.ts";

Deno.test("WatchedModels drops no request, and mixes no answer, when an alias moves six times under load", async () => {
  await using registry = await registered();
  const versions = ["one", "two", "three", "four", "five", "six", "seven"];
  for (const version of versions) await registry.add(source(version));
  await registry.point("1");
  await using server = await serveWatched("models:/assistant@live");
  const load = startLoad(server);
  await load.met(answerOf("one"));
  const after: (string | undefined)[] = [];
  for (const [i, version] of versions.slice(1).entries()) {
    const number = i + 2;
    await registry.point(String(number));
    await server.heard(`swapped ${number - 1} ${number}`);
    after.push(await answerNow(server, number % 2 === 0));
    await server.heard(`drained ${number - 1}`);
    await load.met(answerOf(version));
  }
  await load.stop();
  assertEquals(load.failures, []);
  assertEquals(after, versions.slice(1).map(answerOf));
  const whole = new Set(versions.map(answerOf));
  assertEquals(load.answers.filter((answer) => !whole.has(answer)), []);
  // Clients met every version, or the load was none.
  assertEquals(new Set(load.answers), whole);
  assertEquals(server.errors, []);
  assertEquals(server.models.versions(), new Map([["assistant", "7"]]));
  assert(server.events.every((event) => event.kind !== "drained" || event.aborted === 0));
});

Deno.test("WatchedModels goes on with the old version when the new one cannot be loaded, and says so once", async () => {
  await using registry = await registered();
  await registry.add(source("one"));
  await registry.add(source("two", { loading: 'throw new Error("No weights");' }));
  await registry.add(source("three"));
  await registry.point("1");
  await using server = await serveWatched("models:/assistant@live", { retryDelay: 1 });
  await registry.point("2");
  await server.heard("failed 1 2");
  // Time for many looks and tries.
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(await answerNow(server), answerOf("one"));
  assertEquals(server.told(), ["loading 1 2", "failed 1 2"]);
  const [, failed] = server.events;
  assert(failed?.kind === "failed" && failed.error instanceof Error);
  assertEquals(failed.error.message, "No weights");
  await registry.point("3");
  await server.heard("swapped 1 3");
  assertEquals(await answerNow(server), answerOf("three"));
});

Deno.test("WatchedModels tries a version that failed again, and takes it up when it loads", async () => {
  await using registry = await registered();
  const flag = `${registry.author.path}/ready`;
  await registry.add(source("one"));
  await registry.add(source("two", { loading: `await Deno.stat(${JSON.stringify(flag)});` }));
  await registry.point("1");
  await using server = await serveWatched("models:/assistant@live", { retryDelay: 5 });
  await registry.point("2");
  await server.heard("failed 1 2");
  await Deno.writeTextFile(flag, "");
  await server.heard("swapped 1 2");
  assertEquals(server.told().slice(0, 3), ["loading 1 2", "failed 1 2", "swapped 1 2"]);
});

Deno.test("WatchedModels loads one version at a time, and serves the newest, when an alias moves while it loads", async () => {
  await using registry = await registered();
  const loads = "watchTestLoads";
  const noted: string[] = [];
  Reflect.set(globalThis, loads, noted);
  // Notes when loading begins and ends; takes no notice of the signal.
  const slow = (version: string) =>
    source(version, {
      loading: `const noted = Reflect.get(globalThis, "${loads}"); noted.push("begin ${version}");
    await wait(200); noted.push("end ${version}");`,
    });
  try {
    await registry.add(source("one"));
    await registry.add(slow("two"));
    await registry.add(slow("three"));
    await registry.point("1");
    await using server = await serveWatched("models:/assistant@live");
    await registry.point("2");
    await server.heard("loading 1 2");
    await registry.point("3");
    await server.heard("swapped 1 3");
    await server.heard("drained 1");
    assertEquals(server.told(), ["loading 1 2", "superseded 1 2", "loading 1 3", "swapped 1 3", "drained 1"]);
    assertEquals(await answerNow(server), answerOf("three"));
    assertEquals(noted.filter((note) => note.endsWith("three")), ["begin three", "end three"]);

    // There and back: what serves is the newest, and stays.
    await registry.point("2");
    await server.heard("loading 3 2");
    await registry.point("3");
    await server.heard("superseded 3 2");
    assertEquals(await answerNow(server), answerOf("three"));
    assertEquals(server.told().filter((line) => line.startsWith("swapped")), ["swapped 1 3"]);
    // What was given up ends some time, too; not after the test.
    const count = (word: string) => noted.filter((note) => note.startsWith(word)).length;
    while (count("begin") > count("end")) await new Promise((resolve) => setTimeout(resolve, 5));
  } finally {
    Reflect.deleteProperty(globalThis, loads);
  }
});

Deno.test("WatchedModels goes on with the old version when the alias is removed, says so once, and when it is back", async () => {
  await using registry = await registered();
  await registry.add(source("one"));
  await registry.add(source("two"));
  await registry.point("1");
  await using server = await serveWatched("models:/assistant@live");
  await registry.unpoint();
  await server.heard("unreachable 1");
  await new Promise((resolve) => setTimeout(resolve, 200));
  assertEquals(server.told(), ["unreachable 1"]);
  assertEquals(await answerNow(server), answerOf("one"));
  await registry.point("2");
  await server.heard("swapped 1 2");
  assertEquals(server.told().slice(0, 4), ["unreachable 1", "reachable 1", "loading 1 2", "swapped 1 2"]);
});

Deno.test("WatchedModels follows the latest version", async () => {
  await using registry = await registered();
  await registry.add(source("one"));
  await using server = await serveWatched("models:/assistant/latest");
  assertEquals(await answerNow(server), answerOf("one"));
  await registry.add(source("two"));
  await server.heard("swapped 1 2");
  assertEquals(await answerNow(server), answerOf("two"));
});

Deno.test("WatchedModels has a version answer its input example before it serves, if it is to be warm", async () => {
  await using registry = await registered();
  const asked = "watchTestAsked";
  const noted: unknown[] = [];
  Reflect.set(globalThis, asked, noted);
  const noting = (version: string) =>
    `import { ChatModel } from "@chatmodel/chat-model";
export default class extends ChatModel {
  override predict(_context, messages) {
    const [{ content }] = messages;
    Reflect.get(globalThis, "${asked}").push("${version} " + content);
    if (content === "Fail") throw new Error("Cold");
    return "${version}";
  }
}
`.replace("_context, messages", "_context: unknown, messages: readonly { content?: unknown }[]")
      .replace("const [{ content }] = messages", "const content = messages[0]?.content");
  try {
    await registry.add(noting("one"), { messages: [{ role: "user", content: "Warm up" }] });
    await registry.add(noting("two"), { messages: [{ role: "user", content: "Fail" }] });
    await registry.point("1");
    {
      await using server = await serveWatched("models:/assistant@live", { warm: true });
      assertEquals(noted, ["one Warm up"]);
      await registry.point("2");
      await server.heard("failed 1 2");
      assertEquals(noted, ["one Warm up", "two Fail"]);
      assertEquals(await answerNow(server), "one");
    }
    noted.length = 0;
    await using server = await serveWatched("models:/assistant@live");
    assertEquals(noted, []);
    assertEquals(await answerNow(server), "two");
  } finally {
    Reflect.deleteProperty(globalThis, asked);
  }
});
