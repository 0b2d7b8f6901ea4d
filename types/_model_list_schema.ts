import { list } from "./_list.ts";
import { integer, text, word } from "./_schema.ts";
import { object } from "./_shape.ts";

/** The models that a server offers. */
export const modelList = object({
  object: word("list"),
  data: list(
    object({ id: text, object: word("model"), created: integer(0), owned_by: text }),
    "an array of models",
  ),
});
