import type { JsonSchema } from "./json.ts";

/** Free text. */
export interface TextResponseFormat {
  /** Kind of format. */
  readonly type: "text";
}

/** Any JSON object. */
export interface JsonObjectResponseFormat {
  /** Kind of format. */
  readonly type: "json_object";
}

/** JSON that follows a schema. */
export interface JsonSchemaResponseFormat {
  /** Kind of format. */
  readonly type: "json_schema";
  /** The schema and its name. */
  readonly json_schema: JsonSchemaDefinition;
}

/** A named JSON Schema. */
export interface JsonSchemaDefinition {
  /** Name of the schema. */
  readonly name: string;
  /** What the answer is for. */
  readonly description?: string;
  /** The schema; absent means any JSON. */
  readonly schema?: JsonSchema;
  /** Whether the answer must follow the schema exactly. Default: `false`. */
  readonly strict?: boolean;
}

/** Shape the answer must have. OpenAI's default is text. */
export type ResponseFormat = TextResponseFormat | JsonObjectResponseFormat | JsonSchemaResponseFormat;
