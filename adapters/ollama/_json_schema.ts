import type { JsonSchema } from "../../types/mod.ts";
import { mapSubschemas } from "../json_schema/mod.ts";
import { isRecord } from "./_request_issues.ts";

const DEFINITION_KEYWORDS = new Set(["$defs", "definitions"]);

/** Most schemas that one schema may unfold to: a small one can otherwise grow without end. */
const MAX_SCHEMAS = 10_000;
/** Deepest nesting. */
const MAX_DEPTH = 100;

/** A schema cannot be worked with; the message says what is wrong with it, as the end of a sentence about it. */
export class SchemaError extends Error {
  override name = "SchemaError";
  /** Keys that lead to what is wrong, from the schema's root. */
  readonly path: readonly string[];

  /**
   * Makes an error.
   *
   * @param message What is wrong.
   * @param options `path`: where it is. `cause`: what caused it.
   */
  constructor(message: string, options: { readonly path?: readonly string[]; readonly cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.path = options.path ?? [];
  }
}

/**
 * Puts what `$ref` points to in its place and leaves `$defs` out. A reference that leads back to itself, or that
 * points outside the schema, becomes any value, with a word about it in the description.
 *
 * @param root The schema.
 * @returns A schema without references.
 * @throws {SchemaError} If it unfolds to too much.
 */
export function inlineReferences(root: JsonSchema): JsonSchema {
  let count = 0;
  const inline = (schema: JsonSchema, open: readonly string[], depth: number): JsonSchema => {
    if (++count > MAX_SCHEMAS || depth > MAX_DEPTH) {
      throw new SchemaError("is too large or too deep once its references are inlined");
    }
    const { $ref: reference, ...rest } = schema;
    const own = mapSubschemas(
      Object.fromEntries(Object.entries(rest).filter(([keyword]) => !DEFINITION_KEYWORDS.has(keyword))),
      (inner) => inline(inner, open, depth + 1),
    );
    if (typeof reference !== "string") return own;
    const target = open.includes(reference) ? undefined : resolvePointer(root, reference);
    if (target === undefined) {
      const name = reference === "#" ? "the whole" : reference.split("/").pop();
      const note = `A value like ${name}.`;
      return { ...own, description: typeof own.description === "string" ? `${own.description} ${note}` : note };
    }
    // What stands beside the reference is more to the point than what stands at its target.
    return { ...inline(target, [...open, reference], depth + 1), ...own };
  };
  return inline(root, ["#"], 0);
}

/** Finds the schema at a JSON pointer (RFC 6901) in URI fragment form, such as `#/$defs/City`. */
export function resolvePointer(root: JsonSchema, reference: string): JsonSchema | undefined {
  if (!reference.startsWith("#/")) return undefined;
  let current: unknown = root;
  for (const segment of reference.slice(2).split("/")) {
    const key = decodeSegment(segment);
    if (Array.isArray(current)) current = current[Number(key)];
    else if (isRecord(current) && Object.hasOwn(current, key)) current = current[key];
    else return undefined;
  }
  if (current === true) return {};
  return isRecord(current) ? current : undefined;
}

function decodeSegment(segment: string): string {
  let text = segment;
  try {
    text = decodeURIComponent(segment);
  } catch {
    // Not percent-encoded after all: taken as it stands.
  }
  return text.replaceAll("~1", "/").replaceAll("~0", "~");
}
