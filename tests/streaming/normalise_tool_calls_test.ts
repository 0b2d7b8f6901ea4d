import { assert, assertEquals } from "@std/assert";
import { accumulate, normalise } from "../../streaming/mod.ts";
import { begin, callChunk, deltas, fragment, ROLE, STOP, TOOL_CALLS, TOOL_ROLE } from "./_deltas.ts";

Deno.test("normalise() repairs every form of tool calls that servers send", async () => {
  const cases: [name: string, yielded: unknown[], expected: unknown[]][] = [
    ["OpenAI's own", [
      callChunk({ index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } }),
      callChunk({ index: 0, function: { arguments: '{"x"' } }),
      callChunk({ index: 0, function: { arguments: ":1}" } }),
    ], [TOOL_ROLE, begin(0, "a", "f"), fragment(0, '{"x"'), fragment(0, ":1}"), TOOL_CALLS]],
    ["whole, arguments an object", [{ tool_calls: [{ id: "a", function: { name: "f", arguments: { x: 1 } } }] }], [
      TOOL_ROLE,
      begin(0, "a", "f"),
      fragment(0, '{"x":1}'),
      TOOL_CALLS,
    ]],
    ["id, type and name repeated", [
      callChunk({ index: 0, id: "a", type: "function", function: { name: "f", arguments: '{"x"' } }),
      callChunk({ index: 0, id: "a", type: "function", function: { name: "f", arguments: ":1}" } }),
    ], [TOOL_ROLE, begin(0, "a", "f"), fragment(0, '{"x"'), fragment(0, ":1}"), TOOL_CALLS]],
    ["nulls in later deltas", [
      callChunk({ index: 0, id: "a", type: "function", function: { name: "f", arguments: "{" } }),
      callChunk({ index: 0, id: null, type: null, function: { name: null, arguments: "}" } }),
    ], [TOOL_ROLE, begin(0, "a", "f"), fragment(0, "{"), fragment(0, "}"), TOOL_CALLS]],
    ["two calls, both with index 0", [
      callChunk({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }),
      callChunk({ index: 0, id: "b", function: { name: "g", arguments: "{}" } }),
    ], [TOOL_ROLE, begin(0, "a", "f"), fragment(0, "{}"), begin(1, "b", "g"), fragment(1, "{}"), TOOL_CALLS]],
    ["two calls of one message", [{
      tool_calls: [{ id: "a", function: { name: "f", arguments: {} } }, {
        id: "b",
        function: { name: "f", arguments: {} },
      }],
    }], [
      TOOL_ROLE,
      begin(0, "a", "f"),
      fragment(0, "{}"),
      begin(1, "b", "f"),
      fragment(1, "{}"),
      TOOL_CALLS,
    ]],
    ["indexes that begin at 1", [callChunk({ index: 1, id: "a", function: { name: "f", arguments: "{}" } })], [
      TOOL_ROLE,
      begin(0, "a", "f"),
      fragment(0, "{}"),
      TOOL_CALLS,
    ]],
    ["without index", [
      callChunk({ id: "a", function: { name: "f", arguments: "{" } }),
      callChunk({ function: { arguments: "}" } }),
    ], [TOOL_ROLE, begin(0, "a", "f"), fragment(0, "{"), fragment(0, "}"), TOOL_CALLS]],
    ["stop beside calls", [{ tool_calls: [{ id: "a", function: { name: "f" } }], finish_reason: "stop" }], [
      TOOL_ROLE,
      begin(0, "a", "f"),
      TOOL_CALLS,
    ]],
    ["length beside calls stays", [{ tool_calls: [{ id: "a", function: { name: "f" } }], finish_reason: "length" }], [
      TOOL_ROLE,
      begin(0, "a", "f"),
      { finish: "length" },
    ]],
    ["text, then a call", ["Let me see.", { tool_calls: [{ id: "a", function: { name: "f", arguments: "{}" } }] }], [
      ROLE,
      { content: "Let me see." },
      begin(0, "a", "f"),
      fragment(0, "{}"),
      TOOL_CALLS,
    ]],
    ["tool_calls null or empty", [{ choices: [{ delta: { content: "a", tool_calls: null } }] }, {
      content: "b",
      tool_calls: [],
    }], [
      ROLE,
      { content: "a" },
      { content: "b" },
      STOP,
    ]],
    ["a custom tool", [{ tool_calls: [{ id: "a", type: "custom", custom: { name: "f", input: "x y" } }] }], [
      TOOL_ROLE,
      { tool_calls: [{ index: 0, id: "a", type: "custom", custom: { name: "f", input: "" } }] },
      { tool_calls: [{ index: 0, custom: { input: "x y" } }] },
      TOOL_CALLS,
    ]],
  ];
  for (const [name, yielded, expected] of cases) assertEquals(await deltas(yielded), expected, name);
});

Deno.test("normalise() makes ids for tool calls without one, different ones", async () => {
  const { choices: [choice] } = await accumulate(normalise([
    { tool_calls: [{ function: { name: "f", arguments: "{}" } }, { function: { name: "f", arguments: "{}" } }] },
  ]));
  const ids = choice?.message.tool_calls?.map(({ id }) => id) ?? [];
  assertEquals(ids.length, 2);
  assert(ids.every((id) => /^call_[\w-]{24}$/.test(id)));
  assert(ids[0] !== ids[1]);
});
