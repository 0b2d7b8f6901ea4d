import { assert, assertEquals } from "@std/assert";
import {
  CHAT_MODEL_SIGNATURE,
  checkInput,
  enforceParams,
  inferColumns,
  inferSignature,
  type ParamSpec,
  readSignature,
} from "../../signature/mod.ts";

function paramsOf(example: { readonly [name: string]: unknown }): readonly ParamSpec[] {
  return readSignature(inferSignature("x", example)).params;
}

Deno.test("checkInput() tells all that is wrong, with paths and without values", () => {
  const columns = inferColumns({ messages: [{ role: "user", content: "x" }], n: 1, rate: 0.5 });
  assertEquals(checkInput(columns, { messages: [{ role: "user", content: "x" }], n: 2, rate: 1, other: true }), []);
  const issues = checkInput(columns, { messages: [{ role: 1, content: "secret" }, "secret"], n: 1.5 });
  assertEquals(issues.map(({ path }) => path), ["messages.0.role", "messages.1", "n", "rate"]);
  assert(!JSON.stringify(issues).includes("secret"));
});

Deno.test("checkInput() checks each row of a list", () => {
  const columns = inferColumns([{ a: 1 }, { a: 2, b: "x" }]);
  assertEquals(checkInput(columns, { a: 3 }), []);
  assertEquals(checkInput(columns, [{ a: 3 }, { a: 4, b: null }]), []);
  assertEquals(checkInput(columns, [{ a: 3 }, { b: 1 }, 5]).map(({ path }) => path), ["1.a", "1.b", "2"]);
});

Deno.test("checkInput() checks inputs without names, one or several", () => {
  const columns = inferColumns("text");
  assertEquals([checkInput(columns, "other"), checkInput(columns, ["a", "b"])], [[], []]);
  assertEquals(checkInput(columns, 5), [{ path: "", message: "Expected a string, found a number" }]);
  assertEquals(checkInput(columns, ["a", 5]).map(({ path }) => path), ["1"]);
  assertEquals(checkInput(inferColumns(null), { any: [] }), []);
});

Deno.test("checkInput() checks members of maps, as MLflow's signature of chat models has them", () => {
  const columns = readSignature(CHAT_MODEL_SIGNATURE).inputs;
  assert(columns !== undefined);
  const tool = (type: unknown) => ({
    type: "function",
    function: { name: "f", parameters: { properties: { a: { type } } } },
  });
  const messages = [{ role: "user", content: "x" }];
  assertEquals(checkInput(columns, { messages, tools: [tool("string")], custom_inputs: { a: [1, {}] } }), []);
  assertEquals(checkInput(columns, { messages, tools: [tool(1)], custom_inputs: 1 }).map(({ path }) => path), [
    "tools.0.function.parameters.properties.a.type",
    "custom_inputs",
  ]);
});

Deno.test("enforceParams() fills in defaults for what is absent or null, and tells what is unknown", () => {
  const specs = paramsOf({ n: 1, rate: 0.5, stop: ["a"], on: true, o: { b: 1 } });
  assertEquals(enforceParams(specs, { rate: 0.7, n: null, zzz: 1 }), {
    params: { n: 1, rate: 0.7, stop: ["a"], on: true, o: { b: 1 } },
    unknown: ["zzz"],
    issues: [],
  });
  assertEquals(enforceParams([], { a: 1 }), { params: {}, unknown: ["a"], issues: [] });
});

Deno.test("enforceParams() gives each call defaults of its own", () => {
  const specs = paramsOf({ stop: ["a"] });
  const [one, other] = [enforceParams(specs, {}), enforceParams(specs, {})];
  assertEquals(one, other);
  assert(one.params["stop"] !== other.params["stop"]);
});

Deno.test("enforceParams() takes whole numbers for double, and converts nothing else", () => {
  const specs = paramsOf({ n: 1, rate: 0.5, text: "x", on: true });
  assertEquals(enforceParams(specs, { rate: 2 }).params["rate"], 2);
  const wrong: readonly (readonly [string, unknown])[] = [
    ["n", 1.5],
    ["n", "1"],
    ["n", true],
    ["n", [1]],
    ["rate", "0.5"],
    ["rate", true],
    ["text", 1],
    ["on", 1],
    ["on", "true"],
  ];
  for (const [name, value] of wrong) {
    assertEquals(enforceParams(specs, { [name]: value }).issues.map(({ path }) => path), [name], `${name} ${value}`);
  }
});

Deno.test("enforceParams() tells all that is wrong at once", () => {
  const specs = paramsOf({ n: 1, stop: ["a"], o: { b: 1 } });
  const { issues } = enforceParams(specs, { n: 1.5, stop: ["a", 1], o: { b: "secret" } });
  assertEquals(issues.map(({ path }) => path), ["n", "stop.1", "o.b"]);
  assert(!JSON.stringify(issues).includes("secret"));
  assertEquals(enforceParams(specs, { stop: "a" }).issues, [
    { path: "stop", message: "Expected an array, found a string" },
  ]);
});

Deno.test("enforceParams() takes any name for a param", () => {
  const name = "__proto__";
  const { params } = enforceParams([{ name, default: { a: 1 }, shape: null, type: "object" }], {});
  assertEquals(Object.entries(params), [[name, { a: 1 }]]);
});
