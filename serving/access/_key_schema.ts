import * as v from "valibot";
import { nearName } from "../../_near_names.ts";
import { list } from "../../types/_list.ts";
import { type Custom, explain, integer, isJsonObject, naming } from "../../types/_schema.ts";
import { object } from "../../types/_shape.ts";
import { ValidationError, type ValidationIssue } from "../../types/mod.ts";
import { LEAST_KEY_LENGTH } from "./_authorization.ts";
import type { ApiKey } from "./api_key.ts";

/** A key as it stands in a file: {@linkcode ApiKey} in the file's words. */
export interface ApiKeyEntry {
  /** See {@linkcode ApiKey.name}. */
  readonly name: string;
  /** See {@linkcode ApiKey.sha256}. */
  readonly sha256: string;
  /** See {@linkcode ApiKey.models}. */
  readonly models?: readonly string[];
  /** See {@linkcode ApiKey.requestsPerMinute}. */
  readonly requests_per_minute?: number;
  /** See {@linkcode ApiKey.tokensPerMinute}. */
  readonly tokens_per_minute?: number;
  /** See {@linkcode ApiKey.maxConcurrency}. */
  readonly max_concurrency?: number;
}

const NAME_REGEXP = /^[A-Za-z0-9][\w.@-]{0,63}$/;

/** What {@linkcode isKeyName} asks for. */
export const KEY_NAME = 'a name of 1 to 64 letters, digits, "_", ".", "@" or "-", the first a letter or digit';

const NAME = pattern(NAME_REGEXP, KEY_NAME);
const HASH = pattern(/^[\da-f]{64}$/, "a SHA-256 of 64 hexadecimal digits in lower case");
// Without control characters: names stand in messages and logs.
const MODEL_REGEXP = /^(?=.)[^*\p{Cc}]{0,256}\*?$/u;

/** What {@linkcode isModelPattern} asks for. */
export const MODEL_PATTERN = 'the name of a model, with "*" at its end only';

const MODEL = pattern(MODEL_REGEXP, MODEL_PATTERN);
const MODEL_LIST = "an array of at least one name of a model";
const MODELS = naming(
  v.pipe(
    list(MODEL, MODEL_LIST),
    // An empty one would be a key for nothing: more likely somebody meant to fill it in.
    v.check((models) => models.length > 0, `Expected ${MODEL_LIST}, found an empty array`),
  ),
  MODEL_LIST,
);
const LIMIT = integer(1);

// `null` is refused rather than taken for absent: without a limit, or for all models, is what must be written as such.
const OPTIONAL = ["models", "requests_per_minute", "tokens_per_minute", "max_concurrency"] as const;

const ENTRY = object({
  name: NAME,
  sha256: HASH,
  models: v.exactOptional(MODELS),
  requests_per_minute: v.exactOptional(LIMIT),
  tokens_per_minute: v.exactOptional(LIMIT),
  max_concurrency: v.exactOptional(LIMIT),
}, { nullable: OPTIONAL });

const FILE = object({ keys: list(ENTRY, "an array of keys") });

const ENTRY_MEMBERS: readonly string[] = ["name", "sha256", ...OPTIONAL];

/** Longer names are not like any of ours, and take long to compare. */
const TOO_LONG_TO_COMPARE = 32;

/** Members that hold the key itself, as someone may think. */
const SECRETS = ["key", "secret", "token", "api_key", "apikey"];

/** Whether a text can be the name of a key: see {@linkcode KEY_NAME}. */
export function isKeyName(text: string): boolean {
  return NAME_REGEXP.test(text);
}

/** Whether a text can say for which models a key is: see {@linkcode MODEL_PATTERN}. */
export function isModelPattern(text: string): boolean {
  return MODEL_REGEXP.test(text);
}

/**
 * Checks keys as they stand in a file.
 *
 * @param input The whole of the file, as a value.
 * @param what What is read, for the message.
 * @throws {ValidationError} With all that is wrong; no value of theirs is in it.
 */
export function parseApiKeys(input: unknown, what: string): ApiKey[] {
  const result = v.safeParse(FILE, input);
  const issues: ValidationIssue[] = [
    ...result.issues?.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: issue.message })) ?? [],
    ...unknownMembers(input),
    ...repetitions(input),
  ];
  if (!result.success || issues.length > 0) throw invalidKeys(what, issues);
  return result.output.keys.map(toApiKey);
}

/** An error for keys that cannot be used. */
export function invalidKeys(what: string, issues: readonly ValidationIssue[]): ValidationError {
  return new ValidationError(`Cannot read ${what}`, issues, { code: "invalid_option" });
}

/** A key as it stands in a file. */
export function toEntry(key: ApiKey): ApiKeyEntry {
  const { name, sha256, models, requestsPerMinute, tokensPerMinute, maxConcurrency } = key;
  return {
    name,
    sha256,
    ...(models !== undefined && { models }),
    ...(requestsPerMinute !== undefined && { requests_per_minute: requestsPerMinute }),
    ...(tokensPerMinute !== undefined && { tokens_per_minute: tokensPerMinute }),
    ...(maxConcurrency !== undefined && { max_concurrency: maxConcurrency }),
  };
}

function toApiKey(entry: ApiKeyEntry): ApiKey {
  const { name, sha256, models, requests_per_minute, tokens_per_minute, max_concurrency } = entry;
  return Object.freeze({
    name,
    sha256,
    ...(models !== undefined && { models: Object.freeze([...models]) }),
    ...(requests_per_minute !== undefined && { requestsPerMinute: requests_per_minute }),
    ...(tokens_per_minute !== undefined && { tokensPerMinute: tokens_per_minute }),
    ...(max_concurrency !== undefined && { maxConcurrency: max_concurrency }),
  });
}

function pattern(regexp: RegExp, expects: string): Custom<string> {
  return naming(v.custom<string>((value) => typeof value === "string" && regexp.test(value), explain), expects);
}

function unknownMembers(input: unknown): ValidationIssue[] {
  if (!isJsonObject(input)) return [];
  const atTop = Object.keys(input).filter((member) => member !== "keys").map((member) => unknown("", member, ["keys"]));
  return [
    ...atTop,
    ...entriesOf(input).flatMap(({ entry, path }) =>
      Object.keys(entry).filter((member) => !ENTRY_MEMBERS.includes(member))
        .map((member) => unknown(path, member, ENTRY_MEMBERS))
    ),
  ];
}

function unknown(path: string, member: string, known: readonly string[]): ValidationIssue {
  const place = path === "" ? member : `${path}.${member}`;
  if (path !== "" && SECRETS.includes(member.toLowerCase())) {
    const hint = "'cli.ts keys create --name NAME --file FILE' makes a key and writes its hash";
    return { path: place, message: `The key itself must not stand here, only its SHA-256: ${hint}` };
  }
  if (member.length < TOO_LONG_TO_COMPARE) {
    const near = nearName(member.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), known);
    if (near !== undefined) return { path: place, message: `Not known: did you mean "${near}"?` };
  }
  const names = `known are ${known.map((name) => `"${name}"`).join(", ")}`;
  // What is as long as a key may be one that was put in the wrong place.
  return /^\w+$/.test(member) && member.length < LEAST_KEY_LENGTH
    ? { path: place, message: `Not known: ${names}` }
    : { path, message: `There is a member that is not known, its name ${member.length} characters long: ${names}` };
}

/** Two of one name cannot be told apart in logs; two of one hash have one set of limits too many. */
function repetitions(input: unknown): ValidationIssue[] {
  const issues: ValidationIssue[] = [];
  for (const member of ["name", "sha256"]) {
    const places = new Map<unknown, string>();
    for (const { entry, path } of entriesOf(input)) {
      const value = entry[member];
      if (typeof value !== "string") continue;
      const first = places.get(value);
      if (first === undefined) places.set(value, path);
      else issues.push({ path: `${path}.${member}`, message: `The same as "${first}.${member}": each must be unique` });
    }
  }
  return issues;
}

interface Place {
  readonly entry: { readonly [member: string]: unknown };
  readonly path: string;
}

function entriesOf(input: unknown): Place[] {
  if (!isJsonObject(input) || !Array.isArray(input["keys"])) return [];
  const entries: readonly unknown[] = input["keys"];
  return entries.flatMap((entry, index) => isJsonObject(entry) ? { entry, path: `keys.${index}` } : []);
}
