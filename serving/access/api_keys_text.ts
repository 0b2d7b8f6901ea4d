import type { ValidationIssue } from "../../types/mod.ts";
import { isKeyText, LEAST_KEY_LENGTH, MOST_KEY_LENGTH } from "./_authorization.ts";
import type { ApiKey } from "./api_key.ts";
import { invalidKeys, isKeyName, KEY_NAME, parseApiKeys } from "./_key_schema.ts";
import { hashSecret } from "./_secret_hash.ts";

/** Options for {@linkcode apiKeysFromText} and {@linkcode apiKeysFromJson}. */
export interface ApiKeysTextOptions {
  /** What the text is, for messages. @default {"CHATMODEL_API_KEYS"} */
  readonly source?: string;
}

/**
 * Reads keys from the value of an environment variable: JSON as in a file, or `NAME=SECRET` pairs between commas or
 * line ends, each secret of 16 to 1024 visible ASCII characters without a comma. Secrets are hashed at once.
 *
 * @param text The value.
 * @param options What to call it.
 * @returns The keys, those of pairs without limits and for all models.
 * @throws {ValidationError} With all that is wrong: which pair or member, but no part of it, as that may be a secret.
 */
export function apiKeysFromText(text: string, options: ApiKeysTextOptions = {}): ApiKey[] {
  const { source = "CHATMODEL_API_KEYS" } = options;
  return /^\s*[[{]/.test(text) ? apiKeysFromJson(text, { source }) : apiKeysFromPairs(text, source);
}

/**
 * Reads keys from JSON as it stands in a file.
 *
 * @param text The JSON.
 * @param options What to call it.
 * @returns The keys.
 * @throws {ValidationError} With all that is wrong; no value that stands there is in it.
 */
export function apiKeysFromJson(text: string, options: ApiKeysTextOptions = {}): ApiKey[] {
  const { source = "CHATMODEL_API_KEYS" } = options;
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    // Only where it is: the engine's message quotes the text, and so would the error as a cause.
    const [, place] = /\((line \d+ column \d+)\)/.exec(String(error)) ?? [];
    throw invalidKeys(source, [{
      path: "",
      message: `It is not valid JSON${place === undefined ? "" : ` at ${place}`}`,
    }]);
  }
  return parseApiKeys(value, source);
}

function apiKeysFromPairs(text: string, source: string): ApiKey[] {
  const pairs = text.split(/[,\r\n]/).map((pair) => pair.trim()).filter((pair) => pair !== "");
  if (pairs.length === 0) {
    throw invalidKeys(source, [{ path: "", message: "It is empty: write NAME=SECRET pairs, or JSON" }]);
  }
  const issues: ValidationIssue[] = [];
  const names = new Map<string, number>();
  const hashes = new Map<string, number>();
  const keys = pairs.map((pair, index): ApiKey => {
    const place = index + 1;
    const refuse = (message: string) => issues.push({ path: "", message: `Pair ${place}: ${message}` });
    const separator = pair.indexOf("=");
    const name = pair.slice(0, Math.max(separator, 0)).trim();
    const secret = pair.slice(separator + 1).trim();
    const sha256 = hashSecret(secret);
    if (separator < 0) refuse('Expected NAME=SECRET, found no "="');
    else {
      if (!isKeyName(name)) refuse(`Expected ${KEY_NAME}`);
      if (secret.length < LEAST_KEY_LENGTH || secret.length > MOST_KEY_LENGTH) {
        const bounds = `${LEAST_KEY_LENGTH} to ${MOST_KEY_LENGTH}`;
        refuse(`Expected a secret of ${bounds} characters, found ${secret.length}`);
      } else if (!isKeyText(secret)) refuse("Expected a secret of visible ASCII characters without spaces");
    }
    const sameName = names.get(name);
    const sameHash = hashes.get(sha256);
    if (separator > 0 && sameName !== undefined) refuse(`Expected a name of its own, found that of pair ${sameName}`);
    if (separator > 0 && sameHash !== undefined) refuse(`Expected a secret of its own, found that of pair ${sameHash}`);
    names.set(name, place);
    hashes.set(sha256, place);
    return Object.freeze({ name, sha256 });
  });
  if (issues.length > 0) throw invalidKeys(source, issues);
  return keys;
}
