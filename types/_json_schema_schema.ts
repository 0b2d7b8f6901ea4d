import * as v from "valibot";
import { ENOUGH_ISSUES } from "./_list.ts";
import { explain, freeForm, type JsonObject } from "./_schema.ts";
import { findJsonSchemaFaults, JSON_SCHEMA_TYPES, type JsonSchemaFault } from "./json_schema_faults.ts";

/** A JSON Schema. It is kept as it is; only what no one could read as JSON Schema is refused. */
export const jsonSchema = withoutFaults((schema) => findJsonSchemaFaults(schema, ENOUGH_ISSUES));

/** JSON Schema of a function's arguments, which are an object. */
export const toolParameters = withoutFaults((schema) => {
  const { type } = schema;
  const faults = findJsonSchemaFaults(schema, ENOUGH_ISSUES);
  if (!JSON_SCHEMA_TYPES.has(type) || type === "object") return faults;
  return [{ path: ["type"], value: type, expected: '"object"' }, ...faults];
});

function withoutFaults(find: (schema: JsonObject) => readonly JsonSchemaFault[]) {
  return v.pipe(
    freeForm,
    v.rawCheck<JsonObject>(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      for (const { path, value, expected } of find(dataset.value)) {
        const [first, ...rest] = path.map((key): v.ObjectPathItem => ({
          type: "object",
          origin: "value",
          input: {},
          key,
          value,
        }));
        addIssue({ input: value, expected, message: explain, ...(first !== undefined && { path: [first, ...rest] }) });
      }
    }),
  );
}
