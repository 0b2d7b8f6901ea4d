import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type ChatParams, type JsonSchema, UpstreamError, ValidationError } from "../../../types/mod.ts";
import { planTools } from "../../../adapters/ollama/tool_choice.ts";
import { toOllamaTool } from "../../../adapters/ollama/tool_schema.ts";
import { RequestIssues } from "../../../adapters/ollama/_request_issues.ts";

function parametersOf(parameters: JsonSchema): JsonSchema | undefined {
  return toOllamaTool({ name: "f", parameters }).function.parameters;
}

/** Schema of a property as written → as sent. */
const PROPERTIES: readonly (readonly [string, JsonSchema, JsonSchema])[] = [
  ["what Ollama keeps stays", { type: ["string", "null"], enum: ["a"], description: "d" }, {
    type: ["string", "null"],
    enum: ["a"],
    description: "d",
  }],
  ["const", { const: "x" }, { enum: ["x"], type: "string" }],
  ["const beside enum", { enum: ["x", "y"], const: "x" }, {
    enum: ["x", "y"],
    type: "string",
    description: '(const: "x")',
  }],
  ["oneOf", { oneOf: [{ type: "string" }, { const: 1 }] }, {
    anyOf: [{ type: "string" }, { enum: [1], type: "number" }],
  }],
  ["constraints", { type: "string", description: "City.", pattern: "^x$", minLength: 1, default: "x" }, {
    type: "string",
    description: 'City. (pattern: "^x$", minLength: 1, default: "x")',
  }],
  ["constraints in items", { type: "array", items: { type: "integer", minimum: 1 }, uniqueItems: true }, {
    type: "array",
    items: { type: "integer", description: "(minimum: 1)" },
    description: "(uniqueItems: true)",
  }],
  ["nested objects", { properties: { z: { title: "Z", type: "integer", maximum: 2 } }, required: ["z"] }, {
    type: "object",
    properties: { z: { type: "integer", description: "(maximum: 2)" } },
    required: ["z"],
  }],
  ["additionalProperties as a yes or no", { type: "object", additionalProperties: false }, { type: "object" }],
  ["additionalProperties as a schema", { type: "object", additionalProperties: { type: "string" } }, {
    type: "object",
    description: '(additionalProperties: {"type":"string"})',
  }],
  ["allOf", {
    allOf: [{ type: "object", properties: { a: { type: "string" } }, required: ["a"] }],
    properties: { b: { type: "number" } },
    required: ["b"],
  }, {
    type: "object",
    properties: { a: { type: "string" }, b: { type: "number" } },
    required: ["a", "b"],
  }],
  ["nullable", { type: "string", nullable: true }, { type: ["string", "null"] }],
  ["nullable beside enum", { enum: ["a"], nullable: true }, { enum: ["a", null], type: ["string", "null"] }],
  ["nullable beside anyOf", { anyOf: [{ type: "string" }], nullable: true }, {
    anyOf: [{ type: "string" }, { type: "null" }],
  }],
  ["nullable beside const", { const: "x", description: "d", nullable: true }, {
    anyOf: [{ enum: ["x"], type: "string" }, { type: "null" }],
    description: "d",
  }],
  ["nullable beside a reference", { $ref: "#/$defs/City", nullable: true }, {
    type: ["string", "null"],
    enum: ["Paris", null],
    description: "A city.",
  }],
  ["a reference", { $ref: "#/$defs/City", description: "Where." }, {
    type: "string",
    enum: ["Paris"],
    description: "Where.",
  }],
  ["a reference that leads nowhere", { $ref: "#/$defs/None" }, { description: "A value like None." }],
  ["a reference to elsewhere", { $ref: "https://example.com/x.json" }, { description: "A value like x.json." }],
];

for (const [name, written, sent] of PROPERTIES) {
  Deno.test(`toOllamaTool() saves what Ollama drops: ${name}`, () => {
    const parameters = parametersOf({
      type: "object",
      properties: { p: written },
      $defs: { City: { type: "string", enum: ["Paris"], description: "A city." } },
    });
    assertEquals(parameters, { type: "object", properties: { p: sent } });
  });
}

Deno.test("toOllamaTool() puts top-level constraints into the function's description", () => {
  const { function: tool } = toOllamaTool({
    name: "f",
    description: "Does it.",
    strict: true,
    parameters: { type: "object", description: "All of it.", minProperties: 1, properties: {} },
  });
  assertEquals(tool, {
    name: "f",
    description: "Does it. All of it. (minProperties: 1)",
    parameters: { type: "object", properties: {} },
  });
});

Deno.test("toOllamaTool() makes an object of no parameters, which Ollama would write as null", () => {
  assertEquals(toOllamaTool({ name: "f" }), {
    type: "function",
    function: { name: "f", parameters: { type: "object", properties: {} } },
  });
});

Deno.test("toOllamaTool() ends recursion with a word about it", () => {
  const parameters = parametersOf({
    type: "object",
    properties: { tree: { $ref: "#/$defs/Node" } },
    $defs: { Node: { type: "object", properties: { next: { $ref: "#/$defs/Node" }, all: { $ref: "#" } } } },
  });
  assertEquals(parameters, {
    type: "object",
    properties: {
      tree: {
        type: "object",
        properties: { next: { description: "A value like Node." }, all: { description: "A value like the whole." } },
      },
    },
  });
});

Deno.test("toOllamaTool() does not change the schema it is given", () => {
  const parameters = { type: "object", properties: { a: { $ref: "#/$defs/A" } }, $defs: { A: { const: 1 } } };
  const before = JSON.stringify(parameters);
  parametersOf(parameters);
  assertEquals(JSON.stringify(parameters), before);
});

Deno.test("toOllamaTool() keeps a property named like a trap", () => {
  const parameters: JsonSchema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}');
  assertStringIncludes(JSON.stringify(parametersOf(parameters)), '"__proto__":{"type":"string"}');
});

const WEATHER = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: {} } },
} as const;
const TIME = { type: "function", function: { name: "time" } } as const;
const CUSTOM = { type: "custom", custom: { name: "free" } } as const;

function plan(params: ChatParams) {
  const issues = new RequestIssues();
  const planned = planTools(params, issues);
  issues.throwIfAny();
  const { tools, forced, deprecated } = planned;
  return {
    tools: tools.map((tool) => tool.function.name),
    forced: forced === undefined ? undefined : [...forced.checks.keys()],
    deprecated,
  };
}

const PLANS: readonly (readonly [string, ChatParams, ReturnType<typeof plan>])[] = [
  ["no tools", {}, { tools: [], forced: undefined, deprecated: false }],
  ["auto", { tools: [WEATHER, TIME], tool_choice: "auto" }, {
    tools: ["weather", "time"],
    forced: undefined,
    deprecated: false,
  }],
  ["none", { tools: [WEATHER], tool_choice: "none" }, { tools: [], forced: undefined, deprecated: false }],
  ["required", { tools: [WEATHER, TIME], tool_choice: "required" }, {
    tools: ["weather", "time"],
    forced: ["weather", "time"],
    deprecated: false,
  }],
  ["named", { tools: [WEATHER, TIME], tool_choice: { type: "function", function: { name: "time" } } }, {
    tools: ["time"],
    forced: ["time"],
    deprecated: false,
  }],
  ["a subset, as it likes", {
    tools: [WEATHER, TIME],
    tool_choice: {
      type: "allowed_tools",
      allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "time" } }] },
    },
  }, { tools: ["time"], forced: undefined, deprecated: false }],
  ["a subset, demanded", {
    tools: [WEATHER, TIME],
    tool_choice: {
      type: "allowed_tools",
      allowed_tools: { mode: "required", tools: [{ type: "function", name: "weather" }] },
    },
  }, { tools: ["weather"], forced: ["weather"], deprecated: false }],
  ["functions", { functions: [{ name: "old" }] }, { tools: ["old"], forced: undefined, deprecated: true }],
  ["functions, none", { functions: [{ name: "old" }], function_call: "none" }, {
    tools: [],
    forced: undefined,
    deprecated: true,
  }],
  ["functions, named", { functions: [{ name: "old" }, { name: "new" }], function_call: { name: "new" } }, {
    tools: ["new"],
    forced: ["new"],
    deprecated: true,
  }],
];

for (const [name, params, expected] of PLANS) {
  Deno.test(`planTools() follows the choice: ${name}`, () => assertEquals(plan(params), expected));
}

const REFUSED: readonly (readonly [ChatParams, string])[] = [
  [{ tool_choice: "required" }, "tool_choice"],
  [{ tools: [], tool_choice: "required" }, "tool_choice"],
  [
    { tools: [WEATHER], tool_choice: { type: "function", function: { name: "nope" } } },
    "tool_choice.function.name",
  ],
  [{ functions: [{ name: "a" }], function_call: { name: "nope" } }, "function_call"],
  [{ tools: [CUSTOM] }, "tools.0.type"],
  [{ tools: [WEATHER], tool_choice: { type: "custom", custom: { name: "free" } } }, "tool_choice.type"],
  [
    {
      tools: [WEATHER],
      tool_choice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [{ type: "function" }] } },
    },
    "tool_choice.allowed_tools.tools.0",
  ],
  [
    { tools: [WEATHER], tool_choice: { type: "allowed_tools", allowed_tools: { mode: "required", tools: [] } } },
    "tool_choice.allowed_tools.tools",
  ],
  [
    { tools: [WEATHER], tool_choice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [] } } },
    "tool_choice.allowed_tools.tools",
  ],
];

for (const [params, path] of REFUSED) {
  Deno.test(`planTools() refuses ${JSON.stringify(params.tool_choice ?? params.function_call ?? "a custom tool")}`, () => {
    assertEquals(assertThrows(() => plan(params), ValidationError).param, path);
  });
}

Deno.test("planTools() refuses two tools of one name, and names the second", () => {
  const paths = (params: ChatParams) =>
    assertThrows(() => plan(params), ValidationError).issues.map((issue) => issue.path);
  assertEquals(paths({ tools: [WEATHER, TIME, WEATHER] }), ["tools.2.function.name"]);
  assertEquals(paths({ tools: [TIME], functions: [{ name: "time" }] }), ["functions.0.name"]);
});

Deno.test("planTools() lets null through in a demanded call where the model was told that it may", () => {
  const parameters = {
    type: "object",
    properties: { a: { type: "string", enum: ["x"], nullable: true } },
    required: ["a"],
  };
  const params: ChatParams = {
    tools: [{ type: "function", function: { name: "go", parameters } }],
    tool_choice: "required",
  };
  const issues = new RequestIssues();
  const { tools: [sent], forced } = planTools(params, issues);
  const property = { type: ["string", "null"], enum: ["x", null] };
  assertEquals(sent?.function.parameters?.properties, { a: property });
  assertEquals(JSON.stringify(forced?.format).includes(JSON.stringify({ a: property })), true);
  forced?.checks.get("go")?.({ a: null });
  assertThrows(() => forced?.checks.get("go")?.({ a: "y" }), UpstreamError, '"a" is wrong by "enum"');
});

Deno.test("planTools() constrains a demanded call to the union of the tools' calls", () => {
  const issues = new RequestIssues();
  const { forced } = planTools({
    tools: [
      TIME,
      {
        type: "function",
        function: {
          name: "go",
          parameters: {
            type: "object",
            properties: { to: { $ref: "#/$defs/Place" } },
            $defs: { Place: { enum: ["x"] } },
          },
        },
      },
    ],
    tool_choice: "required",
  }, issues);
  const call = (name: string, input: JsonSchema) => ({
    type: "object",
    properties: { name: { type: "string", enum: [name] }, arguments: input },
    required: ["name", "arguments"],
    additionalProperties: false,
  });
  assertEquals(forced?.format, {
    anyOf: [
      call("time", { type: "object", properties: {} }),
      call("go", { type: "object", properties: { to: { enum: ["x"] } } }),
    ],
  });
});

/** Parameters that no arguments could be checked against. */
const UNCHECKABLE: readonly (readonly [string, JsonSchema, string])[] = [
  ["a type that there is not", { type: "object", properties: { a: { type: "text" } } }, "type"],
  ["a pattern that is none", { type: "object", properties: { a: { pattern: "(" } } }, "pattern"],
  ["a reference that leads nowhere", { type: "object", properties: { a: { $ref: "#/$defs/None" } } }, "$ref"],
  ["a reference to elsewhere", { type: "object", properties: { a: { $ref: "https://example.com/x" } } }, "$ref"],
  ["a pattern that may take for ever", { type: "object", properties: { a: { pattern: "(a+)\\1+b" } } }, "pattern"],
];

for (const [name, parameters, keyword] of UNCHECKABLE) {
  Deno.test(`planTools() refuses parameters with ${name} only if a call of them is demanded`, () => {
    const tools = [TIME, { type: "function", function: { name: "go", parameters } }] as const;
    for (const tool_choice of ["auto", "none", { type: "function", function: { name: "time" } }] as const) {
      plan({ tools, tool_choice });
    }
    for (const tool_choice of ["required", { type: "function", function: { name: "go" } }] as const) {
      const error = assertThrows(() => plan({ tools, tool_choice }), ValidationError);
      assertEquals([error.status, error.issues.map(({ path }) => path)], [
        400,
        [`tools.1.function.parameters.properties.a.${keyword}`],
      ]);
    }
    const { param } = assertThrows(
      () => plan({ functions: [{ name: "go", parameters }], function_call: { name: "go" } }),
      ValidationError,
    );
    assertEquals(param, `functions.0.parameters.properties.a.${keyword}`);
  });
}

Deno.test("planTools() refuses a schema that unfolds without bound", () => {
  // Each definition holds the next one twice: 2^20 in all.
  const definitions = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`d${i}`, {
      properties: { a: { $ref: `#/$defs/d${i + 1}` }, b: { $ref: `#/$defs/d${i + 1}` } },
    }]),
  );
  const parameters = { properties: { x: { $ref: "#/$defs/d0" } }, $defs: { ...definitions, d20: { type: "string" } } };
  const error = assertThrows(
    () => plan({ tools: [{ type: "function", function: { name: "bomb", parameters } }] }),
    ValidationError,
  );
  assertEquals(error.param, "tools.0.function.parameters");
});

Deno.test("planTools() refuses a schema that is nested without end", () => {
  let parameters: JsonSchema = { type: "string" };
  for (let i = 0; i < 5000; i++) parameters = { type: "array", items: parameters };
  const error = assertThrows(
    () => plan({ tools: [{ type: "function", function: { name: "deep", parameters } }] }),
    ValidationError,
  );
  assertEquals(error.param, "tools.0.function.parameters");
});
