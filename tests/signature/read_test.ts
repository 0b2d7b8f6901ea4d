import { assertEquals, assertThrows } from "@std/assert";
import { CHAT_MODEL_SIGNATURE, inferColumns, inferSignature, readSignature } from "../../signature/mod.ts";
import { ChatModelError } from "../../types/mod.ts";
import { recorded } from "./_recorded.ts";

Deno.test("readSignature() reads what was inferred", () => {
  const read = readSignature(inferSignature({ a: [{ b: 1 }] }, { k: 1.5, o: { b: ["x"] } }));
  assertEquals(read.inputs, inferColumns({ a: [{ b: 1 }] }));
  assertEquals(read.params, [
    { name: "k", default: 1.5, shape: null, type: "double" },
    {
      name: "o",
      default: { b: ["x"] },
      shape: null,
      type: "object",
      properties: { b: { type: "array", items: { type: "string" }, required: true } },
    },
  ]);
});

Deno.test("readSignature() reads MLflow's signature of chat models as it stands there", () => {
  const { inputs, params } = readSignature(CHAT_MODEL_SIGNATURE);
  assertEquals(inputs, JSON.parse(recorded("signature/inputs_3.17.2.json")));
  assertEquals(params, []);
});

Deno.test("readSignature() takes tensors and later types for what it cannot check", () => {
  for (const type of ['"tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}', '"sparse"']) {
    assertEquals(readSignature({ inputs: `[{"type": ${type}}]`, outputs: null, params: null }).inputs, undefined);
  }
});

Deno.test("readSignature() refuses what is no JSON or no params", () => {
  for (const params of ["[", '[{"default": 1}]', "{}", '[{"name": "a", "type": "tensor"}]']) {
    const error = assertThrows(() => readSignature({ inputs: null, outputs: null, params }), ChatModelError);
    assertEquals(error.code, "invalid_signature");
  }
  const error = assertThrows(() => readSignature({ inputs: "[", outputs: null, params: null }), ChatModelError);
  assertEquals(error.code, "invalid_signature");
});
