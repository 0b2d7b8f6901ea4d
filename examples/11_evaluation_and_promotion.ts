// deno run --allow-net=127.0.0.1 --allow-read --allow-write=. --allow-env --allow-run examples/11_evaluation_and_promotion.ts
// deno-lint-ignore-file no-console -- a script talks to its user
import { checkGate, evaluate, latency, parseGate, type ScoredRow } from "@chatmodel/chat-model/evaluation";
import { logModel } from "@chatmodel/chat-model/models";
import { type ModelVersion, openModelRegistry, registerModel } from "@chatmodel/chat-model/registry";
import { closeTracking, getRegistryUri, getTrackingStore, setExperiment } from "@chatmodel/chat-model/tracking";

const NAME = "brief_assistant";
const GATE = parseGate("within_limit >= 0.9, within_limit >= baseline, rows_failed == 0");

await setExperiment("chatmodel-evaluation");
await using registry = openModelRegistry(getRegistryUri());

// Version 1 of the tutorial is in use. It does not hand `max_tokens` on; version 2 does, and is to take its place.
const champion = await register("simple_ollama_model.ts");
await registry.setAlias(NAME, "champion", champion.version);
const challenger = await register("ollama_model_with_metadata.ts");

const baseline = await score(champion);
const candidate = await score(challenger);
const { holds, conditions } = checkGate(GATE, { candidate, baseline });
for (const { condition, reason } of conditions) console.log(`${condition}: ${reason}`);
if (holds) await registry.setAlias(NAME, "champion", challenger.version);

const { version } = await registry.getModelVersionByAlias(NAME, "champion");
console.log(holds ? `Version ${version} is the champion now` : `Version ${version} stays the champion`);
await closeTracking();
if (!holds) Deno.exit(1); // So that CI stops here.

async function register(file: string): Promise<ModelVersion> {
  const { modelUri } = await logModel({ name: NAME, model: `${import.meta.dirname}/${file}` });
  return await registerModel(modelUri, NAME, { store: getTrackingStore(), registry });
}

/** Puts all questions to a version. Scores of single rows are in the run, where MLflow shows them. */
async function score({ version }: ModelVersion): ReturnType<typeof evaluate> {
  return await evaluate({
    model: `models:/${NAME}/${version}`,
    data: `${import.meta.dirname}/questions.jsonl`,
    scorers: [within_limit, latency()],
    runName: `version ${version}`,
  });
}

/** A scorer is a function, and its name that of the score. Tokens may be parts of words, but no word is less than one. */
function within_limit({ text, expectations }: ScoredRow): boolean | undefined {
  const { most_words } = expectations;
  return typeof most_words === "number" ? text.trim().split(/\s+/).length <= most_words : undefined;
}
