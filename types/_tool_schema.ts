import * as v from "valibot";
import { list } from "./_list.ts";
import { flag, freeForm, isJsonObject, naming, nonEmptyText, oneOf, refusal, text, word } from "./_schema.ts";
import { object, shape, tagged } from "./_shape.ts";
import { toolParameters } from "./_json_schema_schema.ts";

/** A function that a model may call. */
export const functionDefinition = object({
  name: nonEmptyText,
  description: v.exactOptional(text),
  parameters: v.exactOptional(toolParameters),
  strict: v.exactOptional(flag),
});

const functionTool = shape({ type: word("function"), function: functionDefinition });

const customTool = shape({
  type: word("custom"),
  custom: object({
    name: nonEmptyText,
    description: v.exactOptional(text),
    format: v.exactOptional(freeForm),
  }),
});

/** A tool offered to the model. */
export const toolDefinition = tagged("type", [functionTool, customTool]);

/** Name and arguments of a call. */
export const functionCall = object({ name: text, arguments: text });

const functionToolCall = shape({ id: text, type: word("function"), function: functionCall });
const customToolCall = shape({ id: text, type: word("custom"), custom: object({ name: text, input: text }) });

/** Calls that the model makes. */
export const toolCalls = list(tagged("type", [functionToolCall, customToolCall]), "an array of tool calls");

const noTools = refusal("at least one tool");
const tools = list(freeForm, "an array of tools");
const allowedTools = naming(
  v.lazy((input) => Array.isArray(input) && input.length === 0 ? noTools : tools),
  tools.expects,
);

const choiceWord = oneOf(["none", "auto", "required"]);
const choiceObject = tagged("type", [
  shape({ type: word("function"), function: object({ name: nonEmptyText }) }),
  shape({ type: word("custom"), custom: object({ name: nonEmptyText }) }),
  shape({
    type: word("allowed_tools"),
    allowed_tools: object({ mode: oneOf(["auto", "required"]), tools: allowedTools }),
  }),
]);
const neitherChoice = refusal('"none", "auto", "required" or an object that names a tool');

/** Whether and what the model must call. */
export const toolChoice = v.lazy((input) => {
  if (typeof input === "string") return choiceWord;
  return isJsonObject(input) ? choiceObject : neitherChoice;
});

const functionWord = oneOf(["none", "auto"]);
const functionName = object({ name: nonEmptyText });
const neitherFunction = refusal('"none", "auto" or an object that names a function');

/** Tool choice in the deprecated form of the API. */
export const functionChoice = v.lazy((input) => {
  if (typeof input === "string") return functionWord;
  return isJsonObject(input) ? functionName : neitherFunction;
});
