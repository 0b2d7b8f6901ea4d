import * as v from "valibot";
import { list } from "./_list.ts";
import { naming, oneOf, refusal, text, word } from "./_schema.ts";
import { object, shape, tagged } from "./_shape.ts";

const textPart = shape({ type: word("text"), text });

const imageUrlObject = object({ url: text, detail: v.exactOptional(oneOf(["auto", "low", "high"])) });
const imageUrlText = v.pipe(text, v.transform((url) => ({ url })), imageUrlObject);
const imageUrl = naming(v.lazy((input) => typeof input === "string" ? imageUrlText : imageUrlObject), "an object");

const imageUrlPart = shape({ type: word("image_url"), image_url: imageUrl });

const inputAudioPart = shape({
  type: word("input_audio"),
  input_audio: object({ data: text, format: oneOf(["wav", "mp3"]) }),
});

const filePart = shape({
  type: word("file"),
  file: object({
    file_data: v.exactOptional(text),
    filename: v.exactOptional(text),
    file_id: v.exactOptional(text),
  }),
});

const refusalPart = shape({ type: word("refusal"), refusal: text });

const TEXT_OR_PARTS = "a string or an array of parts";

const textParts = list(tagged("type", [textPart]), TEXT_OR_PARTS);
const assistantParts = list(tagged("type", [textPart, refusalPart]), TEXT_OR_PARTS);
const userParts = list(tagged("type", [textPart, imageUrlPart, inputAudioPart, filePart]), TEXT_OR_PARTS);
const neither = refusal(TEXT_OR_PARTS);
const noParts = refusal("a string or at least one part");

/** Content of system, developer and tool messages. */
export const textContent = naming(
  v.lazy((input) => typeof input === "string" ? text : Array.isArray(input) ? textParts : neither),
  TEXT_OR_PARTS,
);

/** Content of user messages. */
export const userContent = naming(
  v.lazy((input) => {
    if (typeof input === "string") return text;
    if (!Array.isArray(input)) return neither;
    return input.length === 0 ? noParts : userParts;
  }),
  TEXT_OR_PARTS,
);

/** Content of assistant messages. */
export const assistantContent = naming(
  v.lazy((input) => typeof input === "string" ? text : Array.isArray(input) ? assistantParts : neither),
  TEXT_OR_PARTS,
);
