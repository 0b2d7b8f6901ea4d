import { type FunctionDefinition, type JsonSchema, UpstreamError } from "../../types/mod.ts";
import { SchemaValidator } from "./schema_validator.ts";

/** Checks the text of an answer; throws if it is not what was asked for. */
export type AnswerCheck = (text: string) => void;

/** Checks the arguments of a call; throws if they do not follow the parameters. */
export type ArgumentsCheck = (input: { readonly [name: string]: unknown }) => void;

/**
 * Checks that an answer is a JSON object.
 *
 * @param text The answer.
 * @throws {UpstreamError} If it is none.
 */
export function checkJsonObject(text: string): void {
  const value = parseAnswer(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidOutput("it is JSON, but not an object");
  }
}

/**
 * Checks that an answer is JSON.
 *
 * @param text The answer.
 * @throws {UpstreamError} If it is not.
 */
export function checkJson(text: string): void {
  parseAnswer(text);
}

/**
 * Makes a check of answers against a JSON Schema.
 *
 * @param schema The schema; it is not changed.
 * @returns The check, which throws {@linkcode UpstreamError} with code `invalid_structured_output`.
 * @throws {SchemaError} If the schema itself is wrong. The message says how, the path says where.
 */
export function compileSchema(schema: JsonSchema): AnswerCheck {
  const validator = new SchemaValidator(schema);
  return (text) => {
    const fault = validator.findFault(parseAnswer(text));
    if (fault !== undefined) throw invalidOutput(fault);
  };
}

/**
 * Makes a check of a call's arguments against the parameters of its function.
 *
 * @param definition The function; it is not changed. Without parameters it takes any object.
 * @returns The check, which throws {@linkcode UpstreamError} with code `invalid_tool_arguments`.
 * @throws {SchemaError} If the schema of the parameters is wrong. The message says how, the path says where.
 */
export function compileParameters(definition: FunctionDefinition): ArgumentsCheck {
  const { name, parameters } = definition;
  if (parameters === undefined) return () => {};
  const validator = new SchemaValidator(parameters);
  return (input) => {
    const fault = validator.findFault(input);
    if (fault === undefined) return;
    throw new UpstreamError(
      "Cannot give the tool call that was demanded: " +
        `the arguments of the model's call of "${name}" do not follow its parameters, as ${fault}. ` +
        'Try again, use a larger model, or leave the choice to the model with tool_choice "auto"',
      { code: "invalid_tool_arguments" },
    );
  };
}

function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which is the model's.
    throw invalidOutput("it is not JSON");
  }
}

function invalidOutput(found: string): UpstreamError {
  return new UpstreamError(
    `Cannot give the structured output that was asked for: the model's answer does not follow it, as ${found}. ` +
      "Try again, raise the token limit, or use a larger model",
    { code: "invalid_structured_output" },
  );
}
