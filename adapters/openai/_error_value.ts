import { isJsonObject } from "../../types/_schema.ts";

/** What a server says went wrong. */
export interface ErrorValue {
  /** The text; empty if there is none that can be told. */
  readonly message: string;
  /** OpenAI's code, where it is a text. */
  readonly code?: string;
  /** Class of error. */
  readonly type?: string;
  /** The request's field at fault. */
  readonly param?: string;
  /** HTTP status that stands in the error itself. */
  readonly status?: number;
}

/**
 * Finds what an error says, in any of the forms that servers use: OpenAI's `{ error: { message, type, param, code } }`,
 * `{ error: "text" }`, FastAPI's `{ detail }`, and the bare `{ object: "error", message }` of older vLLM.
 *
 * Only what is meant to be read is taken: FastAPI repeats beside it what was sent.
 *
 * @param value A body, parsed.
 * @returns What it says; `undefined` if it is no error.
 */
export function readErrorValue(value: unknown): ErrorValue | undefined {
  if (!isJsonObject(value)) return undefined;
  const { error } = value;
  if (error !== undefined && error !== null && error !== false && error !== "") {
    if (isJsonObject(error)) return readFields(error);
    // Some have their message beside it: `{ "error": "Not Found", "message": "…" }`.
    return { ...readFields(value), message: textOf(error) || textOf(value.message) };
  }
  if (value.object === "error") return readFields(value);
  if (value.choices !== undefined) return undefined;
  if (value.detail !== undefined && value.detail !== null) return { message: textOf(value.detail) };
  return undefined;
}

/** The same for an answer whose status says that it is an error: there a bare message counts as well. */
export function readErrorBodyValue(value: unknown): ErrorValue | undefined {
  const error = readErrorValue(value);
  if (error !== undefined || !isJsonObject(value)) return error;
  return typeof value.message === "string" ? readFields(value) : undefined;
}

function readFields(error: { readonly [key: string]: unknown }): ErrorValue {
  const { code, type, param, status } = error;
  const number = [code, status].map(toStatus).find((status) => status !== undefined);
  return {
    message: textOf(error.message) || textOf(error.detail),
    ...(typeof code === "string" && toStatus(code) === undefined && { code }),
    ...(typeof type === "string" && { type }),
    ...(typeof param === "string" && { param }),
    ...(number !== undefined && { status: number }),
  };
}

function toStatus(value: unknown): number | undefined {
  const status = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === "number" && status >= 400 && status < 600 ? status : undefined;
}

/** A text, or those of a list of FastAPI's: what is wrong and where, not what was sent. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value.trim();
  if (Array.isArray(value)) return value.map(textOf).filter((text) => text !== "").join("; ");
  if (!isJsonObject(value)) return "";
  const { loc, msg, message } = value;
  const text = textOf(msg ?? message);
  return Array.isArray(loc) && text !== "" ? `${loc.filter(isName).join(".")}: ${text}` : text;
}

function isName(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number";
}
