/** The place in a list that a query asks for. */
import { ChatModelError, ValidationError, type ValidationIssue } from "../types/mod.ts";

/** A page's place in a list. */
export interface PageQuery {
  /** Id after which it begins; `undefined` for the first. */
  readonly after: string | undefined;
  /** Most items of it. */
  readonly limit: number;
  readonly order: "asc" | "desc";
}

/**
 * Reads the place of a page: by default the first 20, in ascending order.
 *
 * @throws {ValidationError} If a value is none that it can be.
 */
export function readPageQuery(query: URLSearchParams): PageQuery {
  const limit = query.get("limit") ?? "20";
  const order = query.get("order") ?? "asc";
  const issues = findRepeated(query, ["after", "limit", "order"]);
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 100) {
    issues.push({ path: "limit", message: `Expected an integer from 1 to 100, found ${quote(limit)}` });
  }
  if (order !== "asc" && order !== "desc") {
    issues.push({ path: "order", message: `Expected "asc" or "desc", found ${quote(order)}` });
  }
  if (issues.length > 0) throw new ValidationError("Cannot parse query", issues);
  return { after: query.get("after") ?? undefined, limit: Number(limit), order: order === "desc" ? "desc" : "asc" };
}

/** Of a name that comes more than once, all values but one would be lost. */
export function findRepeated(query: URLSearchParams, names: readonly string[]): ValidationIssue[] {
  return names.filter((name) => query.getAll(name).length > 1)
    .map((path) => ({ path, message: "Expected one value, found several" }));
}

/** A page as it is sent. */
export function pageBody(data: readonly { readonly id?: unknown }[], hasMore: boolean): string {
  // As OpenAI's schema has it, the ids are no nulls.
  const first_id = data[0]?.id ?? "";
  const last_id = data.at(-1)?.id ?? "";
  return JSON.stringify({ object: "list", data, first_id, last_id, has_more: hasMore });
}

/** The id after which a page is to begin is none of the list. */
export function unknownCursor(after: string): ChatModelError {
  return new ChatModelError(
    `Cannot list what comes after ${quote(after)}: it is not in the list, or no more. Begin without "after"`,
    { code: "invalid_value", param: "after" },
  );
}

/** Quotes what stood in a URL, unless it is long. */
function quote(text: string): string {
  return text.length <= 80 ? JSON.stringify(text) : `a string of ${text.length} characters`;
}
