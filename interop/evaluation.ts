/**
 * Evaluates two versions of a model by the command line, in the store that the environment names: one passes the gate and
 * is promoted. Prints as JSON what it made, for the checks in Python.
 */
import { assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { run } from "./_python.ts";
import { CONFIG } from "./_scripts.ts";

const CLI = join(dirname(CONFIG), "cli.ts");

const SOURCE = `import { type ChatMessage, ChatModel, type ModelContext } from "@chatmodel/chat-model";

export default class Echo extends ChatModel {
  override predict(context: ModelContext, messages: readonly ChatMessage[]): string {
    const text = String(messages.at(-1)?.content);
    if (text === "fail") throw new Error("Cannot answer");
    return context.modelConfig.get("loud", false) ? text.toUpperCase() : text;
  }
}
`;

const ROWS = [
  { id: "one", inputs: { question: "one" }, expectations: { expected_response: "one" } },
  { id: "two", inputs: { question: "TWO" }, expectations: { expected_response: "TWO" } },
  { id: "three", inputs: "drei ä 😀", expectations: { expected_response: "drei ä 😀" }, tags: { language: "de" } },
  { id: "four", inputs: "fail", expectations: { expected_response: "four" } },
];

/** Runs a command that prints JSON. */
// deno-lint-ignore no-explicit-any -- what is looked into
async function command(args: readonly string[]): Promise<any> {
  const ended = await run(Deno.execPath(), ["run", "-A", "--config", CONFIG, CLI, ...args, "--json"], {
    env: { NO_COLOR: "1" },
  });
  if (!ended.success) throw new Error(ended.stderr.slice(-1500));
  return JSON.parse(ended.stdout);
}

await Deno.writeTextFile("echo.ts", SOURCE);
await Deno.writeTextFile("rows.jsonl", ROWS.map((row) => JSON.stringify(row)).join("\n"));
const logged = ["log", "echo.ts", "--name", "echo", "--experiment", "evaluation", "--register", "evaluated"];
await command([...logged, "--model-config", '{"loud": true}', "--alias", "champion"]);
const { model_id: modelId } = await command(logged);
const { candidate, baseline, comparison, gate, promotion } = await command([
  ...["evaluate", "--model", "models:/evaluated/2", "--baseline", "models:/evaluated@champion", "--data", "rows.jsonl"],
  ...["--scorers", "exact_match,latency,length", "--experiment", "evaluation", "--run-name", "candidate"],
  ...["--gate", "exact_match>=0.7, exact_match>baseline", "--promote", "champion", "--seed", "1"],
  ...Deno.args,
]);
assertEquals([gate.holds, promotion.promoted, promotion.from, promotion.version], [true, true, "1", "2"]);
assertEquals(comparison.scores.exact_match.improved.map(({ id }: { readonly id: string }) => id), ["one", "three"]);

// deno-lint-ignore no-console -- read by run.ts
console.log(JSON.stringify({
  run_id: candidate.runId,
  baseline_run_id: baseline.runId,
  model_id: modelId,
  metrics: candidate.metrics,
  dataset_digest: candidate.dataset.digest.slice(0, 8),
  has_traces: Deno.args.includes("--traces"),
}));
