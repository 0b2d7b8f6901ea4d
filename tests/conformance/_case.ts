/** Vectors as cases: run against our functions, and compared with what MLflow did. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ChatModelError, ValidationError } from "../../mod.ts";
import { contains, marked, withoutForced, withoutNulls } from "./_meaning.ts";
import { type Reason, REASONS } from "./_reasons.ts";
import { REFUSALS } from "./_refusals.ts";
import { fieldAtFault, type Vector, VECTORS } from "./_vectors.ts";

/** What comes of a call: a value, or an error that blames a field (or says something). */
export type Outcome = { readonly accepted: unknown } | { readonly refused: string | RegExp };

/** A vector on which we differ on purpose: both outcomes, so that a change of either is seen. */
export interface Difference {
  readonly reason: Reason;
  readonly mlflow: Outcome;
  readonly ours: Outcome;
}

/** Differences by the vectors' names. */
export type Differences = { readonly [name: string]: Difference };

/** Vectors of one kind. */
export interface Group {
  /** Names the kind in the table. */
  readonly title: string;
  /** What of ours is run, for the table. */
  readonly runs: string;
  /** Whether a vector is of this kind. */
  readonly holds: (vector: Vector) => boolean;
  /** Does with a vector's input what MLflow did. */
  readonly run: (vector: Vector) => unknown;
  /** What counts of a value, MLflow's or ours. Default: all but what MLflow sets by itself. */
  readonly read?: (value: unknown, vector: Vector) => unknown;
  /** Where we differ, by the vectors' names. All others are the same. */
  readonly different: Differences;
}

/**
 * `same`: the same outcome; `more`: MLflow's value, and with it what MLflow drops; `different`: on purpose; `language`:
 * different because JavaScript cannot pose the question; `open`: different, not decided yet.
 */
export type Verdict = "same" | "more" | "different" | "language" | "open";

/** A vector with its verdict. */
export interface Case {
  readonly vector: Vector;
  readonly group: Group;
  /** `undefined`: the same. */
  readonly difference: Difference | undefined;
  readonly verdict: Verdict;
}

/** The cases of a group. */
export function casesOf(group: Group): Case[] {
  return VECTORS.filter(group.holds).map((vector) => {
    const difference = Object.hasOwn(group.different, vector.name) ? group.different[vector.name] : undefined;
    return { vector, group, difference, verdict: verdictOf(difference) };
  });
}

function verdictOf(difference: Difference | undefined): Verdict {
  if (difference === undefined) return "same";
  const { mlflow, ours, reason } = difference;
  if ("accepted" in mlflow && "accepted" in ours && contains(ours.accepted, mlflow.accepted)) return "more";
  const { kind } = REASONS[reason];
  return kind === "purpose" ? "different" : kind;
}

const TITLES: Readonly<Record<Verdict, string>> = {
  same: "does as MLflow",
  more: "keeps more than MLflow",
  different: "differs from MLflow on purpose",
  language: "takes what only Python tells apart",
  open: "still differs from MLflow",
};

/** Makes each case a test. */
export function testCases(group: Group): void {
  for (const { vector, difference, verdict } of casesOf(group)) {
    Deno.test(`${group.title} ${TITLES[verdict]} in "${vector.name}"`, async () => {
      if (difference === undefined) {
        assertOutcome(await attempt(group, vector), expected(group, vector));
      } else {
        assertOutcome(recorded(group, vector), difference.mlflow);
        assertOutcome(await attempt(group, vector), difference.ours);
      }
    });
  }
}

type Attempt = { readonly value: unknown } | { readonly error: unknown };

async function attempt(group: Group, vector: Vector): Promise<Attempt> {
  try {
    return { value: read(group, await group.run(vector), vector) };
  } catch (error) {
    // Either ours, or what the model threw, untouched: any other is a fault of this test, unless it is written down.
    const ours = group.different[vector.name]?.ours;
    const known = ours !== undefined && "refused" in ours && typeof ours.refused !== "string";
    if (!known && !ChatModelError.isInstance(error)) {
      assertEquals(String(error), `${vector.error_type}: ${vector.error_message}`);
    }
    return { error };
  }
}

/** An error of MLflow. */
class Recorded extends Error {
  readonly field: string | undefined;

  constructor(vector: Vector) {
    super(vector.error_message);
    this.field = fieldAtFault(vector);
  }
}

/** What came of the vector in MLflow. */
function recorded(group: Group, vector: Vector): Attempt {
  return vector.ok ? { value: read(group, vector.output, vector) } : { error: new Recorded(vector) };
}

/** What must come of it here, where we do as MLflow. */
function expected(group: Group, vector: Vector): Outcome {
  if (vector.ok) return { accepted: read(group, vector.output, vector) };
  const refused = fieldAtFault(vector) ?? (Object.hasOwn(REFUSALS, vector.name) ? REFUSALS[vector.name] : undefined);
  assert(refused !== undefined, `Nothing says what is wrong in "${vector.name}": add it to REFUSALS`);
  return { refused };
}

function read(group: Group, value: unknown, vector: Vector): unknown {
  return withoutNulls(group.read === undefined ? withoutForced(value, vector.input) : group.read(value, vector));
}

function assertOutcome(actual: Attempt, expected: Outcome): void {
  if ("accepted" in expected) {
    if ("error" in actual) throw actual.error;
    assertEquals(marked(actual.value, expected.accepted), expected.accepted);
    return;
  }
  assert("error" in actual, `Expected an error, but got ${JSON.stringify("value" in actual && actual.value)}`);
  const { error } = actual;
  assert(error instanceof Error);
  if (typeof expected.refused !== "string") return assertMatch(error.message, expected.refused);
  const fields = fieldsOf(error);
  assert(fields.includes(expected.refused), `Expected an error on ${expected.refused}, but got: ${error.message}`);
}

/** The fields that an error blames, from the outside to the inside. */
function fieldsOf(error: Error): string[] {
  if (error instanceof Recorded) return error.field === undefined ? [] : [error.field];
  if (error instanceof ValidationError) return error.issues.flatMap(({ path }) => path.split("."));
  return /: (\S+) must be/.exec(error.message)?.[1]?.split(".") ?? [];
}
