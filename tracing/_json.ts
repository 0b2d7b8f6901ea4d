/** A value as JSON; what JSON cannot hold is told in its place, as no trace may break a call. */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch {
    return JSON.stringify(`[no JSON: ${typeof value}]`);
  }
}
