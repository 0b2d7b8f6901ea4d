import * as v from "valibot";
import { jsonSchema } from "./_json_schema_schema.ts";
import { flag, nonEmptyText, text, word } from "./_schema.ts";
import { object, shape, tagged } from "./_shape.ts";

const jsonSchemaDefinition = object({
  name: nonEmptyText,
  description: v.exactOptional(text),
  schema: v.exactOptional(jsonSchema),
  strict: v.exactOptional(flag),
});

/** Shape the answer must have. */
export const responseFormat = tagged("type", [
  shape({ type: word("text") }),
  shape({ type: word("json_object") }),
  shape({ type: word("json_schema"), json_schema: jsonSchemaDefinition }),
]);
