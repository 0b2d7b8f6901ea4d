/**
 * Writes `docs/errors.md` from the table of errors:
 * `deno run --allow-read --allow-write tests/docs/_errors_page.ts`.
 */
import { ERROR_GROUPS } from "../../types/_error_table.ts";
import { ChatModelError } from "../../mod.ts";

/** Where the page is. */
export const ERRORS_PAGE = new URL("../../docs/errors.md", import.meta.url);

const HEAD = `<!-- deno-fmt-ignore-file -->

# Errors

What goes wrong is answered as OpenAI does: a status, and \`{"error": {"message", "type", "param", "code"}}\`. \`message\`
says what was to be done, why it failed and what helps; \`param\` is the dotted path of the field at fault, such as
\`messages.0.content\`; \`code\` is for programs. In a stream that has begun, the same object comes as the last frame, and
no \`[DONE]\` after it. \`/invocations\` answers as MLflow does: \`{"error_code", "message"}\`.

In code the same facts are members of a \`ChatModelError\`. The stack of a model's own failure stands only in the
server's log, under the \`x-request-id\` that each answer carries.

**Trying again.** Where the same request cannot succeed later, the answer says \`x-should-retry: false\`, which OpenAI's
clients obey. Where it may, and it is known when, it says \`retry-after-ms\` and \`retry-after\`.

A model's author may give an error of their own any \`code\`, or none (\`null\`), and any status from 400 to 599: those are
not listed.

This page is written from the table that the code uses (\`types/_error_table.ts\`).
`;

/** The page. */
export function errorsPage(): string {
  const groups = Object.entries(ERROR_GROUPS).map(([title, kinds]) => {
    const rows = Object.entries(kinds).map(([code, { when, remedy, headers = [] }]) => {
      const { status, type, retryable } = new ChatModelError("", { code });
      const cells = [
        `\`${code}\``,
        String(status),
        `\`${type}\``,
        retryable ? "yes" : "no",
        when,
        remedy,
        headers.map((name) => `\`${name}\``).join(", "),
      ];
      return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    });
    return `\n## ${title}\n\n| code | status | type | try again? | when | what helps | headers |\n` +
      `| --- | --- | --- | --- | --- | --- | --- |\n${rows.join("\n")}\n`;
  });
  return HEAD + groups.join("");
}

if (import.meta.main) await Deno.writeTextFile(ERRORS_PAGE, errorsPage());
