import { CommandError } from "../_command_error.ts";
import { suggestion } from "../_near_names.ts";
import {
  type ApiKey,
  hashSecret,
  isKeyName,
  isModelPattern,
  KEY_NAME,
  MODEL_PATTERN,
  toEntry,
} from "../serving/access/mod.ts";
import type { Command, CommandInput, Flag } from "./command.ts";
import { countOf } from "./_flags.ts";
import { changeKeysFile, readKeysFile } from "./_keys_file.ts";
import { newSecret } from "./_keys_secret.ts";
import { print, printJson, table, tell } from "./_output.ts";

/** The most that a flag for a limit takes. */
const MOST = 999_999_999;

const FILE: Flag = { value: "FILE", required: true, help: "File of keys, as --api-keys of serve.ts takes it" };

/** `keys create`. */
export const keysCreate: Command = {
  words: ["keys", "create"],
  summary: "Make an API key for serve.ts, and print it this once",
  positionals: [],
  flags: {
    "name": { value: "NAME", required: true, help: "What logs and metrics call it" },
    "file": { value: "FILE", help: "File of keys to add its hash to (default: print the entry, too)" },
    "model": {
      value: "NAME",
      repeated: true,
      help: "A model that it is for, all that begin so with NAME* (default: all)",
    },
    "requests-per-minute": { value: "COUNT", help: "Most requests in a minute (default: no limit)" },
    "tokens-per-minute": { value: "COUNT", help: "Most tokens in a minute (default: no limit)" },
    "max-concurrency": { value: "COUNT", help: "Most requests at the same time (default: no limit)" },
  },
  async run(input) {
    const secret = newSecret();
    const key = keyOf(input, hashSecret(secret));
    const file = input.text("file");
    if (file === "") throw new CommandError("--file must not be empty", 2);
    if (file !== undefined) await changeKeysFile(file, (keys = []) => [...keys, unusedIn(keys, key, file)]);
    // The key alone, so that it can be piped to where it is kept.
    if (input.json) printJson({ key: secret, entry: toEntry(key) });
    else print(secret);
    const where = file === undefined
      ? `Put this into the file of keys, under "keys": ${JSON.stringify(toEntry(key))}`
      : `Its hash is in "${file}" now; serve with --api-keys ${file}`;
    tell(`Keep the key safe: it is not shown again. Clients send it as "Authorization: Bearer KEY". ${where}`);
  },
};

/** `keys list`. */
export const keysList: Command = {
  words: ["keys", "list"],
  summary: "List the API keys of a file: names, models and limits",
  positionals: [],
  flags: { "file": FILE },
  async run(input) {
    const keys = await readKeysFile(input.text("file") ?? "");
    if (input.json) return printJson(keys.map((key) => ({ ...toEntry(key), sha256: undefined })));
    const limit = (value: number | undefined) => value === undefined ? "no limit" : String(value);
    print(table(
      ["name", "models", "requests/min", "tokens/min", "at once"],
      keys.map((key) => [
        key.name,
        key.models?.join(", ") ?? "all",
        limit(key.requestsPerMinute),
        limit(key.tokensPerMinute),
        limit(key.maxConcurrency),
      ]),
    ));
  },
};

/** `keys remove`. */
export const keysRemove: Command = {
  words: ["keys", "remove"],
  summary: "Remove an API key from a file: servers that follow it let it in no more",
  positionals: [],
  flags: { "name": { value: "NAME", required: true, help: "The key" }, "file": FILE },
  async run(input) {
    const name = input.text("name") ?? "";
    const file = input.text("file") ?? "";
    // Unlike an alias, a key that is not there is a failure: the one that was meant would go on to open the door.
    const without = (keys: readonly ApiKey[] | undefined): readonly ApiKey[] => {
      if (keys === undefined) throw new CommandError(`Cannot remove a key from "${file}": there is no such file`, 1);
      const names = keys.map((key) => key.name);
      if (names.includes(name)) return keys.filter((key) => key.name !== name);
      throw new CommandError(`Cannot remove key "${name}" from "${file}": ${suggestion(name, names)}`, 1);
    };
    await changeKeysFile(file, without);
    if (input.json) return printJson({ name, removed: true });
    print(`Key "${name}" is no more in "${file}"`);
  },
};

function keyOf(input: CommandInput, sha256: string): ApiKey {
  const name = input.text("name") ?? "";
  if (!isKeyName(name)) throw new CommandError(`--name must be ${KEY_NAME}, but is "${name}"`, 2);
  const models = input.texts("model");
  const requestsPerMinute = limitOf(input, "requests-per-minute");
  const tokensPerMinute = limitOf(input, "tokens-per-minute");
  const maxConcurrency = limitOf(input, "max-concurrency");
  return {
    name,
    sha256,
    ...(models.length > 0 && { models: models.map(checkedModel) }),
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    ...(tokensPerMinute !== undefined && { tokensPerMinute }),
    ...(maxConcurrency !== undefined && { maxConcurrency }),
  };
}

function checkedModel(model: string): string {
  if (isModelPattern(model)) return model;
  throw new CommandError(`--model must be ${MODEL_PATTERN}, but is "${model}"`, 2);
}

function limitOf(input: CommandInput, flag: string): number | undefined {
  const text = input.text(flag);
  return text === undefined ? undefined : countOf(flag, text, { fallback: 1, most: MOST });
}

function unusedIn(keys: readonly ApiKey[], key: ApiKey, file: string): ApiKey {
  if (!keys.some(({ name }) => name === key.name)) return key;
  throw new CommandError(
    `Cannot add key "${key.name}" to "${file}": there is one of that name. ` +
      "Choose another, or remove it by 'cli.ts keys remove'",
    1,
  );
}
