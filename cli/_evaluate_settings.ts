import { dirname, join } from "@std/path";
import { CommandError } from "../_command_error.ts";
import { type GateCondition, gateMetrics, parseGate, resolveMetric } from "../evaluation/gate/mod.ts";
import { checkAlias } from "../registry/names.ts";
import { parseModelUri } from "../registry/mod.ts";
import { TrackingError } from "../tracking/mod.ts";
import { ChatModelError } from "../types/mod.ts";
import type { CommandInput } from "./command.ts";
import { needsJudge } from "./_evaluate_scorers.ts";
import { countOf, jsonOf } from "./_flags.ts";

/** Most rows at once, as `evaluate` has it. */
const MOST_AT_ONCE = 10_000;

/** What a line says of an evaluation. */
export interface EvaluateSettings {
  readonly model: string;
  readonly data: string;
  readonly baseline: string | undefined;
  readonly scorers: readonly string[];
  readonly scorerOptions: { readonly [name: string]: unknown };
  readonly judgeModel: string | undefined;
  readonly gate: readonly GateCondition[];
  /** The alias that is to be moved. */
  readonly promote: string | undefined;
  readonly name: string | undefined;
  readonly runName: string | undefined;
  readonly concurrency: number;
  readonly rowTimeout: number | undefined;
  readonly seed: number | undefined;
  readonly params: { readonly [name: string]: unknown };
  readonly limit: number | undefined;
  readonly resume: string | undefined;
  readonly retryFailed: boolean;
  readonly files: ReportFiles;
}

/** Paths of the files that are to be written. */
export interface ReportFiles {
  readonly json?: string;
  readonly junit?: string;
  readonly html?: string;
}

/**
 * Reads the flags, and refuses what cannot be before anything runs.
 *
 * @throws {CommandError} With exit code 2 if a flag is wrong.
 */
export async function readSettings(input: CommandInput): Promise<EvaluateSettings> {
  const baseline = input.text("baseline");
  const scorers = namesOf(input);
  const promote = input.text("promote");
  const gate = input.texts("gate").flatMap(readGate);
  const judgeModel = input.text("judge-model");
  if (judgeModel !== undefined && !needsJudge(scorers)) {
    throw new CommandError("--judge-model is of no use: --scorers names no judge", 2);
  }
  const needing = gate.find(({ limit }) => limit.kind === "baseline");
  if (needing !== undefined && baseline === undefined) {
    throw new CommandError(`--gate: "${needing.text}" compares with a baseline: give --baseline MODEL`, 2);
  }
  if (promote !== undefined) checkPromotion({ model: input.text("model") ?? "", promote, gate });
  const resume = input.text("resume");
  const retryFailed = input.has("retry-failed");
  if (retryFailed && resume === undefined) throw new CommandError("--retry-failed needs --resume FILE", 2);
  const limit = input.text("limit");
  const settings = {
    model: input.text("model") ?? "",
    data: input.text("data") ?? "",
    baseline,
    scorers,
    scorerOptions: await objectOf(input, "scorer-options"),
    judgeModel,
    gate,
    promote,
    name: input.text("name"),
    runName: input.text("run-name"),
    concurrency: countOf("concurrency", input.text("concurrency"), { fallback: 4, most: MOST_AT_ONCE }),
    rowTimeout: wholeOf("row-timeout", input.text("row-timeout")),
    seed: wholeOf("seed", input.text("seed")),
    params: await objectOf(input, "params"),
    limit: limit === undefined ? undefined : countOf("limit", limit, { fallback: 1, most: 999_999_999 }),
    resume,
    retryFailed,
  };
  // Last, as it makes a folder.
  return { ...settings, files: await readFiles(input) };
}

/**
 * Refuses conditions on metrics that there will not be.
 *
 * @throws {CommandError} With exit code 2, naming those that there are.
 */
export function checkMetrics(
  gate: readonly GateCondition[],
  { scores, hasBaseline }: { readonly scores: readonly string[]; readonly hasBaseline: boolean },
): void {
  const known = gateMetrics(scores, { hasBaseline });
  for (const condition of gate) inGate(() => resolveMetric(condition, known));
}

/** What is wrong with a gate is wrong usage. */
export function inGate<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!ChatModelError.isInstance(error)) throw error;
    throw new CommandError(`--gate: ${error.message}`, 2, { cause: error });
  }
}

function readGate(text: string): readonly GateCondition[] {
  return inGate(() => parseGate(text));
}

function checkPromotion(
  { model, promote, gate }: {
    readonly model: string;
    readonly promote: string;
    readonly gate: readonly GateCondition[];
  },
): void {
  if (gate.length === 0) {
    throw new CommandError(
      '--promote needs --gate CONDITIONS: without any, every version would do. Write for example --gate "rows_failed==0"',
      2,
    );
  }
  try {
    checkAlias("promote model", promote);
  } catch (error) {
    if (!(error instanceof TrackingError)) throw error;
    throw new CommandError(error.message, 2, { cause: error });
  }
  const { kind } = parseModelUri(model);
  if (kind === "logged" || kind === "run" || kind === "artifacts") {
    throw new CommandError(
      `--promote needs a registered version, such as models:/NAME/3, as --model, but it is "${model}". ` +
        "'cli.ts register MODEL_URI NAME' registers one",
      2,
    );
  }
}

function namesOf(input: CommandInput): readonly string[] {
  const names = input.texts("scorers").flatMap((text) => text.split(",")).map((name) => name.trim());
  if (names.includes("")) throw new CommandError("--scorers has an empty name between its commas", 2);
  const twice = names.find((name, place) => names.indexOf(name) < place);
  if (twice !== undefined) throw new CommandError(`--scorers names "${twice}" twice`, 2);
  return names;
}

async function readFiles(input: CommandInput): Promise<ReportFiles> {
  const output = input.text("output");
  if (output !== undefined) {
    try {
      await Deno.mkdir(output, { recursive: true });
    } catch (cause) {
      throw new CommandError(`--output: cannot make the folder "${output}": ${String(cause)}`, 2, { cause });
    }
  }
  const given = { json: input.text("json-file"), junit: input.text("junit"), html: input.text("html") };
  for (const [flag, path] of Object.entries(given)) {
    if (path !== undefined) await checkPlace(flag === "json" ? "json-file" : flag, path);
  }
  const inOutput = (name: string) => output === undefined ? undefined : join(output, name);
  const json = given.json ?? inOutput("results.json");
  const junit = given.junit ?? inOutput("junit.xml");
  const html = given.html ?? inOutput("report.html");
  return {
    ...(json !== undefined && { json }),
    ...(junit !== undefined && { junit }),
    ...(html !== undefined && { html }),
  };
}

/** A long evaluation must not end at a folder that there is not. */
async function checkPlace(flag: string, path: string): Promise<void> {
  const folder = dirname(path);
  try {
    if ((await Deno.stat(folder)).isDirectory) return;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  throw new CommandError(`--${flag}: there is no folder "${folder}" to write "${path}" to`, 2);
}

async function objectOf(input: CommandInput, flag: string): Promise<{ readonly [name: string]: unknown }> {
  const text = input.text(flag);
  if (text === undefined) return {};
  const value = await jsonOf(flag, text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new CommandError(`--${flag} must be a JSON object`, 2);
}

function wholeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new CommandError(`--${flag} must be a whole number of at least 0, but is "${text}"`, 2);
}
