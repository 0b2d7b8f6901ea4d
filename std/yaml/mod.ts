/**
 * `@std/yaml` for development: hands on the npm mirror's code under the names and types of the JSR package.
 * Published code depends on the real `jsr:@std/yaml`.
 */
import * as std from "deno-std/yaml/mod.js";

/** Options of {@linkcode parse}. */
export interface ParseOptions {
  readonly schema?: "failsafe" | "json" | "core" | "default" | "extended";
  readonly allowDuplicateKeys?: boolean;
}

/** Options of {@linkcode stringify}. */
export interface StringifyOptions {
  readonly indent?: number;
  readonly lineWidth?: number;
  readonly sortKeys?: boolean;
  readonly skipInvalid?: boolean;
  readonly useAnchors?: boolean;
  readonly quoteStyle?: "'" | '"';
  readonly schema?: "failsafe" | "json" | "core" | "default" | "extended";
}

export const parse: (content: string, options?: ParseOptions) => unknown = std.parse;
export const stringify: (data: unknown, options?: StringifyOptions) => string = std.stringify;
