/** What the items of a request must look like. */
import * as v from "valibot";
import { list } from "../../types/_list.ts";
import { explain, isJsonObject, naming, nonEmptyText, oneOf, refusal, text, word } from "../../types/_schema.ts";
import { object, shape, tagged } from "../../types/_shape.ts";

const inputText = shape({ type: word("input_text"), text });

const inputImage = shape({
  type: word("input_image"),
  image_url: naming(v.string(explain), "a URL of the image, as this server keeps no files"),
  detail: v.exactOptional(oneOf(["auto", "low", "high"])),
});

const inputFile = shape({
  type: word("input_file"),
  file_data: v.exactOptional(text),
  filename: v.exactOptional(text),
  file_id: v.exactOptional(text),
  file_url: v.exactOptional(refusal('the file itself as "file_data", as this server fetches none')),
});

const inputAudio = shape({
  type: word("input_audio"),
  input_audio: object({ data: text, format: oneOf(["wav", "mp3"]) }),
});

const outputText = shape({ type: word("output_text"), text });
const refusalPart = shape({ type: word("refusal"), refusal: text });
const summaryText = shape({ type: word("summary_text"), text });
const reasoningText = shape({ type: word("reasoning_text"), text });

const TEXT_OR_PARTS = "a string or an array of parts";
const neither = refusal(TEXT_OR_PARTS);

const textParts = list(tagged("type", [inputText]), TEXT_OR_PARTS);
const textContent = naming(
  v.lazy((input) => typeof input === "string" ? text : Array.isArray(input) ? textParts : neither),
  TEXT_OR_PARTS,
);

const userParts = list(tagged("type", [inputText, inputImage, inputFile, inputAudio]), TEXT_OR_PARTS);
const noParts = refusal("a string or at least one part");
const userContent = naming(
  v.lazy((input) => {
    if (typeof input === "string") return text;
    if (!Array.isArray(input)) return neither;
    return input.length === 0 ? noParts : userParts;
  }),
  TEXT_OR_PARTS,
);

// Some clients send the model's own words back as input_text.
const assistantParts = list(tagged("type", [outputText, refusalPart, inputText]), TEXT_OR_PARTS);
const assistantContent = naming(
  v.lazy((input) => typeof input === "string" ? text : Array.isArray(input) ? assistantParts : neither),
  TEXT_OR_PARTS,
);

const id = v.exactOptional(text);
const messageType = v.exactOptional(word("message"));

/** A message, with or without its type. */
const message = tagged("role", [
  shape({ type: messageType, id, role: word("user"), content: userContent }),
  shape({ type: messageType, id, role: word("assistant"), content: assistantContent }),
  shape({ type: messageType, id, role: word("system"), content: textContent }),
  shape({ type: messageType, id, role: word("developer"), content: textContent }),
]);

const functionCall = shape({
  type: word("function_call"),
  id,
  call_id: nonEmptyText,
  name: nonEmptyText,
  arguments: text,
});

const functionCallOutput = shape({
  type: word("function_call_output"),
  id,
  call_id: nonEmptyText,
  output: textContent,
});

const customToolCall = shape({
  type: word("custom_tool_call"),
  id,
  call_id: nonEmptyText,
  name: nonEmptyText,
  input: text,
});

const customToolCallOutput = shape({
  type: word("custom_tool_call_output"),
  id,
  call_id: nonEmptyText,
  output: textContent,
});

const reasoning = shape({
  type: word("reasoning"),
  id,
  summary: v.exactOptional(list(tagged("type", [summaryText]), "an array of parts")),
  content: v.exactOptional(list(tagged("type", [reasoningText]), "an array of parts")),
});

const itemReference = shape({ type: word("item_reference"), id: nonEmptyText });

const otherItem = tagged("type", [
  // Only so that it is named among the types that are right: messages are told apart before.
  shape({ type: word("message"), id: nonEmptyText }),
  functionCall,
  functionCallOutput,
  reasoning,
  itemReference,
  customToolCall,
  customToolCallOutput,
]);

const bareReference = shape({ id: nonEmptyText });

/** What may stand in `input`: a message may come without its type, and so may a reference. */
const item = v.lazy((input) => {
  if (!isJsonObject(input)) return otherItem;
  const { type } = input;
  if (type === undefined || type === null) return "id" in input && !("role" in input) ? bareReference : message;
  return type === "message" ? message : otherItem;
});

/** Items of the input, references among them. */
export const items = list(item, "a string or an array of items");

/** An item of the input, maybe a reference. */
export type GivenItem = v.InferOutput<typeof item>;

/** A message of the input. */
export type MessageItem = v.InferOutput<typeof message>;

/** The model's thinking in an earlier answer. */
export type ReasoningItem = v.InferOutput<typeof reasoning>;

/** An item that says something: all but references. */
export type Item =
  | MessageItem
  | ReasoningItem
  | v.InferOutput<typeof functionCall>
  | v.InferOutput<typeof functionCallOutput>
  | v.InferOutput<typeof customToolCall>
  | v.InferOutput<typeof customToolCallOutput>;
