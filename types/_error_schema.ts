import * as v from "valibot";
import { text } from "./_schema.ts";
import { object } from "./_shape.ts";

/** Body of an error answer. */
export const errorResponse = object({
  error: object({ message: text, type: text, param: v.nullish(text, null), code: v.nullish(text, null) }),
});
