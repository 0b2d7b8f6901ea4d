import { assertEquals, assertRejects } from "@std/assert";
import { ValidationError } from "../../../mod.ts";
import { json, startFakeUpstream } from "../../support/fake_upstream.ts";
import { answer, load, MESSAGES } from "./_ollama_model.ts";

/** A schema that cannot be worked with → where it is wrong. */
const SCHEMAS: readonly (readonly [schema: { readonly [keyword: string]: unknown }, path: string])[] = [
  [{ anyOf: {} }, "anyOf"],
  [{ type: "text" }, "type"],
  [{ pattern: 5 }, "pattern"],
  [{ pattern: "(" }, "pattern"],
  [{ pattern: "(a+)\\1" }, "pattern"],
  [{ $ref: "https://example.com/x.json" }, "$ref"],
  [{ $ref: "#/$defs/None" }, "$ref"],
  [{ allOf: [{ $ref: "#/properties/p" }] }, "allOf.0.$ref"],
];

for (const [property, path] of SCHEMAS) {
  Deno.test(`OllamaChatModel refuses ${JSON.stringify(property)} before it asks the model`, async () => {
    await using upstream = await startFakeUpstream(() => json(answer("{}")));
    const model = await load(upstream);
    const schema = { type: "object", properties: { p: property } };
    const demanded = { type: "function", function: { name: "f" } } as const;
    const requests = [
      [
        { response_format: { type: "json_schema", json_schema: { name: "n", schema } } },
        "response_format.json_schema.schema",
      ],
      [{ format: schema }, "format"],
      [
        { tools: [{ ...demanded, function: { name: "f", parameters: schema } }], tool_choice: "required" },
        "tools.0.function.parameters",
      ],
      [
        { tools: [{ ...demanded, function: { name: "f", parameters: schema } }], tool_choice: demanded },
        "tools.0.function.parameters",
      ],
      [{ functions: [{ name: "f", parameters: schema }], function_call: { name: "f" } }, "functions.0.parameters"],
    ] as const;
    for (const [more, place] of requests) {
      const request = { messages: MESSAGES, ...more };
      for (
        const ask of [() => model.predict(request), async () => await Array.fromAsync(model.predictStream(request))]
      ) {
        const { status, param } = await assertRejects(ask, ValidationError);
        assertEquals([status, param], [400, `${place}.properties.p.${path}`]);
      }
    }
    assertEquals(upstream.requests.length, 0);
  });
}
