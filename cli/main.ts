import { CommandError } from "../_command_error.ts";
import { reasonOf } from "../models/reason_of.ts";
import { nearName } from "../_near_names.ts";
import { VERSION } from "../_version.ts";
import { COMMANDS, MLFLOW_COMMANDS } from "./_commands.ts";
import { type Command, helpOf, parseCommand } from "./command.ts";
import { Interrupted } from "./_interruption.ts";
import { print, tell } from "./_output.ts";
import { inCommands } from "./_remedies.ts";

/** The command `cli.ts`. Ends the process with exit code 2 for wrong usage, 1 for failures. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await run(args);
  } catch (error) {
    tell(`error: ${messageOf(error).replaceAll(/\s*\n\s*/g, " ")}`);
    Deno.exit(error instanceof CommandError || error instanceof Interrupted ? error.exitCode : 1);
  }
}

async function run(args: readonly string[]): Promise<void> {
  const [first] = args;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") return print(overview());
  if (first === "--version") return print(VERSION);
  const command = [...COMMANDS, ...MLFLOW_COMMANDS].find(({ words }) => words.every((word, i) => args[i] === word));
  if (command === undefined) throw unknownCommand(args);
  const rest = args.slice(command.words.length);
  if (command.forward !== undefined) return await command.forward(rest);
  const input = parseCommand(command, rest);
  if (input.help) return print(helpOf(command).trimEnd());
  await command.run(input);
}

function overview(): string {
  const width = Math.max(...COMMANDS.map((command) => lineOf(command).length));
  const lines = COMMANDS.map((command) => `  ${lineOf(command).padEnd(width)}  ${command.summary}`);
  return `Logs, registers, tries and serves chat models.

Usage: deno run -A cli.ts COMMAND [flags]

${lines.join("\n")}

As in MLflow's command line: ${MLFLOW_COMMANDS.map(({ words }) => `'${words.join(" ")}'`).join(", ")}.
'cli.ts COMMAND --help' tells more of a command, --version this program's version.
Environment: MLFLOW_TRACKING_URI and MLflow's other variables, OLLAMA_HOST.`;
}

function lineOf({ words, positionals }: Command): string {
  return [...words, ...positionals].join(" ");
}

function unknownCommand(args: readonly string[]): CommandError {
  const typed = args.slice(0, 2).filter((word) => !word.startsWith("-"));
  const [group = ""] = typed;
  const inGroup = [...COMMANDS, ...MLFLOW_COMMANDS].filter(({ words }) => words[0] === group && words.length > 1);
  if (inGroup.length > 0) {
    const known = inGroup.map(({ words }) => words.join(" "));
    const near = typed[1] === undefined ? undefined : nearName(typed.join(" "), known);
    const hint = near === undefined
      ? `There are ${known.map((name) => `'${name}'`).join(", ")}.`
      : `Did you mean '${near}'?`;
    return new CommandError(`There is no command '${typed.join(" ")}'. ${hint} See --help`, 2);
  }
  const near = nearName(group, [...new Set(COMMANDS.map(({ words }) => words[0] ?? ""))]);
  const hint = near === undefined ? "" : ` Did you mean '${near}'?`;
  return new CommandError(`There is no command '${group}'.${hint} See --help`, 2);
}

/** Ours say what to do; what the system or the author's code says is told with where it was. */
function messageOf(error: unknown): string {
  return error instanceof CommandError || error instanceof Interrupted ? error.message : inCommands(reasonOf(error));
}
