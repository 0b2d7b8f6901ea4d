import { assertEquals } from "@std/assert";
import { CHAT_MODEL_SIGNATURE } from "../../signature/mod.ts";
import { recorded } from "./_recorded.ts";

Deno.test("CHAT_MODEL_SIGNATURE is MLflow's, to the byte", () => {
  assertEquals(CHAT_MODEL_SIGNATURE.inputs, recorded("signature/inputs_3.17.2.json"));
  assertEquals(CHAT_MODEL_SIGNATURE.outputs, recorded("signature/outputs_3.17.2.json"));
  assertEquals(CHAT_MODEL_SIGNATURE.params, null);
});
