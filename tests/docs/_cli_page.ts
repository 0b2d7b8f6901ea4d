/**
 * Writes `docs/guide/cli.md` of what the commands say of themselves:
 * `deno run --allow-read --allow-write --allow-env tests/docs/_cli_page.ts`.
 */
import { COMMANDS, MLFLOW_COMMANDS } from "../../cli/_commands.ts";
import { type Command, helpOf } from "../../cli/command.ts";
import { HELP } from "../../serving/_flags.ts";

/** Where the page is. */
export const CLI_PAGE = new URL("../../docs/guide/cli.md", import.meta.url);

const HEAD = `<!-- deno-fmt-ignore-file -->

# Command line

Two programs: \`serve.ts\` serves models, \`cli.ts\` does all the rest (and serves, too). In a clone of the repository they are
run as below; in a project of your own write \`jsr:@chatmodel/chat-model/serve\` and \`jsr:@chatmodel/chat-model/cli\`.

Results go to the standard output, everything else to the standard error. With \`--json\` a result is one JSON value.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 and 143 interrupted (Ctrl-C, SIGTERM).

This page is written by \`tests/docs/_cli_page.ts\` of what the programs print for \`--help\`.
`;

/** The page. */
export function cliPage(): string {
  const rows = COMMANDS.map((command) => `| [\`${nameOf(command)}\`](#${anchorOf(command)}) | ${command.summary} |`);
  const sections = COMMANDS.map((command) =>
    command.forward === undefined
      ? `\n## ${nameOf(command)}\n\n${drawing(helpOf(command))}`
      : `\n## ${nameOf(command)}\n\nAs \`serve.ts\`: see [below](#servets).\n`
  );
  const names = MLFLOW_COMMANDS.map(({ words }) => `\`${words.join(" ")}\``).join(", ");
  return `${HEAD}
| command | what it does |
| --- | --- |
${rows.join("\n")}

By MLflow's names there are also: ${names}.
${sections.join("")}
## serve.ts

${drawing(HELP)}`;
}

function nameOf({ words }: Command): string {
  return words.join(" ");
}

function anchorOf(command: Command): string {
  return nameOf(command).replaceAll(" ", "-");
}

function drawing(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}

if (import.meta.main) await Deno.writeTextFile(CLI_PAGE, cliPage());
