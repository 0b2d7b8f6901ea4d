/**
 * Writes `docs/clients.md`: what each client can do with each server, by what the tests of the matrix show.
 *
 *     deno run -A tests/clients/_table.ts
 */
import { AI_SDK_COMPATIBLE, AI_SDK_OPENAI, AI_SDK_OPENAI_CHAT } from "./_ai_sdk.ts";
import { LANGCHAIN, LANGCHAIN_RESPONSES } from "./_langchain.ts";
import { CAPABILITIES, type Capability, cellName, type Client, reasonAgainst } from "./_matrix.ts";
import { SERVERS } from "./_matrix_servers.ts";
import { OPENAI } from "./_openai.ts";
import { OPENAI_RESPONSES } from "./_openai_responses.ts";

/** The clients by the files of their tests. */
export const CLIENTS: Readonly<Record<string, Client>> = {
  "openai_matrix_test.ts": OPENAI,
  "openai_responses_matrix_test.ts": OPENAI_RESPONSES,
  "ai_sdk_openai_matrix_test.ts": AI_SDK_OPENAI,
  "ai_sdk_openai_chat_matrix_test.ts": AI_SDK_OPENAI_CHAT,
  "ai_sdk_compatible_matrix_test.ts": AI_SDK_COMPATIBLE,
  "langchain_matrix_test.ts": LANGCHAIN,
  "langchain_responses_matrix_test.ts": LANGCHAIN_RESPONSES,
};

const INTRODUCTION = `# Clients

What clients can do with servers of this package, unmodified. Written by \`tests/clients/_table.ts\` of what the tests in
\`tests/clients\` show: a ✓ stands for tests that pass with each of these.

- The demo model. To fail it is wrapped, as it does not fail by itself.
- A scripted model, which gives each form of an answer.
- Ollama, as it was recorded. There is no recorded answer of status 429; and an Ollama that says nothing more, which a
  client leaves, is played by a fake.

Every body and every frame that is sent in these tests is checked against OpenAI's own schemas, too.
`;

const MEANING = `
| column | is |
| --- | --- |
| text, stream | the text, why it ended and the usage; whole, and in pieces |
| tools, tool loop | two calls at once; a call, its result, and the answer; whole and streamed |
| structured output | an object by JSON Schema; whole and streamed, unless a note says otherwise |
| n, logprobs | two answers; the log probabilities of every token |
| errors | status 400, 404, 500 and a failure in mid-stream, each as the client's own error |
| abort | the model's signal fires, before the first word and after it |
| retries | status 429 and 503 are tried again when \`retry-after-ms\` says, where the client reads it |
`;

const THINKING = `
## How a client shows thinking

- \`@ai-sdk/openai\`: only if asked for it. With
  \`providerOptions: { openai: { reasoningSummary: "auto", forceReasoning: true } }\` it has \`reasoningText\`: it reads
  the summary of thinking, which has to be asked for, and asks for it only of models that it knows to think, unless it
  is told to.
- \`@ai-sdk/openai .chat()\`: not at all, as OpenAI sends none there.
- \`@ai-sdk/openai-compatible\`: without being asked.
`;

/**
 * Names of the tests that passed.
 *
 * @param report The runner's report, in JUnit's XML.
 * @returns The names.
 */
export function passedTests(report: string): Set<string> {
  const passed = new Set<string>();
  for (const [, attributes = "", inner = ""] of report.matchAll(/<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    const name = /(?:^|\s)name="([^"]*)"/.exec(attributes)?.[1];
    if (name !== undefined && !/<(failure|error|skipped)/.test(inner)) passed.add(unescape(name));
  }
  return passed;
}

function unescape(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&apos;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

function notesOf(client: Client): string[] {
  const { structuredWholeOnly, retries: { waits, heedsFinal } } = client;
  return [
    ...CAPABILITIES.flatMap((capability) => {
      const reason = reasonAgainst(client, capability);
      return reason === undefined ? [] : `${capability}: ${reason}.`;
    }),
    ...(structuredWholeOnly === undefined ? [] : [`structured output: whole only. ${structuredWholeOnly}.`]),
    ...(waits.includes(undefined)
      ? ["retries: it waits a second or two at least, whatever `retry-after-ms` says."]
      : []),
    ...(heedsFinal
      ? []
      : ["retries: it does not heed `x-should-retry: false`, and tries any status 500 and more again."]),
  ];
}

function cell(client: Client, capability: Capability, passed: ReadonlySet<string>): string {
  if (reasonAgainst(client, capability) !== undefined) return "–";
  return SERVERS.every((server) => passed.has(cellName(client.name, capability, server.name))) ? "✓" : "✗";
}

/**
 * Makes the page.
 *
 * @param passed Names of the tests that passed.
 * @returns The page, in Markdown.
 */
export function makePage(passed: ReadonlySet<string>): string {
  const clients = Object.values(CLIENTS);
  const rows = [
    ["client", ...CAPABILITIES],
    ["---", ...CAPABILITIES.map(() => ":-:")],
    ...clients.map((client) => [`\`${client.name}\``, ...CAPABILITIES.map((name) => cell(client, name, passed))]),
  ];
  const notes = clients.flatMap((client) => notesOf(client).map((note) => `- \`${client.name}\`, ${note}`));
  const table = rows.map((row) => `| ${row.join(" | ")} |`).join("\n");
  return `${INTRODUCTION}\n${table}\n${MEANING}${THINKING}\n## What a client does not do\n\n${notes.join("\n")}\n`;
}

async function runTests(): Promise<string> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const files = Object.keys(CLIENTS).map((name) => new URL(name, import.meta.url).pathname);
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", `--junit-path=${report}`, ...files],
      stdout: "inherit",
      stderr: "inherit",
    }).output();
    const text = await Deno.readTextFile(report);
    if (code !== 0) throw new Error("Cannot write docs/clients.md: a test failed, see above");
    return text;
  } finally {
    await Deno.remove(report);
  }
}

if (import.meta.main) {
  const target = new URL("../../docs/clients.md", import.meta.url);
  await Deno.writeTextFile(target, makePage(passedTests(await runTests())));
  const formatted = await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", target.pathname] }).output();
  if (!formatted.success) throw new Error("Cannot format docs/clients.md");
}
