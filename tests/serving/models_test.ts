import { assert, assertEquals } from "@std/assert";
import { ChatModel, loadChatModel, OverloadedError, parseChatRequest } from "../../mod.ts";
import { createApp, type ModelDirectory } from "../../serve.ts";
import { parseModelList } from "../../types/mod.ts";
import { ask, assertError, Parrot, post, send, testApp } from "./_app.ts";

const NAMES = ["first", "llama3.2:1b", "hf.co/some one/model:Q4", "ünï", "100%"];

function several() {
  return testApp(Object.fromEntries(NAMES.map((name) => [name, new Parrot(name)])));
}

Deno.test("GET /v1/models lists all models as OpenAI does, in their order", async () => {
  for (const path of ["/v1/models", "/models", "/v1/models/", "/v1/models?limit=1"]) {
    const answer = await send(several(), path);
    assertEquals([answer.status, answer.headers.get("content-type")], [200, "application/json"]);
    const list = parseModelList(answer.json);
    assertEquals(list.data.map(({ id }) => id), NAMES);
    for (const model of list.data) {
      assertEquals(Object.keys(model), ["id", "object", "created", "owned_by"]);
      assert(Math.abs(model.created - Date.now() / 1000) < 60);
    }
  }
});

Deno.test("GET /v1/models/{id} finds a model by its name, encoded or not", async () => {
  const app = several();
  for (const name of NAMES) {
    for (
      const id of new Set([encodeURIComponent(name), encodeURI(name), encodeURIComponent(name).replace("%3A", ":")])
    ) {
      const answer = await send(app, `/v1/models/${id}`);
      assertEquals([answer.status, answer.json?.id], [200, name], id);
    }
  }
  assertEquals((await send(app, "/v1/models/100%")).json.id, "100%");
  assertEquals((await send(app, "/models/first/?x=1")).json.id, "first");
});

Deno.test("GET /v1/models/{id} answers 404 model_not_found for others, and names the model", async () => {
  for (const id of ["nope", "First", ":id", "first%2F", "__proto__", "constructor", "..%2ffirst"]) {
    const answer = await send(several(), `/v1/models/${id}`);
    assertError(answer, 404, "model_not_found", "model");
    assert(answer.json.error.message.includes(`"${decodeURIComponent(id)}"`), answer.text);
  }
});

Deno.test("POST /v1/chat/completions takes the model that the request names, the first if it names none", async () => {
  const app = several();
  for (const name of NAMES) {
    const answer = await post(app, ask("Hi", { model: name }));
    assertEquals([answer.json.choices[0].message.content, answer.json.model], [`${name}: Hi`, name]);
  }
  for (const rest of [{}, { model: null }]) {
    const answer = await post(app, ask("Hi", rest));
    assertEquals([answer.json.choices[0].message.content, answer.json.model], ["first: Hi", "first"]);
  }
});

Deno.test("POST /v1/chat/completions answers 404 model_not_found for an unknown model, streaming or not", async () => {
  const app = several();
  for (const model of ["nope", "", "First", "__proto__", "toString"]) {
    for (const stream of [false, true]) {
      assertError(await post(app, ask("Hi", { model, stream })), 404, "model_not_found", "model");
    }
  }
});

Deno.test("createApp() without models answers 404, and says that there are none", async () => {
  const app = testApp({});
  assertEquals((await send(app, "/v1/models")).json, { object: "list", data: [] });
  const answer = await post(app, ask("Hi"));
  assertError(answer, 404, "model_not_found", "model");
  assert(answer.json.error.message.includes("no models"), answer.text);
});

Deno.test("createApp() takes classes, instances and loaded models, also under the names find and list", async () => {
  const app = testApp({ find: Parrot, list: new Parrot("list"), loaded: await loadChatModel(new Parrot("loaded")) });
  assertEquals((await post(app, ask("Hi"))).json.choices[0].message.content, "parrot: Hi");
  assertEquals((await post(app, ask("Hi", { model: "list" }))).json.choices[0].message.content, "list: Hi");
  assertEquals((await post(app, ask("Hi", { model: "loaded" }))).json.choices[0].message.content, "loaded: Hi");
});

Deno.test("createApp() loads a model when it is first asked for, and once however many ask", async () => {
  let loads = 0;
  class Slow extends Parrot {
    override async loadContext(): Promise<void> {
      loads++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  const app = testApp({ slow: new Slow(), quick: new Parrot() });
  assertEquals((await send(app, "/v1/models")).json.data.length, 2);
  await post(app, ask("Hi", { model: "quick" }));
  assertEquals(loads, 0);
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(app, ask("Hi", { model: "slow" }))));
  assertEquals(answers.map(({ status }) => status), Array(10).fill(200));
  assertEquals(loads, 1);
});

Deno.test("createApp(): a model whose loadContext fails answers 500 now, and works once it does not", async () => {
  let works = false;
  class Late extends Parrot {
    override loadContext(): void {
      if (!works) throw new Error("no luck");
    }
  }
  const app = testApp({ late: new Late() });
  for (const rest of [{}, { stream: true }]) {
    const answer = await post(app, ask("Hi", rest));
    assertError(answer, 500, "model_error");
    assert(answer.json.error.message.includes("no luck"), answer.text);
  }
  assertEquals(app.errors.length, 2);
  works = true;
  assertEquals((await post(app, ask("Hi"))).status, 200);
});

Deno.test("createApp(): what is no model answers 500 with what to do, and spoils nothing else", async () => {
  class Silent extends ChatModel {}
  const app = testApp({ good: new Parrot(), silent: Silent });
  const answer = await post(app, ask("Hi", { model: "silent" }));
  assertError(answer, 500, "invalid_model");
  assertEquals((await post(app, ask("Hi"))).status, 200);
});

Deno.test("createApp() serves a directory, and hands on what it fails with", async () => {
  const model = await loadChatModel(new Parrot());
  let down = false;
  const directory: ModelDirectory = {
    list() {
      if (down) throw new OverloadedError("Cannot list models: down", { retryAfter: 10 });
      return Promise.resolve([{ id: "a", object: "model", created: 1, owned_by: "me" }]);
    },
    find: (name) => down ? Promise.reject(new Error("down")) : name === undefined || name === "a" ? model : undefined,
  };
  const reported: string[] = [];
  const app = createApp(directory, { onError: (error) => reported.push(error.message) });
  assertEquals((await send(app, "/v1/models")).json.data[0].owned_by, "me");
  assertEquals((await send(app, "/v1/models/a")).json.id, "a");
  assertEquals((await send(app, "/v1/models/a:latest")).json.id, "a");
  assertEquals((await post(app, ask("Hi"))).status, 200);
  assertError(await post(app, ask("Hi", { model: "b" })), 404, "model_not_found", "model");
  down = true;
  const listed = await send(app, "/v1/models");
  assertError(listed, 503, "overloaded");
  assertEquals(listed.headers.get("retry-after-ms"), "10");
  assertError(await post(app, ask("Hi")), 500, "model_error");
  assertEquals(reported.length, 2);
});

Deno.test("createApp() applies its time limits to the models it loads", async () => {
  class Silent extends ChatModel {
    override predict(): Promise<string> {
      return new Promise(() => {});
    }
  }
  const app = testApp({ m: Silent }, { firstTokenTimeout: 10 });
  for (const rest of [{}, { stream: true }]) {
    assertError(await post(app, ask("Hi", rest)), 504, "first_token_timeout");
  }
  assertEquals(parseChatRequest(ask("Hi")).model, undefined);
});
