import { assert, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { parseMlmodel } from "../../models/mlmodel_file.ts";
import { checkInput, inferColumns, inferSignature } from "../../signature/mod.ts";
import { ValidationError } from "../../types/mod.ts";
import { recorded } from "./_recorded.ts";

Deno.test("inferSignature() gives the signature of MLflow's tutorial from its example, to the byte", () => {
  const { signature } = parseMlmodel(recorded("models/v3_pythonmodel/MLmodel"), "v3");
  const example = JSON.parse(recorded("models/v3_pythonmodel/input_example.json"));
  const output = {
    choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
    model: "llama3.2:1b",
    object: "chat.completion",
    created: 1795421635,
  };
  assertEquals(inferSignature(example.inputs, example.params, output), signature);
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

const INFERRED: readonly Inferred[] = JSON.parse(recorded("signature/inferred_3.17.2.json"));

for (const { kind, value, result } of INFERRED) {
  const name = `${kind} ${JSON.stringify(value)}`;
  const ours = (): string | null =>
    kind === "input" ? inferSignature(value).inputs : inferSignature("text", value).params;
  Deno.test(`inferSignature() takes ${name} as MLflow does`, () => {
    if (typeof result !== "string") {
      assertThrows(ours, ValidationError, "Cannot infer the params of the model");
    } else if (DIFFERENT.has(name)) {
      assert(DIFFERENT.get(name) !== result, "It does not differ any more");
      assertEquals(ours(), DIFFERENT.get(name));
    } else {
      assertEquals(ours(), result);
    }
  });
}

Deno.test("inferSignature() names all params that it has no type for", () => {
  const error = assertThrows(() => inferSignature("text", { a: null, b: 1, c: [[1]], d: {} }), ValidationError);
  assertEquals(error.issues.map(({ path }) => path), ["a", "c", "d"]);
});

Deno.test("inferSignature() has no schema for what is not there", () => {
  assertEquals(inferSignature(null), { inputs: null, outputs: null, params: null });
  assertEquals(inferSignature("x", {}), {
    inputs: '[{"type": "string", "required": true}]',
    outputs: null,
    params: null,
  });
});

Deno.test("inferColumns() gives columns that the example fits", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (example) => {
    // Among other items, MLflow takes what is empty for one of them.
    fc.pre(!/\[\]|\{\}/.test(JSON.stringify(Object.values(example))));
    assertEquals(checkInput(inferColumns(example), Object.keys(example).length === 0 ? "any" : example), []);
  }));
});
