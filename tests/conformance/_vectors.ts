/** One input to MLflow 3.17.2 and what came of it, as recorded. */
export interface Vector {
  readonly name: string;
  /** The call; `input` stands for the value. */
  readonly call: string;
  readonly input: unknown;
  /** Whether MLflow accepted it. */
  readonly ok: boolean;
  /** What MLflow gave, where it accepted. */
  readonly output?: unknown;
  readonly error_type?: string;
  readonly error_message?: string;
  readonly error_code?: string;
  readonly log_warnings?: readonly string[];
}

/** All vectors in the order of the recording. */
export const VECTORS: readonly Vector[] = readVectors();

function readVectors(): Vector[] {
  const url = new URL("../testdata/mlflow/vectors.json", import.meta.url);
  const vectors: unknown = JSON.parse(Deno.readTextFileSync(url), revive);
  if (!Array.isArray(vectors) || !vectors.every(isVector)) throw new TypeError("Cannot read vectors: odd record");
  return vectors;
}

function revive(_key: string, value: unknown): unknown {
  return isRecord(value) && value.$float === "nan" ? NaN : value;
}

function isVector(value: unknown): value is Vector {
  return isRecord(value) && typeof value.name === "string" && typeof value.call === "string" &&
    typeof value.ok === "boolean" && "input" in value;
}

/** Whether a value is an object and no array. */
export function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Which field MLflow's error names; `undefined`: none, or (deep inside arrays) a misleading one. */
export function fieldAtFault(vector: Vector): string | undefined {
  // Of what is no object MLflow misses the column "messages"; there is no field to blame.
  if (!isRecord(vector.input) && vector.call === "loaded.predict(input)") return undefined;
  const message = vector.error_message ?? "";
  const error = message.includes(" with schema ") ? message.slice(message.lastIndexOf("Error: ")) : message;
  for (
    const pattern of [
      /positional arguments?: '(\w+)'/,
      /unexpected keyword argument '(\w+)'/,
      /missing inputs \['(\w+)'\]/,
      /for column (\w+)\./,
      /^(?:Both |All items in |Items in |Expected )?`(\w+)`/,
    ]
  ) {
    const field = pattern.exec(error)?.[1];
    if (field !== undefined) return field;
  }
  return undefined;
}
