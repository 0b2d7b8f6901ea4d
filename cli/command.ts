import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { CommandError } from "../_command_error.ts";
import { nearName } from "../_near_names.ts";

/** What a command is run with. */
export interface CommandInput {
  /** What stands on the line besides flags. */
  readonly positionals: readonly string[];
  /** The value of a flag that is given once; `undefined` if it is not given. */
  text(flag: string): string | undefined;
  /** All values of a flag that may be repeated. */
  texts(flag: string): readonly string[];
  /** Whether a flag without value is given. */
  has(flag: string): boolean;
  /** Whether the result is wanted as JSON. */
  readonly json: boolean;
}

/** One command of `cli.ts`. */
export interface Command {
  /** Its words, such as `["models", "list"]`. */
  readonly words: readonly string[];
  /** What it does, in one line. */
  readonly summary: string;
  /** What stands on the line besides flags, such as `["FILE"]`. */
  readonly positionals: readonly string[];
  /** Its flags, and their lines of help. */
  readonly flags: { readonly [name: string]: Flag };
  /** Does the work. */
  run(input: CommandInput): Promise<void>;
  /** Takes over the line as it is, where another program reads the flags. */
  forward?(args: readonly string[]): Promise<void>;
}

/** A flag of a command. */
export interface Flag {
  /** Name of its value, such as `NAME`; absent for a flag without one. */
  readonly value?: string;
  /** One letter that stands for it. */
  readonly short?: string;
  /** Whether it may be repeated. */
  readonly repeated?: boolean;
  /** Whether it must be given. */
  readonly required?: boolean;
  /** What it is for. */
  readonly help: string;
}

/** Flags of every command. */
const COMMON: { readonly [name: string]: Flag } = {
  "tracking-uri": {
    value: "URI",
    help: "Where runs and models are kept (default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db)",
  },
  "json": { help: "Print the result as JSON" },
  "help": { short: "h", help: "Print this help" },
};

/** All flags of a command. */
export function flagsOf(command: Command): { readonly [name: string]: Flag } {
  return { ...command.flags, ...COMMON };
}

/** How a command is written. */
export function usageOf(command: Command): string {
  const required = Object.entries(command.flags).filter(([, flag]) => flag.required)
    .map(([name, flag]) => ` --${name} ${flag.value}`);
  return `cli.ts ${[...command.words, ...command.positionals].join(" ")}${required.join("")} [flags]`;
}

/** Help of one command. */
export function helpOf(command: Command): string {
  const lines = Object.entries(flagsOf(command)).map(([name, flag]) => {
    const short = flag.short === undefined ? "    " : `-${flag.short}, `;
    const left = `  ${short}--${name}${flag.value === undefined ? "" : ` ${flag.value}`}`;
    const help = `${flag.help}${flag.repeated ? "; may be repeated" : ""}`;
    return left.length > 34 ? `${left}\n${" ".repeat(35)}${help}` : `${left.padEnd(34)} ${help}`;
  });
  return `${command.summary}.\n\nUsage: deno run -A ${usageOf(command)}\n\n${lines.join("\n")}\n`;
}

/**
 * Reads what follows a command's words.
 *
 * @throws {CommandError} With exit code 2, naming what is wrong and what would be right.
 */
export function parseCommand(command: Command, args: readonly string[]): CommandInput & { readonly help: boolean } {
  const flags = flagsOf(command);
  const options: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(flags).map(([name, { value, short, repeated = false }]) => [name, {
      type: value === undefined ? "boolean" : "string",
      multiple: repeated,
      ...(short !== undefined && { short }),
    }]),
  );
  const { values, positionals, tokens } = parse(command, withNumbers(args, flags), options);
  const text = (flag: string): string | undefined => {
    const value = values[flag];
    return typeof value === "string" ? value : undefined;
  };
  const input = {
    positionals,
    text,
    texts: (flag: string): readonly string[] => [values[flag]].flat().filter((value) => typeof value === "string"),
    has: (flag: string) => values[flag] === true,
    json: values["json"] === true,
    help: values["help"] === true,
  };
  if (input.help) return input;
  const given = tokens.filter((token) => token.kind === "option").map(({ name }) => name);
  const twice = given.find((name, place) =>
    !flags[name]?.repeated && flags[name]?.value && given.indexOf(name) < place
  );
  if (twice !== undefined) throw wrongUsage(command, `--${twice} is given more than once`);
  const [missing] = command.positionals.slice(positionals.length);
  if (missing !== undefined) throw wrongUsage(command, `${missing} is missing`);
  const [extra] = positionals.slice(command.positionals.length);
  if (extra !== undefined) throw wrongUsage(command, `unexpected "${extra}"`);
  for (const [name, flag] of Object.entries(flags)) {
    if (!flag.required) continue;
    if (text(name) === undefined) throw wrongUsage(command, `--${name} ${flag.value} is missing`);
    if (text(name) === "") throw wrongUsage(command, `--${name} must not be empty`);
  }
  return input;
}

function parse(command: Command, args: string[], options: ParseArgsOptionsConfig) {
  try {
    return parseArgs({ args, allowPositionals: true, options, tokens: true });
  } catch (error) {
    const message = firstSentence(error instanceof Error ? error.message : String(error));
    const [, unknown = ""] = /^Unknown option '--([\w-]+)/.exec(message) ?? [];
    const near = nearName(unknown, Object.keys(flagsOf(command)));
    throw wrongUsage(command, near === undefined ? message : `${message}: did you mean --${near}?`);
  }
}

/** A number after a flag that takes a value is that value, also a negative one, which looks like a flag. */
function withNumbers(args: readonly string[], flags: { readonly [name: string]: Flag }): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = joined.at(-1) ?? "";
    if (/^-\d/.test(arg) && flags[before.replace(/^--/, "")]?.value !== undefined) {
      joined.splice(-1, 1, `${before}=${arg}`);
    } else joined.push(arg);
  }
  return joined;
}

function wrongUsage(command: Command, message: string): CommandError {
  return new CommandError(
    `${message.endsWith("?") ? message : `${message}.`} Usage: ${usageOf(command)}. See 'cli.ts ${
      command.words.join(" ")
    } --help'`,
    2,
  );
}

/** Node's messages go on to explain `--`, which is of no use here. */
function firstSentence(message: string): string {
  const [, flag] = /Option '((?:-\w, )?--[\w-]+).*' argument is ambiguous/.exec(message) ?? [];
  if (flag !== undefined) return `${flag} must have a value that does not begin with "-"`;
  const [sentence = message] = message.split(/\.(?:\s|$)/);
  return sentence;
}
