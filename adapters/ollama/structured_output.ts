import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import { type FunctionDefinition, type JsonSchema, UpstreamError, ValidationError } from "../../types/mod.ts";
import { inlineReferences, mapSubschemas, resolvePointer, SchemaError } from "./_json_schema.ts";

const TYPES = new Set(["array", "boolean", "integer", "null", "number", "object", "string"]);
/** Keywords that only say that something further inside is wrong. */
const OUTER_KEYWORDS = new Set(["properties", "patternProperties", "items", "prefixItems", "allOf", "$ref", "false"]);
/** Most places that an error names. */
const MAX_PLACES = 5;

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
 * @throws {SchemaError} If the schema itself is wrong. The message says how.
 */
export function compileSchema(schema: JsonSchema): AnswerCheck {
  const findFault = compileFaultFinder(schema, "response_format");
  return (text) => {
    const fault = findFault(parseAnswer(text));
    if (fault !== undefined) throw invalidOutput(fault);
  };
}

/**
 * Makes a check of a call's arguments against the parameters of its function.
 *
 * @param definition The function; it is not changed. Without parameters it takes any object.
 * @param path Where in the request its parameters stand.
 * @returns The check, which throws {@linkcode UpstreamError} with code `invalid_tool_arguments`.
 * @throws {SchemaError} If the schema of the parameters is wrong. The message says how.
 */
export function compileParameters(definition: FunctionDefinition, path: string): ArgumentsCheck {
  const { name, parameters } = definition;
  if (parameters === undefined) return () => {};
  const findFault = compileFaultFinder(parameters, path);
  return (input) => {
    const fault = findFault(input);
    if (fault === undefined) return;
    throw new UpstreamError(
      "Cannot give the tool call that was demanded: " +
        `the arguments of the model's call of "${name}" do not follow its parameters, as ${fault}. ` +
        'Try again, use a larger model, or leave the choice to the model with tool_choice "auto"',
      { code: "invalid_tool_arguments", retryable: true },
    );
  };
}

/** Says what is wrong with a value, or `undefined` if nothing is. */
type FaultFinder = (value: unknown) => string | undefined;

function compileFaultFinder(schema: JsonSchema, path: string): FaultFinder {
  const names = new Set<string>();
  try {
    inlineReferences(schema);
  } catch (error) {
    if (error instanceof SchemaError) {
      throw new SchemaError("is too large or too deep once its references are inlined");
    }
    throw error;
  }
  inspect(schema, schema, names);
  let validator: Validator;
  try {
    // A copy, since the validator writes into what it is given.
    const copy: Schema = JSON.parse(JSON.stringify(schema));
    validator = new Validator(copy, schema.$schema === undefined ? "2020-12" : draftOf(schema.$schema));
  } catch (cause) {
    throw new SchemaError("must have no reference or id that is not a URI, and no two ids alike", { cause });
  }
  return (value) => {
    let errors: readonly OutputUnit[];
    try {
      errors = validator.validate(value).errors;
    } catch (cause) {
      throw new ValidationError(
        "Cannot check the answer against the JSON Schema of the request",
        [{ path, message: "has a reference that leads out of the schema" }],
        { cause },
      );
    }
    return errors.length > 0 ? describe(errors, names) : undefined;
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
    { code: "invalid_structured_output", retryable: true },
  );
}

/** Names the places that are wrong. Names of properties that the schema does not have are the model's words: left out. */
function describe(errors: readonly OutputUnit[], names: ReadonlySet<string>): string {
  const places = new Set<string>();
  for (const { instanceLocation, keyword } of errors) {
    if (OUTER_KEYWORDS.has(keyword)) continue;
    const segments = instanceLocation.split("/").slice(1)
      .map((segment) => decodePointerSegment(segment))
      .map((segment) => names.has(segment) || /^\d+$/.test(segment) ? segment : "*");
    places.add(`"${segments.join(".")}" is wrong by "${keyword}"`);
  }
  return places.size === 0 ? "it breaks the schema" : [...places].slice(0, MAX_PLACES).join(", ");
}

function decodePointerSegment(segment: string): string {
  try {
    return decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return segment; // A lone "%" in a property's name: never mind, it is only compared.
  }
}

function draftOf(uri: unknown): "4" | "7" | "2019-09" | "2020-12" {
  const text = String(uri);
  if (text.includes("draft-04")) return "4";
  if (text.includes("draft-06") || text.includes("draft-07")) return "7";
  return text.includes("2019-09") ? "2019-09" : "2020-12";
}

/** Finds what the validator would only stumble over later, and gathers the names of properties. */
function inspect(schema: JsonSchema, root: JsonSchema, names: Set<string>): void {
  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
  for (const type of types) {
    if (type !== undefined && !(typeof type === "string" && TYPES.has(type))) {
      throw new SchemaError(`must have only types of JSON Schema (${[...TYPES].join(", ")}), but has another`);
    }
  }
  const patterns = [
    ...(typeof schema.pattern === "string" ? [schema.pattern] : []),
    ...Object.keys(schema.patternProperties ?? {}),
  ];
  for (const pattern of patterns) {
    try {
      new RegExp(pattern, "u");
    } catch (cause) {
      throw new SchemaError("has a pattern that is no regular expression of ECMA-262", { cause });
    }
  }
  const reference = schema.$ref;
  if (typeof reference === "string" && reference.startsWith("#/") && resolvePointer(root, reference) === undefined) {
    throw new SchemaError("has a reference that leads nowhere");
  }
  for (const name of Object.keys(schema.properties ?? {})) names.add(name);
  mapSubschemas(schema, (inner) => {
    inspect(inner, root, names);
    return inner;
  });
}
