import { assert, assertEquals, assertRejects } from "@std/assert";
import { CustomModel, loadCustomModel, type ModelContext, ValidationError } from "../../mod.ts";
import { mlflowErrorResponse } from "../../serving/_invocations.ts";
import { customInvocations } from "../../serving/_custom_invocations.ts";
import { RequestScope } from "../../serving/_request_scope.ts";
import { inferSignature } from "../../signature/mod.ts";
import { ChatModelError } from "../../types/mod.ts";

const MESSAGES = [{ role: "user", content: "Hello, how are you?" }];
const PARAMS = { max_tokens: 25, temperature: 0.5, top_p: 0.5, stop: ["\n"], seed: 123 };

/** Answers as the recorded model does: the seed is told where nothing cuts the answer off. */
class Recorded extends CustomModel {
  override predict(_context: ModelContext, input: unknown, params: { readonly [name: string]: unknown }): unknown {
    assert(typeof input === "object" && input !== null && "messages" in input && Array.isArray(input.messages));
    const words =
      `You said: ${input.messages[0].content} [seed ${params.seed}] and MLflow is an open source platform ` +
      "for managing the machine learning lifecycle";
    const content = words.split(" ").slice(0, Number(params.max_tokens)).join(" ");
    return { choices: [{ message: { role: "assistant", content }, index: 0, finish_reason: "stop" }] };
  }
}

async function invoke(
  body: unknown,
  warnings: string[] = [],
): Promise<{ readonly status: number; readonly json: unknown }> {
  const model = await loadCustomModel(Recorded, {
    signature: inferSignature({ messages: MESSAGES }, PARAMS),
    onWarning: (message) => warnings.push(message),
  });
  const scope = new RequestScope(new Request("http://127.0.0.1/invocations"), new Set());
  let response: Response;
  try {
    response = await customInvocations(model, body, scope, []);
  } catch (error) {
    response = mlflowErrorResponse(ChatModelError.from(error), []);
  } finally {
    scope.end();
  }
  return { status: response.status, json: await response.json() };
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
    const answer = await invoke(JSON.parse(req_body));
    assertEquals(answer.status, status);
    const expected = JSON.parse(resp_body);
    if (status !== 200) {
      assert(typeof answer.json === "object" && answer.json !== null && "error_code" in answer.json);
      assertEquals(answer.json.error_code, expected.error_code);
      assert(!JSON.stringify(answer.json).includes("What is MLflow?"), "No prompt may be in an error");
      return;
    }
    assert(typeof answer.json === "object" && answer.json !== null);
    assertEquals("predictions" in answer.json, "predictions" in expected);
    assertEquals(contentOf(answer.json), contentOf(expected));
  });
}

Deno.test("customInvocations() warns of params that the model does not have", async () => {
  const warnings: string[] = [];
  await invoke({ inputs: { messages: MESSAGES }, params: { zzz: 1 } }, warnings);
  assertEquals(warnings.length, 1);
  assert(warnings[0]?.includes("zzz"));
});

/** Gives what it got. */
class Echo extends CustomModel {
  override predict(_context: ModelContext, input: unknown, params: { readonly [name: string]: unknown }): unknown {
    return { input, params };
  }
}

async function echo(body: unknown): Promise<unknown> {
  const model = await loadCustomModel(Echo, {
    signature: { inputs: null, outputs: null, params: inferSignature("x", { k: 1 }).params },
  });
  const scope = new RequestScope(new Request("http://127.0.0.1/invocations"), new Set());
  try {
    return await (await customInvocations(model, body, scope, [])).json();
  } finally {
    scope.end();
  }
}

Deno.test("customInvocations() takes each of MLflow's forms", async () => {
  const row = { a: 1, b: "x" };
  const split = { columns: ["a", "b"], index: [0], data: [[1, "x"]] };
  const forms: readonly [unknown, unknown][] = [
    [{ inputs: [row] }, [row]],
    [{ inputs: "text" }, "text"],
    [{ dataframe_records: [row] }, row],
    [{ dataframe_records: [row, row] }, [row, row]],
    [{ dataframe_split: split }, row],
    [{ dataframe_split: { ...split, data: [[1, "x"], [2, "y"]] } }, [row, { a: 2, b: "y" }]],
    [{ instances: ["one", "two"] }, ["one", "two"]],
  ];
  for (const [body, input] of forms) assertEquals(await echo(body), { predictions: { input, params: { k: 1 } } });
  assertEquals(await echo({ inputs: 1, params: { k: 2 } }), { predictions: { input: 1, params: { k: 2 } } });
  assertEquals(await echo({ prompt: "p", k: 2, z: 3 }), { input: { prompt: "p", z: 3 }, params: { k: 2 } });
});

const WRONG: readonly [unknown, string | null][] = [
  [[1], null],
  ["text", null],
  [{}, "inputs"],
  [{ params: {} }, "inputs"],
  [{ inputs: 1, instances: [1] }, "inputs"],
  [{ instances: 1 }, "instances"],
  [{ dataframe_records: {} }, "dataframe_records"],
  [{ dataframe_split: { columns: ["a"] } }, "dataframe_split"],
  [{ dataframe_split: { columns: ["a"], data: [[1], [1, 2]] } }, "dataframe_split.data.1"],
];

for (const [body, param] of WRONG) {
  Deno.test(`customInvocations() refuses ${JSON.stringify(body)}`, async () => {
    const error = await assertRejects(() => echo(body), ValidationError);
    assertEquals([error.code, error.param], ["invalid_input", param]);
  });
}
