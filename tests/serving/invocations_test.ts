import { assert, assertEquals, assertMatch } from "@std/assert";
import { ChatModel, OverloadedError } from "../../mod.ts";
import configuration from "../../deno.json" with { type: "json" };
import { type Answered, ask, events, Parrot, post, send, testApp } from "./_app.ts";

const JSON_TYPE = { "content-type": "application/json" };

function invoke(body: unknown, headers: HeadersInit = JSON_TYPE): Promise<Answered> {
  return post(testApp(), body, { path: "/invocations", headers });
}

function assertMlflowError(answer: Answered, status: number, code: string): void {
  assertEquals(answer.status, status, answer.text);
  assertEquals(answer.headers.get("content-type"), "application/json");
  assertEquals(Object.keys(answer.json), ["error_code", "message"]);
  assertEquals(answer.json.error_code, code);
  assert(answer.json.message.length > 10);
  assert(!/\n\s+at /.test(answer.text), "No stack may be in the body");
}

for (const path of ["/ping", "/health"]) {
  Deno.test(`GET ${path} answers as MLflow's server, to the byte`, async () => {
    const answer = await send(testApp(), path);
    assertEquals([answer.status, answer.text, answer.headers.get("content-type")], [200, "\n", "application/json"]);
  });
}

Deno.test("GET /version gives this package's version", async () => {
  assertEquals((await send(testApp(), "/version")).text, configuration.version);
});

Deno.test("POST /invocations takes each of the forms that fit, and wraps the answer where the input was", async () => {
  const { messages } = ask("Hi");
  const bare = await invoke({ messages, max_tokens: 7, custom_inputs: { seed: "1" } });
  assertEquals(bare.json.choices[0].message.content, "parrot: Hi");
  assertEquals(bare.json.custom_outputs.params, { max_tokens: 7, custom_inputs: { seed: "1" } });
  const wrapped = [
    { inputs: { messages, temperature: 0.5 } },
    { inputs: [{ messages, temperature: 0.5 }] },
    { dataframe_records: [{ messages, temperature: 0.5 }] },
    { dataframe_split: { columns: ["messages", "temperature"], data: [[messages, 0.5]] } },
    { dataframe_split: { index: [3], columns: ["messages", "temperature", "top_p"], data: [[messages, 0.5, null]] } },
  ];
  for (const body of wrapped) {
    const answer = await invoke(body);
    assertEquals(Object.keys(answer.json), ["predictions"], answer.text);
    assertEquals(answer.json.predictions.choices[0].message.content, "parrot: Hi");
    assertEquals(answer.json.predictions.custom_outputs.params, { temperature: 0.5 });
  }
});

Deno.test("POST /invocations refuses instances, as MLflow does, and says what to send", async () => {
  const answer = await invoke({ instances: [ask("Hi")] });
  assertMlflowError(answer, 400, "INVALID_PARAMETER_VALUE");
  assert(answer.json.message.includes('"inputs"'), answer.text);
});

Deno.test("POST /invocations errors do not echo what was sent", async () => {
  for (
    const body of [
      '{"messages": "secret"}',
      '{"messages": [{"role": "user", "content": "secret", "name": 5}]}',
      '{"messages": secret}',
      '{"inputs": "secret"}',
      '["secret"]',
    ]
  ) {
    const answer = await invoke(body);
    assertEquals(answer.status, 400);
    assert(!answer.text.includes("secret"), answer.text);
  }
});

Deno.test("POST /invocations takes JSON only, as MLflow does", async () => {
  for (const type of ["application/json", "application/json; charset=utf-8", "Application/JSON"]) {
    assertEquals((await invoke(ask("Hi"), { "content-type": type })).status, 200, type);
  }
  for (const type of ["text/plain", "text/csv", "application/x-www-form-urlencoded", "application/jsonl", ""]) {
    const answer = await invoke(ask("Hi"), { "content-type": type });
    assertMlflowError(answer, 415, "BAD_REQUEST");
    assert(answer.json.message.includes('"application/json"'), answer.text);
  }
});

Deno.test("POST /invocations streams when asked, which MLflow cannot", async () => {
  const { messages } = ask("Hi");
  for (const body of [{ messages, stream: true }, { inputs: { messages, stream: true } }]) {
    const answer = await invoke(body);
    assertEquals(answer.headers.get("content-type"), "text/event-stream");
    const frames = await events(answer.text);
    assertEquals(frames.at(-1), "[DONE]");
    assertEquals(JSON.parse(frames[1] ?? "").choices[0].delta.content, "parrot: Hi");
  }
});

Deno.test("POST /invocations answers a model's failure with its status, in MLflow's shape", async () => {
  class Failing extends ChatModel {
    override predict(_context: unknown, [message]: readonly { readonly content?: unknown }[]): string {
      if (message?.content === "full") throw new OverloadedError("Cannot answer: full", { retryAfter: 10 });
      throw new Error("no luck");
    }
  }
  const app = testApp({ m: Failing });
  const path = "/invocations";
  for (const rest of [{}, { stream: true }]) {
    const failed = await post(app, ask("x", rest), { path, headers: JSON_TYPE });
    assertMlflowError(failed, 500, "INTERNAL_ERROR");
    assert(failed.json.message.endsWith("no luck"), failed.text);
    assertMlflowError(await post(app, ask("full", rest), { path, headers: JSON_TYPE }), 503, "TEMPORARILY_UNAVAILABLE");
  }
  assertEquals(app.errors.length, 4);
  assertMlflowError(
    await post(app, ask("x", { model: "nope" }), { path, headers: JSON_TYPE }),
    404,
    "RESOURCE_DOES_NOT_EXIST",
  );
});

Deno.test("POST /v1/invocations and /invocations/ are the same route, errors included", async () => {
  for (const path of ["/v1/invocations", "/invocations/", "/invocations?x=1"]) {
    assertEquals((await post(testApp(), ask("Hi"), { path, headers: JSON_TYPE })).status, 200);
    assertMlflowError(await post(testApp(), "x", { path, headers: JSON_TYPE }), 400, "BAD_REQUEST");
  }
});

interface Exchange {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly req_headers: Readonly<Record<string, string>>;
  readonly req_body: string | null;
  readonly status: number;
  readonly resp_headers: { readonly "content-type": string };
  readonly resp_body: string;
}

/** Where ours is meant to differ: it says more, or nothing that is private. */
const DIFFERENT: Readonly<Record<string, string>> = {
  "GET /invocations": "the body",
  "content-type 'text/plain'": "the body",
  "content-type 'application/x-www-form-urlencoded'": "the body",
  "content-type 'multipart/form-data'": "the body",
  "content-type ''": "the body",
};

/** Where MLflow answers the first of several requests and drops the others without a word: ours refuses them. */
const SEVERAL = ["inputs 2 requests", "dataframe_split 2 rows"];

const recorded = await Deno.readTextFile(new URL("../testdata/mlflow/models_serve.jsonl", import.meta.url));
for (const line of recorded.trim().split("\n")) {
  const exchange: Exchange = JSON.parse(line);
  Deno.test(`MLflow's server and ours agree: ${exchange.name}`, async () => {
    const { method, path, req_headers: headers, req_body: body, status, resp_headers, resp_body } = exchange;
    const app = testApp({ vec: new Parrot("vec") });
    const answer = await send(app, path, { method, headers, ...(method === "POST" && { body: body ?? "" }) });
    if (SEVERAL.includes(exchange.name)) {
      assertEquals(status, 200);
      return assertMlflowError(answer, 400, "BAD_REQUEST");
    }
    assertEquals(answer.status, status, answer.text);
    assertEquals(app.errors, []);
    if (exchange.name in DIFFERENT) return assertEquals(Object.keys(answer.json), ["error_code", "message"]);
    assertEquals(answer.headers.get("content-type"), resp_headers["content-type"]);
    if (status !== 200) {
      assertMatch(resp_body, /"error_code"/);
      const [, code = ""] = /"error_code": "(\w+)"/.exec(resp_body) ?? [];
      return assertMlflowError(answer, status, code);
    }
    if (!resp_body.startsWith("{")) return assertEquals(answer.text, resp_body);
    const theirs = JSON.parse(resp_body.replaceAll("NaN", "null"));
    assertEquals("predictions" in answer.json, "predictions" in theirs);
    const ours = answer.json.predictions ?? answer.json;
    const { choices: [choice], object, custom_outputs: outputs } = theirs.predictions ?? theirs;
    assertEquals(ours.object, object);
    assertEquals(ours.choices[0].finish_reason, choice.finish_reason);
    assertEquals(ours.choices[0].message.role, choice.message.role);
    assertEquals(ours.custom_outputs.messages, outputs.messages);
  });
}
