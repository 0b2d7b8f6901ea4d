import { assert, assertEquals } from "@std/assert";
import { CustomModel, loadCustomModel, type ModelContext } from "../../mod.ts";
import type { App } from "../../serve.ts";
import { inferSignature } from "../../signature/mod.ts";
import { type Answered, ask, assertError, events, Parrot, post, send, testApp } from "./_app.ts";

type Params = { readonly [name: string]: unknown };

const MESSAGES = [{ role: "user", content: "Hello, how are you?" }];
const PARAMS = { max_tokens: 25, temperature: 0.5, top_p: 0.5, stop: ["\n"], seed: 123 };

/** Answers as the recorded model does: the seed is told where nothing cuts the answer off. */
class Recorded extends CustomModel {
  override predict(_context: ModelContext, input: unknown, params: Params): unknown {
    assert(typeof input === "object" && input !== null && "messages" in input && Array.isArray(input.messages));
    const words =
      `You said: ${input.messages[0].content} [seed ${params.seed}] and MLflow is an open source platform ` +
      "for managing the machine learning lifecycle";
    const content = words.split(" ").slice(0, Number(params.max_tokens)).join(" ");
    return { choices: [{ message: { role: "assistant", content }, index: 0, finish_reason: "stop" }] };
  }
}

function invoke(app: App, body: unknown): Promise<Answered> {
  return post(app, body, { path: "/invocations", headers: { "content-type": "application/json" } });
}

async function recordedApp(warnings: string[] = []): Promise<App> {
  const model = await loadCustomModel(Recorded, {
    signature: inferSignature({ messages: MESSAGES }, PARAMS),
    onWarning: (message) => warnings.push(message),
  });
  return testApp({ model });
}

function contentOf(body: unknown): string {
  const content = JSON.stringify(body).match(/"content": ?"([^"]*)"/)?.[1];
  assert(content !== undefined);
  return content;
}

const RECORDED = Deno.readTextFileSync(new URL("../testdata/mlflow/serving/custom_model.jsonl", import.meta.url));

for (const line of RECORDED.trim().split("\n")) {
  const { name, req_body, status, resp_body } = JSON.parse(line);
  Deno.test(`customInvocations() answers "${name}" as MLflow does`, async () => {
    const answer = await invoke(await recordedApp(), JSON.parse(req_body));
    assertEquals(answer.status, status, answer.text);
    const expected = JSON.parse(resp_body);
    if (status !== 200) {
      assertEquals(answer.json.error_code, expected.error_code);
      assert(!answer.text.includes("What is MLflow?"), "No prompt may be in an error");
      return;
    }
    assertEquals("predictions" in answer.json, "predictions" in expected);
    assertEquals(contentOf(answer.json), contentOf(expected));
  });
}

Deno.test("customInvocations() warns of params that the model does not have", async () => {
  const warnings: string[] = [];
  await invoke(await recordedApp(warnings), { inputs: { messages: MESSAGES }, params: { zzz: 1 } });
  assertEquals(warnings.length, 1);
  assert(warnings[0]?.includes("zzz"));
});

/** Gives what it got. */
class Echo extends CustomModel {
  override predict(_context: ModelContext, input: unknown, params: Params): unknown {
    return { input, params };
  }
}

async function echoApp(): Promise<App> {
  const signature = { inputs: null, outputs: null, params: inferSignature("x", { k: 1 }).params };
  return testApp({ echo: await loadCustomModel(Echo, { signature }) });
}

Deno.test("customInvocations() takes each of MLflow's forms", async () => {
  const app = await echoApp();
  const row = { a: 1, b: "x" };
  const split = { columns: ["a", "b"], index: [0], data: [[1, "x"]] };
  const forms: readonly [unknown, unknown][] = [
    [{ inputs: [row] }, [row]],
    [{ inputs: "text" }, "text"],
    [{ inputs: null }, null],
    [{ dataframe_records: [row] }, row],
    [{ dataframe_records: [row, row] }, [row, row]],
    [{ dataframe_split: split }, row],
    [{ dataframe_split: { ...split, data: [[1, "x"], [2, "y"]] } }, [row, { a: 2, b: "y" }]],
    [{ instances: ["one", "two"] }, ["one", "two"]],
  ];
  for (const [body, input] of forms) {
    assertEquals((await invoke(app, body)).json, { predictions: { input, params: { k: 1 } } });
  }
  assertEquals((await invoke(app, { inputs: 1, params: { k: 2 } })).json, {
    predictions: { input: 1, params: { k: 2 } },
  });
  assertEquals((await invoke(app, { inputs: 1, params: null })).json, { predictions: { input: 1, params: { k: 1 } } });
});

Deno.test("customInvocations() takes messages, prompt or input at the top, with params among them, and answers bare", async () => {
  const app = await echoApp();
  for (const input of [{ prompt: "p", z: 3 }, { input: [1] }, { messages: [], inputs: 1, params: { k: 5 } }]) {
    assertEquals((await invoke(app, { ...input, k: 2 })).json, { input, params: { k: 2 } });
  }
});

Deno.test("customInvocations() takes any names of members", async () => {
  const { json } = await invoke(await echoApp(), '{"prompt": "p", "__proto__": {"k": 9}, "constructor": 1}');
  assertEquals(Object.keys(json.input), ["prompt", "__proto__", "constructor"]);
  assertEquals(json.params, { k: 1 });
});

const WRONG: readonly [unknown, string, string][] = [
  [[1], "BAD_REQUEST", "must be a JSON object"],
  [{}, "BAD_REQUEST", "inputs"],
  [{ params: {} }, "BAD_REQUEST", "inputs"],
  [{ inputs: 1, instances: [1] }, "BAD_REQUEST", '"instances"'],
  [{ instances: 1 }, "BAD_REQUEST", "instances"],
  [{ dataframe_records: {} }, "BAD_REQUEST", "dataframe_records"],
  [{ dataframe_split: { columns: ["a"] } }, "BAD_REQUEST", "dataframe_split"],
  [{ dataframe_split: { columns: ["a"], data: [[1], [1, 2]] } }, "BAD_REQUEST", "dataframe_split.data.1"],
  [{ inputs: 1, params: [1] }, "INVALID_PARAMETER_VALUE", "params"],
  [{ inputs: 1, params: { k: "x" } }, "INVALID_PARAMETER_VALUE", "params.k"],
];

for (const [body, code, part] of WRONG) {
  Deno.test(`customInvocations() refuses ${JSON.stringify(body)}`, async () => {
    const answer = await invoke(await echoApp(), body);
    assertEquals([answer.status, answer.json.error_code], [400, code]);
    assert(answer.json.message.includes(part), answer.json.message);
  });
}

Deno.test("customInvocations() answers 500 and tells the server when the model fails or gives no JSON", async () => {
  class Failing extends CustomModel {
    override predict(_context: ModelContext, input: unknown): unknown {
      if (input === "throw") throw new RangeError("Out of words");
      return () => 1;
    }
  }
  const app = testApp({ failing: Failing });
  for (const input of ["throw", "function"]) {
    const answer = await invoke(app, { inputs: input });
    assertEquals([answer.status, answer.json.error_code], [500, "INTERNAL_ERROR"]);
  }
  assertEquals(app.errors.length, 2);
});

function mixedApp(): App {
  return testApp({ parrot: new Parrot(), echo: Echo });
}

Deno.test("GET /v1/models lists chat models only, whichever comes first", async () => {
  for (const app of [mixedApp(), testApp({ echo: Echo, parrot: new Parrot() })]) {
    const { json } = await send(app, "/v1/models");
    assertEquals(json.data.map(({ id }: { readonly id: string }) => id), ["parrot"]);
    assertEquals((await send(app, "/v1/models/parrot")).status, 200);
    assertError(await send(app, "/v1/models/echo"), 404, "model_not_found", "model");
  }
  assertEquals((await send(testApp({ echo: Echo }), "/v1/models")).json, { object: "list", data: [] });
});

Deno.test("POST /v1/chat/completions refuses a custom model, and says how to ask it", async () => {
  for (const stream of [false, true]) {
    const answer = await post(mixedApp(), ask("Hi", { model: "echo", stream }));
    assertError(answer, 400, "unsupported_model", "model");
    assert(answer.json.error.message.includes("POST /invocations"), answer.text);
  }
  assertError(await post(await echoApp(), ask("Hi")), 400, "unsupported_model", "model");
});

Deno.test("POST /invocations asks the model that is named, of either kind", async () => {
  const app = mixedApp();
  for (const body of [ask("Hi", { model: "parrot" }), ask("Hi")]) {
    assertEquals((await invoke(app, body)).json.choices[0].message.content, "parrot: Hi");
  }
  const custom = { predictions: { input: 1, params: {} } };
  assertEquals((await invoke(app, { model: "echo", inputs: 1 })).json, custom);
  assertEquals((await invoke(app, { model: "echo", prompt: "p" })).json, {
    input: { model: "echo", prompt: "p" },
    params: {},
  });
  assertEquals((await invoke(app, { inputs: { model: "echo", a: 1 } })).json, {
    predictions: { input: { model: "echo", a: 1 }, params: {} },
  });
  const wrapped = await invoke(app, { inputs: ask("Hi", { model: "parrot" }) });
  assertEquals(wrapped.json.predictions.choices[0].message.content, "parrot: Hi");
});

Deno.test("POST /invocations answers 404 where the model named at the top is not served", async () => {
  for (const app of [mixedApp(), await echoApp()]) {
    for (const body of [{ model: "gone", inputs: 1 }, ask("Hi", { model: "gone" })]) {
      const answer = await invoke(app, body);
      assertEquals([answer.status, answer.json.error_code], [404, "RESOURCE_DOES_NOT_EXIST"]);
      assert(answer.json.message.includes('"gone"'), answer.text);
    }
  }
});

Deno.test("POST /invocations leaves a custom model's input a member called model", async () => {
  const answer = await invoke(await echoApp(), { inputs: { model: "T", year: 1908 } });
  assertEquals(answer.json.predictions.input, { model: "T", year: 1908 });
});

Deno.test("POST /invocations streams a chat model beside a custom one", async () => {
  const answer = await invoke(mixedApp(), ask("Hi", { stream: true }));
  assertEquals((await events(answer.text)).at(-1), "[DONE]");
});

/** A body for the input, in each of the ways to wrap it. */
const WRAPPED: readonly (readonly [name: string, wrap: (input: { readonly [name: string]: unknown }) => unknown])[] = [
  ["inputs", (input) => ({ inputs: input })],
  ["inputs in an array", (input) => ({ inputs: [input] })],
  ["dataframe_records", (input) => ({ dataframe_records: [input] })],
  ["dataframe_split", (input) => ({
    dataframe_split: { columns: Object.keys(input), data: [Object.values(input)] },
  })],
];

for (const [name, wrap] of WRAPPED) {
  for (const first of ["parrot", "echo"]) {
    Deno.test(`POST /invocations lets the model in ${name} choose as on the chat route (first: ${first})`, async () => {
      const models = { parrot: new Parrot(), other: new Parrot("other"), echo: new Echo() };
      const app = testApp({ ...(first === "echo" && { echo: models.echo }), ...models });
      for (const model of ["other", "parrot", "echo"]) {
        const input = { messages: MESSAGES, model };
        for (const body of [wrap(input), { ...Object(wrap({ messages: MESSAGES })), model }]) {
          const answer = await invoke(app, body);
          assertEquals(answer.status, 200, answer.text);
          const { predictions } = answer.json;
          if (model !== "echo") assert(predictions.choices[0].message.content.startsWith(`${model}: `), answer.text);
          else assertEquals([predictions.input].flat()[0].messages, MESSAGES);
        }
      }
      const unknown = await invoke(app, wrap({ messages: MESSAGES, model: "nope" }));
      // What names no model is data to a custom model.
      assertEquals(
        [unknown.status, unknown.json.error_code],
        first === "echo" ? [200, undefined] : [
          404,
          "RESOURCE_DOES_NOT_EXIST",
        ],
      );
    });
  }
}

Deno.test("POST /invocations refuses two models, and a model that is no name, of a wrapped chat", async () => {
  const app = testApp({ parrot: new Parrot(), other: new Parrot("other") });
  const inputs = { messages: MESSAGES, model: "parrot" };
  const differing = await invoke(app, { inputs, model: "other" });
  assertEquals(differing.status, 400);
  assert(differing.json.message.includes('"model": must not differ'), differing.text);
  assertEquals((await invoke(app, { inputs, model: "parrot" })).status, 200);
  const odd = await invoke(app, { inputs: { messages: MESSAGES }, model: 5 });
  assertEquals(odd.status, 400);
  assert(odd.json.message.includes('"model": Expected a string'), odd.text);
});
