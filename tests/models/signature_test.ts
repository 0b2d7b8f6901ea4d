import { assert, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import {
  CHAT_MODEL_SIGNATURE,
  checkInput,
  enforceParams,
  inferColumns,
  inferSignature,
  readSignature,
} from "../../signature/mod.ts";
import { ChatModelError, ValidationError } from "../../types/mod.ts";

function recorded(name: string): string {
  return Deno.readTextFileSync(new URL(`../testdata/mlflow/signature/${name}`, import.meta.url));
}

Deno.test("CHAT_MODEL_SIGNATURE is MLflow's, to the byte", () => {
  assertEquals(CHAT_MODEL_SIGNATURE.inputs, recorded("inputs_3.17.2.json"));
  assertEquals(CHAT_MODEL_SIGNATURE.outputs, recorded("outputs_3.17.2.json"));
  assertEquals(CHAT_MODEL_SIGNATURE.params, null);
});

Deno.test("inferSignature() gives the recorded params of MLflow's tutorial", () => {
  const { params } = inferSignature("text", { max_tokens: 25, temperature: 0.5, top_p: 0.5, stop: ["\n"], seed: 123 });
  assertEquals(
    params,
    '[{"name": "max_tokens", "default": 25, "shape": null, "type": "long"}, ' +
      '{"name": "temperature", "default": 0.5, "shape": null, "type": "double"}, ' +
      '{"name": "top_p", "default": 0.5, "shape": null, "type": "double"}, ' +
      '{"name": "stop", "default": ["\\n"], "shape": [-1], "type": "string"}, ' +
      '{"name": "seed", "default": 123, "shape": null, "type": "long"}]',
  );
});

/**
 * Where ours differs: MLflow takes an empty list for times, and writes whole numbers among others with a fraction, which
 * JSON does not keep.
 */
const DIFFERENT: ReadonlyMap<string, string> = new Map([
  ['params {"a":[]}', '[{"name": "a", "default": [], "shape": [-1], "type": "string"}]'],
  ['params {"a":[1,2.5]}', '[{"name": "a", "default": [1, 2.5], "shape": [-1], "type": "double"}]'],
]);

interface Inferred {
  readonly kind: "input" | "params";
  readonly value: { readonly [name: string]: unknown };
  readonly result: string | { readonly error: string };
}

const INFERRED: readonly Inferred[] = JSON.parse(recorded("inferred_3.17.2.json"));

for (const { kind, value, result } of INFERRED) {
  const name = `${kind} ${JSON.stringify(value)}`;
  const ours = (): string | null =>
    kind === "input" ? inferSignature(value).inputs : inferSignature("text", value).params;
  Deno.test(`inferSignature() takes ${name} as MLflow does`, () => {
    if (typeof result !== "string") {
      assertThrows(ours, ValidationError, "Cannot infer the params of the model");
    } else {
      assertEquals(ours(), DIFFERENT.get(name) ?? result);
    }
  });
}

Deno.test("inferColumns() gives columns that the example fits", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (example) => {
    // Among other items, MLflow takes what is empty for one of them.
    fc.pre(!/\[\]|\{\}/.test(JSON.stringify(Object.values(example))));
    assertEquals(checkInput(inferColumns(example), Object.keys(example).length === 0 ? "any" : example), []);
  }));
});

Deno.test("readSignature() reads what was inferred, and takes tensors for what it cannot check", () => {
  const signature = inferSignature({ a: [{ b: 1 }] }, { k: 1.5 });
  const read = readSignature(signature);
  assertEquals(read.inputs, inferColumns({ a: [{ b: 1 }] }));
  assertEquals(read.params, [{ name: "k", default: 1.5, shape: null, type: "double" }]);
  const tensor = '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]';
  assertEquals(readSignature({ inputs: tensor, outputs: null, params: null }).inputs, undefined);
});

Deno.test("readSignature() refuses what is no JSON or no params", () => {
  for (const params of ["[", '[{"default": 1}]', "{}"]) {
    const error = assertThrows(() => readSignature({ inputs: null, outputs: null, params }), ChatModelError);
    assertEquals(error.code, "invalid_signature");
  }
});

Deno.test("checkInput() tells all that is wrong, with paths and without values", () => {
  const columns = inferColumns({ messages: [{ role: "user", content: "x" }], n: 1, rate: 0.5 });
  assertEquals(checkInput(columns, { messages: [{ role: "user", content: "x" }], n: 2, rate: 1, other: true }), []);
  const issues = checkInput(columns, { messages: [{ role: 1, content: "secret" }, "secret"], n: 1.5 });
  assertEquals(issues.map(({ path }) => path), ["messages.0.role", "messages.1", "n", "rate"]);
  assert(!JSON.stringify(issues).includes("secret"));
});

Deno.test("enforceParams() fills in defaults, takes whole numbers for double, and nothing else", () => {
  const { params: specs } = readSignature(inferSignature("x", { n: 1, rate: 0.5, stop: ["a"], on: true, o: { b: 1 } }));
  assertEquals(enforceParams(specs, { rate: 2, n: null, zzz: 1 }), {
    params: { n: 1, rate: 2, stop: ["a"], on: true, o: { b: 1 } },
    unknown: ["zzz"],
    issues: [],
  });
  const wrong = enforceParams(specs, { n: 1.5, rate: "0.5", stop: "a", on: 1, o: { b: "x" } });
  assertEquals(wrong.issues.map(({ path }) => path), ["n", "rate", "stop", "on", "o.b"]);
});
