import { CommandError } from "../_command_error.ts";
import { checkGate } from "../evaluation/gate/mod.ts";
import {
  compareEvaluations,
  evaluate as runEvaluation,
  type EvaluationData,
  EvaluationResult,
  type EvaluationRow,
  readEvaluation,
  type Scorer,
} from "../evaluation/mod.ts";
import { openData } from "../evaluation/data/mod.ts";
import type { Tracing } from "../tracing/mod.ts";
import { activeExperimentId, getTrackingUri } from "../tracking/mod.ts";
import type { Command, CommandInput } from "./command.ts";
import { type Journals, openJournals } from "./_evaluate_journals.ts";
import { findModel, type NamedModel, versionOfAlias } from "./_evaluate_models.ts";
import { type Evaluated, failureOf, toJson, toText, writeReports } from "./_evaluate_output.ts";
import { EvaluateProgress } from "./_evaluate_progress.ts";
import { type Promoted, promoteVersion } from "./_evaluate_promotion.ts";
import { makeScorers, scorerNames } from "./_evaluate_scorers.ts";
import { checkMetrics, type EvaluateSettings, inGate, readSettings } from "./_evaluate_settings.ts";
import { EXPERIMENT_ID, experimentOf } from "./_experiment.ts";
import { interruptible } from "./_interruption.ts";
import { print, printJson, tell } from "./_output.ts";
import { type Stores, withStores } from "./_stores.ts";

/** `evaluate`. */
export const evaluate: Command = {
  words: ["evaluate"],
  summary: "Evaluate a model on data, compare it with another, and promote it if it passes a gate",
  positionals: [],
  flags: {
    "model": {
      short: "m",
      value: "URI",
      required: true,
      help: "models:/NAME/3, models:/NAME@ALIAS, models:/m-…, a folder, a file, demo, ollama:NAME, openai:NAME@URL",
    },
    "data": { short: "d", value: "FILE", required: true, help: "Rows: .jsonl, .json, .csv or .tsv" },
    "scorers": {
      value: "NAMES",
      required: true,
      help: `With commas: ${scorerNames().join(", ")}, or files of your own scorers, such as ./scorers.ts`,
    },
    "scorer-options": { value: "FILE|JSON", help: 'Options of scorers, such as {"contains": {"ignoreCase": true}}' },
    "judge-model": { value: "URI", help: "The model that judges, where a scorer is a judge; written as --model" },
    "baseline": {
      value: "URI|FILE",
      help: "A model to compare with, written as --model, or the .jsonl that --resume wrote of one",
    },
    "gate": {
      value: "CONDITIONS",
      repeated: true,
      help: 'What must hold, such as "exact_match>=0.8, latency_p95<=1.1*baseline"; exit code 1 if it does not',
    },
    "promote": { value: "ALIAS", help: "Alias to move to the evaluated version if the gate is passed" },
    "name": { value: "NAME", help: "Name of the model for people (default: its own)" },
    "run-name": { value: "NAME", help: "Name of the run; the baseline's has (baseline) behind it" },
    "experiment": { value: "NAME", help: "Experiment, made if missing (default: MLflow's variables, else Default)" },
    "experiment-id": EXPERIMENT_ID,
    "traces": { help: "Keep a trace of each row in the store, with its scores" },
    "params": { value: "FILE|JSON", help: 'Parameters of every request, such as {"temperature": 0}' },
    "seed": { value: "NUMBER", help: "Seed from which each row gets its own" },
    "concurrency": { value: "COUNT", help: "Rows that are under way at once (default: 4)" },
    "row-timeout": { value: "MS", help: "Milliseconds that a row may take, 0 for no limit (default: 300000)" },
    "limit": { value: "COUNT", help: "Take no more than the first rows" },
    "resume": { value: "FILE", help: "Take down progress in this file, and go on from what stands in it" },
    "retry-failed": { help: "Do rows again that failed before it was resumed" },
    "output": { value: "DIR", help: "Folder for results.json, junit.xml and report.html" },
    "json-file": { value: "FILE", help: "Write what --json prints here" },
    "junit": { value: "FILE", help: "Write JUnit's XML here" },
    "html": { value: "FILE", help: "Write a report for the browser here" },
  },
  async run(input) {
    const settings = await readSettings(input);
    const failure = await interruptible((signal) =>
      withStores(input, async (stores) => {
        const journals = await openJournals(settings.resume);
        const work = new Work(input, settings, { stores, journals, signal });
        let evaluated: Evaluated;
        try {
          evaluated = await work.run();
        } catch (error) {
          if (work.isWorthKeeping) tell(work.howToGoOn(signal.aborted ? "Interrupted" : "Failed"));
          else await journals.remove();
          throw error;
        }
        if (input.json) printJson(toJson(evaluated));
        else print(await toText(evaluated));
        await journals.remove();
        return failureOf(evaluated);
      })
    );
    if (failure !== undefined) throw new CommandError(failure, 1);
    // A model may have left timers or connections, for which the process would wait.
    Deno.exit(0);
  },
};

/** One run of the command. */
class Work {
  readonly #input: CommandInput;
  readonly #settings: EvaluateSettings;
  readonly #stores: Stores;
  readonly #journals: Journals;
  readonly #signal: AbortSignal;
  readonly #progress: EvaluateProgress[] = [];

  constructor(
    input: CommandInput,
    settings: EvaluateSettings,
    { stores, journals, signal }: {
      readonly stores: Stores;
      readonly journals: Journals;
      readonly signal: AbortSignal;
    },
  ) {
    this.#input = input;
    this.#settings = settings;
    this.#stores = stores;
    this.#journals = journals;
    this.#signal = signal;
  }

  /** Whether a row is done that would have to be done again. */
  get isWorthKeeping(): boolean {
    return this.#progress.some(({ done }) => done > 0);
  }

  /** What to do after it came to no end. */
  howToGoOn(what: string): string {
    const { candidate, areTemporary } = this.#journals;
    const current = this.#progress.findLast(({ done }) => done > 0);
    const how = areTemporary ? "go on by the same line with" : "the same line goes on from";
    return `${what} after ${current?.done} of ${current?.total} rows: ${how} --resume ${candidate}`;
  }

  async run(): Promise<Evaluated> {
    const { gate, files } = this.#settings;
    const { scorers, areBuiltIn } = await this.#scorers();
    const hasBaseline = this.#settings.baseline !== undefined;
    // Only scorers of one's own may give scores of names that are not known before.
    if (areBuiltIn) checkMetrics(gate, { scores: scorers.map(({ name }) => name), hasBaseline });
    const { candidate: model, baseline: before, promoted } = await this.#models();
    const data = await this.#data();
    const experiment = await this.#experiment();
    const { candidate: journal, baseline: baselineJournal } = this.#journals;
    await using tracing = this.#input.has("traces") ? await this.#tracing(experiment) : undefined;
    const common = { scorers, data, experiment, tracing };
    // First, so that a model that must be loaded for its first answer has no advantage over the baseline.
    const candidate = await this.#evaluate(model, { ...common, journal, suffix: "" });
    const baseline = before === undefined || before instanceof EvaluationResult
      ? before
      : await this.#evaluate(before, { ...common, journal: baselineJournal, suffix: " (baseline)" });
    if (baseline !== undefined && baseline.config.dataset.digest !== candidate.config.dataset.digest) {
      tell("warning: the baseline was evaluated on other rows. A gate compares the values of all rows of each");
    }
    const comparison = baseline && compareEvaluations({ baseline, candidate });
    const result = gate.length === 0 ? undefined : inGate(() => checkGate(gate, { candidate, baseline, comparison }));
    const evaluated = { candidate, baseline, comparison, gate: result };
    await this.#tag(evaluated);
    await writeReports(files, evaluated);
    this.#signal.throwIfAborted();
    // The last thing that may fail, but for what tells of it.
    const promotion = promoted && await promoteVersion(this.#stores.registry, promoted, result?.holds === true);
    const whole: Evaluated = { ...evaluated, ...(promotion !== undefined && { promotion }) };
    if (files.json !== undefined) await Deno.writeTextFile(files.json, `${JSON.stringify(toJson(whole), null, 2)}\n`);
    return whole;
  }

  async #scorers() {
    const { scorers, scorerOptions: options, judgeModel } = this.#settings;
    const judge = judgeModel === undefined ? undefined : await findModel(judgeModel, this.#stores);
    return await makeScorers(scorers, { options, judgeModel: judge?.model });
  }

  /** The models by their versions, as they are now. */
  async #models(): Promise<{
    readonly candidate: NamedModel;
    readonly baseline: NamedModel | EvaluationResult | undefined;
    readonly promoted: Promoted | undefined;
  }> {
    const { model, baseline: before, promote: alias } = this.#settings;
    const candidate = await findModel(model, this.#stores);
    const baseline = before === undefined
      ? undefined
      : before.endsWith(".jsonl")
      ? await readEvaluation(before)
      : await findModel(before, this.#stores);
    if (alias === undefined || candidate.registered === undefined) return { candidate, baseline, promoted: undefined };
    const { name, version } = candidate.registered;
    // That which it is compared with, if it is the same alias: it may have been moved since that was looked up.
    const isCompared = baseline !== undefined && "alias" in baseline && baseline.alias === alias &&
      baseline.registered?.name === name;
    const from = isCompared
      ? baseline.registered?.version
      : await versionOfAlias(this.#stores.registry, { name, alias });
    return { candidate, baseline, promoted: { name, alias, version, from } };
  }

  /** The path, or the first rows if there is a limit: named as they are in all of them. */
  async #data(): Promise<EvaluationData> {
    const { data: path, limit } = this.#settings;
    if (limit === undefined) return path;
    const data = await openData(path, { purpose: "chat", signal: this.#signal });
    if (data.count <= limit) return path;
    const rows: EvaluationRow[] = [];
    for await (const { id, inputs, expectations, tags } of data.rows()) {
      rows.push({ id, inputs, expectations, tags });
      if (rows.length === limit) break;
    }
    return rows;
  }

  async #experiment(): Promise<string> {
    const chosen = experimentOf(this.#input);
    if (chosen !== undefined && this.#input.text("experiment-id") === undefined) return chosen;
    const { name } = await this.#stores.store.getExperiment(chosen ?? await activeExperimentId());
    return name;
  }

  async #tracing(experiment: string): Promise<Tracing> {
    // Its SDK is of no use to anyone else.
    const { enableTracing } = await import("../tracing/mod.ts");
    return await enableTracing({ store: getTrackingUri(), experiment, onWarning: tell });
  }

  async #evaluate(
    { model, title }: NamedModel,
    { scorers, data, experiment, tracing, journal, suffix }: {
      readonly scorers: readonly Scorer[];
      readonly data: EvaluationData;
      readonly experiment: string;
      readonly tracing: Tracing | undefined;
      readonly journal: string;
      readonly suffix: string;
    },
  ): Promise<EvaluationResult> {
    const { name, runName, concurrency, rowTimeout, seed, params, retryFailed } = this.#settings;
    const progress = new EvaluateProgress(title);
    this.#progress.push(progress);
    try {
      return await runEvaluation({
        model,
        data,
        scorers,
        concurrency,
        params,
        resume: journal,
        retryFailed,
        trackingStore: this.#stores.store,
        experiment,
        signal: this.#signal,
        onProgress: progress.show,
        ...(tracing !== undefined && { tracing }),
        ...(name !== undefined && { name: `${name}${suffix}` }),
        ...(runName !== undefined && { runName: `${runName}${suffix}` }),
        ...(rowTimeout !== undefined && { rowTimeout }),
        ...(seed !== undefined && { seed }),
      });
    } finally {
      progress.end();
    }
  }

  /** Has the run say what it was for. */
  async #tag({ candidate, baseline, gate }: Evaluated): Promise<void> {
    const tags = {
      ...(baseline?.runId !== undefined && { "chatmodel.baseline_run_id": baseline.runId }),
      ...(gate !== undefined && { "chatmodel.gate": gate.holds ? "passed" : "refused" }),
    };
    if (candidate.runId === undefined || Object.keys(tags).length === 0) return;
    await this.#stores.store.logBatch(candidate.runId, { tags });
  }
}
