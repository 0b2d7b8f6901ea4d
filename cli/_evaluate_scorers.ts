import { resolve, toFileUrl } from "@std/path";
import * as v from "valibot";
import { CommandError } from "../_command_error.ts";
import { suggestion } from "../_near_names.ts";
import { type JudgeModel, PREDEFINED_JUDGES, predefinedJudge } from "../evaluation/judges/mod.ts";
import {
  answerLength,
  contains,
  cost,
  exactMatch,
  jsonEquality,
  jsonSchema,
  latency,
  numericTolerance,
  refusal,
  regexMatch,
  rougeL,
  type Scorer,
  type ScorerSource,
  timeToFirstToken,
  tokenCount,
  tokenF1,
  toolCallMatch,
} from "../evaluation/mod.ts";
import { normaliseScorers } from "../evaluation/scorers/normalise_scorers.ts";
import { reasonOf } from "../models/reason_of.ts";
import { ChatModelError } from "../types/mod.ts";

/** Makes a scorer of options that come from outside. */
type Maker = (options: unknown, judgeModel: JudgeModel | undefined) => Scorer;

const boolean = v.exactOptional(v.boolean());
const number = v.exactOptional(v.number());
const text = v.exactOptional(v.string());
const texts = v.exactOptional(v.array(v.string()));
const measure = v.strictObject({ maximum: number });
const comparison = v.strictObject({ ignoreCase: boolean });
const similarity = v.strictObject({ minimum: number });
const price = v.strictObject({ input: v.number(), output: v.number(), cachedInput: number });
const judging = {
  retries: number,
  temperature: v.exactOptional(v.nullable(v.number())),
  params: v.exactOptional(v.record(v.string(), v.unknown())),
};

/** The scorers that a line can name: by the names of their scores. */
const MAKERS: ReadonlyMap<string, Maker> = new Map([
  ["exact_match", maker(comparison, exactMatch)],
  ["contains", maker(v.strictObject({ ignoreCase: boolean, texts }), contains)],
  ["regex_match", maker(v.strictObject({ pattern: text }), regexMatch)],
  [
    "json_schema",
    maker(
      v.strictObject({ schema: v.exactOptional(v.record(v.string(), v.unknown())), allowFence: boolean }),
      jsonSchema,
    ),
  ],
  ["json_equality", maker(v.strictObject({ allowFence: boolean }), jsonEquality)],
  [
    "numeric_tolerance",
    maker(
      v.strictObject({ absolute: number, relative: number, take: v.exactOptional(v.picklist(["first", "last"])) }),
      numericTolerance,
    ),
  ],
  ["rougeL", maker(similarity, rougeL)],
  ["token_f1", maker(similarity, tokenF1)],
  [
    "tool_call_match",
    maker(
      v.strictObject({
        arguments: v.exactOptional(v.picklist(["equal", "subset", "ignore"])),
        order: boolean,
        allowExtra: boolean,
      }),
      toolCallMatch,
    ),
  ],
  ["refusal", maker(v.strictObject({ phrases: texts }), refusal)],
  [
    "length",
    maker(
      v.strictObject({
        unit: v.exactOptional(v.picklist(["characters", "words"])),
        minimum: number,
        maximum: number,
      }),
      answerLength,
    ),
  ],
  ["latency", maker(measure, latency)],
  ["time_to_first_token", maker(measure, timeToFirstToken)],
  ["token_count", maker(measure, tokenCount)],
  ["cost", maker(v.strictObject({ prices: v.record(v.string(), price), maximum: number }), cost)],
  ...PREDEFINED_JUDGES.map((name): [string, Maker] => [
    name,
    (options, model) => {
      if (model === undefined) throw new CommandError(`The scorer "${name}" is a judge: give --judge-model MODEL`, 2);
      const settings = read(v.strictObject({ ...judging, guidelines: v.exactOptional(v.array(v.string())) }), options);
      return predefinedJudge(name, { model, ...settings });
    },
  ]),
]);

/** Names of the scorers that need a model to judge. */
const JUDGES: readonly string[] = PREDEFINED_JUDGES;

/** Whether one of the scorers of a line is a judge. */
export function needsJudge(names: readonly string[]): boolean {
  return names.some((name) => JUDGES.includes(name));
}

/** Names of all scorers, for help. */
export function scorerNames(): readonly string[] {
  return [...MAKERS.keys()];
}

/** Scorers, and whether the names of all their scores are known before they run. */
export interface NamedScorers {
  readonly scorers: readonly Scorer[];
  readonly areBuiltIn: boolean;
}

/**
 * Makes the scorers that a line names.
 *
 * @param names Names of scorers, and paths of modules whose default exports are scorers or lists of them.
 * @param settings Options by the scorers' names, and the model that judges.
 * @throws {CommandError} With exit code 2 if there is no such scorer, or its options are wrong.
 */
export async function makeScorers(
  names: readonly string[],
  { options, judgeModel }: {
    readonly options: { readonly [name: string]: unknown };
    readonly judgeModel: JudgeModel | undefined;
  },
): Promise<NamedScorers> {
  for (const name of Object.keys(options)) {
    if (names.includes(name) && MAKERS.has(name)) continue;
    throw new CommandError(`--scorer-options: "${name}" is none of the scorers that --scorers names`, 2);
  }
  const scorers: Scorer[] = [];
  let areBuiltIn = true;
  for (const name of names) {
    if (isModule(name)) {
      areBuiltIn = false;
      scorers.push(...await importScorers(name));
    } else scorers.push(guard(`scorer "${name}"`, () => makerOf(name)(options[name] ?? {}, judgeModel)));
  }
  return { scorers: guard("--scorers", () => normaliseScorers(scorers)), areBuiltIn };
}

function maker<const Schema extends v.GenericSchema>(
  schema: Schema,
  make: (options: v.InferOutput<Schema>) => Scorer,
): Maker {
  return (options) => make(read(schema, options));
}

function read<const Schema extends v.GenericSchema>(schema: Schema, options: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, options);
  if (result.success) return result.output;
  const issues = result.issues.map((issue) => `"${v.getDotPath(issue) ?? "options"}": ${issue.message}`);
  throw new CommandError(`--scorer-options: ${issues.join("; ")}`, 2);
}

function makerOf(name: string): Maker {
  const found = MAKERS.get(name);
  if (found !== undefined) return found;
  throw new CommandError(
    `--scorers: there is no scorer "${name}": ${suggestion(name, [...MAKERS.keys()])}. ` +
      "One of your own is named by its file, as in ./my_scorers.ts",
    2,
  );
}

function isModule(name: string): boolean {
  return /\.[mc]?[jt]s$/i.test(name);
}

async function importScorers(path: string): Promise<readonly Scorer[]> {
  let module: { readonly default?: unknown };
  try {
    module = await import(toFileUrl(resolve(path)).href);
  } catch (cause) {
    throw new CommandError(`Cannot import scorers from "${path}": ${reasonOf(cause)}`, 1, { cause });
  }
  const { default: given } = module;
  if (given === undefined) {
    throw new CommandError(
      `Cannot take scorers from "${path}": it has no default export. Export a scorer, or a list`,
      1,
    );
  }
  const sources: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (!sources.every(isSource)) {
    throw new CommandError(
      `Cannot take scorers from "${path}": its default export must be a function, an object with "name" and "score", or ` +
        "a list of these",
      1,
    );
  }
  return guard(`scorers of "${path}"`, () => normaliseScorers(sources));
}

/** What it has is looked at where scorers are taken from anyone. */
function isSource(value: unknown): value is ScorerSource {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}

/** What is wrong with options is wrong usage. */
function guard<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!ChatModelError.isInstance(error)) throw error;
    throw new CommandError(`Cannot make ${what}: ${error.message}`, 2, { cause: error });
  }
}
