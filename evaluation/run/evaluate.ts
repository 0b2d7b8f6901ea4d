import { rowSeed } from "../_random.ts";
import { type OpenData, openData, type PreparedRow } from "../data/mod.ts";
import { type EvaluationResult, toResult } from "../results/evaluation_result.ts";
import { RunLog } from "../results/run_log.ts";
import { normaliseScorers } from "../scorers/normalise_scorers.ts";
import type { Scorer } from "../scorers/scorer.ts";
import type { EvaluationConfig } from "./config.ts";
import { Journal } from "./journal.ts";
import { checkChatParams, type CheckedOptions, checkOptions, type EvaluateOptions, isLogged } from "./options.ts";
import { MemorySink, type RowSink } from "./row_sink.ts";
import { type RowOptions, runRow } from "./run_row.ts";
import { loadSubject, purposeOf, type Subject } from "./subject.ts";

/** Milliseconds that traces may take to come to the store at the end. */
const FLUSH_TIMEOUT = 60_000;

/**
 * Evaluates a model: puts each row of the data to it, has the answers scored, and puts the scores together.
 *
 * The data is read through before the model is asked, so what is wrong in it is told at once. A row on which the model
 * or a scorer fails is kept with its error, and the others go on.
 *
 * @example Usage
 * ```ts
 * import { ChatModel, type ChatMessage, type ModelContext } from "@chatmodel/chat-model";
 * import { evaluate, exactMatch } from "@chatmodel/chat-model/evaluation";
 * import { assertEquals } from "@std/assert";
 *
 * class Parrot extends ChatModel {
 *   override predict(_context: ModelContext, messages: readonly ChatMessage[]) {
 *     return String(messages.at(-1)?.content);
 *   }
 * }
 *
 * const result = await evaluate({
 *   model: Parrot,
 *   data: [
 *     { inputs: { question: "Hello" }, expectations: { expected_response: "Hello" } },
 *     { inputs: { question: "Bye" }, expectations: { expected_response: "Good bye" } },
 *   ],
 *   scorers: [exactMatch(), function words({ text }) {
 *     return text.split(" ").length;
 *   }],
 * });
 * assertEquals(result.metrics["exact_match/mean"], 0.5);
 * assertEquals(result.metrics["words/mean"], 1);
 * ```
 *
 * @param options What is evaluated, on which data, by which scorers.
 * @returns What it came to.
 * @throws {ValidationError} If an option or a row is wrong; all that is wrong is in it.
 * @throws {ChatModelError} With code `invalid_option` if the file to resume from is not of this evaluation. What loading
 * the model or the tracking store throws is handed on; so is the signal's reason.
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResult> {
  const checked = checkOptions(options);
  const { model, signal: outer } = options;
  const scorers = normaliseScorers(options.scorers);
  const purpose = purposeOf(model);
  if (purpose === "chat") checkChatParams(checked.params);
  outer?.throwIfAborted();
  // Fires also when the evaluation fails, so that nothing goes on behind it.
  const controller = new AbortController();
  const stop = () => controller.abort(outer?.reason);
  outer?.addEventListener("abort", stop, { once: true });
  try {
    const { signal } = controller;
    const data = await openData(options.data, { purpose, signal });
    const subject = await loadSubject(model, signal);
    const config = configOf(options, { checked, scorers, data, subject });
    const work: Work = { options, checked, scorers, data, subject, config, controller };
    if (options.resume === undefined) return await logged(work, new MemorySink());
    await using journal = await Journal.open(options.resume, config, { retryFailed: options.retryFailed ?? false });
    return await logged(work, journal);
  } finally {
    outer?.removeEventListener("abort", stop);
  }
}

interface Work {
  readonly options: EvaluateOptions;
  readonly checked: CheckedOptions;
  readonly scorers: readonly Scorer[];
  readonly data: OpenData;
  readonly subject: Subject;
  readonly config: EvaluationConfig;
  readonly controller: AbortController;
}

async function logged(work: Work, sink: MemorySink | Journal): Promise<EvaluationResult> {
  const { options: { trackingStore, experiment, runName, tracing, signal }, config, data } = work;
  if (!isLogged(work.options)) {
    const resumed = await runRows(work, sink, {});
    return await toResult(sink, { config, resumed, runId: undefined });
  }
  const before = sink instanceof Journal ? sink.run : undefined;
  const { path, example } = data;
  const log = await RunLog.begin({ trackingStore, experiment, runName, config, path, example, before });
  const { runId, storeUri: store } = log;
  try {
    if (sink instanceof Journal && before?.runId !== runId) await sink.noteRun({ store, runId });
    const resumed = await runRows(work, sink, log.spanAttributes);
    const result = await toResult(sink, { config, resumed, runId });
    if (tracing !== undefined) {
      await tracing.flush(FLUSH_TIMEOUT);
      await log.assess(result, work.controller.signal);
    }
    await log.finish(result);
    return result;
  } catch (error) {
    await log.fail(signal?.aborted === true ? "KILLED" : "FAILED");
    throw error;
  }
}

/** Runs all rows that are not done; tells how many were. */
async function runRows(
  work: Work,
  sink: RowSink,
  spanAttributes: { readonly [name: string]: string },
): Promise<number> {
  const { checked, scorers, data, subject, controller, options: { onProgress, user } } = work;
  const { concurrency, seed } = checked;
  const total = data.count;
  let done = data.ids.filter((_, index) => sink.has(index)).length;
  let failed = 0;
  const resumed = done;
  onProgress?.({ type: "evaluation-start", total, done, failed });
  const rowOptions: RowOptions = {
    ...checked,
    subject,
    scorers,
    user,
    spanAttributes,
    seedOf: (index) => seed === undefined ? undefined : rowSeed(seed, index),
    signal: controller.signal,
  };
  const rows = waitingRows(data, sink);
  const worker = async () => {
    for (;;) {
      controller.signal.throwIfAborted();
      const next = await rows.next();
      if (next.done === true) return;
      const row = await runRow(next.value, rowOptions);
      await sink.add(row);
      done++;
      if (row.state === "ERROR") failed++;
      onProgress?.({ type: "row-end", total, done, failed, row });
    }
  };
  // The first failure ends the others, and all have ended before it is told.
  const workers = Array.from({ length: Math.min(concurrency, total - done) }, async () => {
    try {
      await worker();
    } catch (error) {
      controller.abort(error);
    }
  });
  await Promise.all(workers);
  await rows.return(undefined);
  controller.signal.throwIfAborted();
  onProgress?.({ type: "evaluation-end", total, done, failed });
  return resumed;
}

async function* waitingRows(data: OpenData, sink: RowSink): AsyncGenerator<PreparedRow, void, void> {
  for await (const row of data.rows()) if (!sink.has(row.index)) yield row;
}

function configOf(
  { name, modelId, user }: EvaluateOptions,
  { checked, scorers, data, subject }: {
    readonly checked: CheckedOptions;
    readonly scorers: readonly Scorer[];
    readonly data: OpenData;
    readonly subject: Subject;
  },
): EvaluationConfig {
  const { params, seed, maxTurns } = checked;
  const knownId = modelId ?? subject.modelId;
  return {
    model: {
      name: name ?? subject.name,
      ...(subject.uri !== undefined && { uri: subject.uri }),
      ...(knownId !== undefined && { modelId: knownId }),
    },
    dataset: { name: data.name, digest: data.digest, count: data.count },
    scorers: scorers.map(({ name, better = "higher", whenFailed, config, source }) => ({
      name,
      better,
      ...(whenFailed !== undefined && { whenFailed }),
      ...(config !== undefined && { config }),
      ...(source !== undefined && { source }),
    })),
    params,
    ...(seed !== undefined && { seed }),
    ...(user !== undefined && { maxTurns }),
  };
}
