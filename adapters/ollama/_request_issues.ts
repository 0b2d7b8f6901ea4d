import { ValidationError, type ValidationIssue } from "../../types/mod.ts";

/** Whether a value is an object that is not an array. */
export function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Gathers all that is wrong with a request, so that its sender learns of everything at once. */
export class RequestIssues {
  readonly #issues: ValidationIssue[] = [];
  #code = "invalid_value";

  /**
   * Notes an issue.
   *
   * @param issue Where and what.
   * @param code The error's code, if this is its first issue. @default {"invalid_value"}
   */
  add(issue: ValidationIssue, code = "invalid_value"): void {
    if (this.#issues.length === 0) this.#code = code;
    this.#issues.push(issue);
  }

  /** Notes a field or value that is valid in OpenAI's API but that Ollama cannot honour. */
  addUnsupported(path: string, message: string): void {
    this.add({ path, message }, "unsupported_value");
  }

  /**
   * Ends the gathering.
   *
   * @param action What cannot be done.
   * @throws {ValidationError} If there were issues.
   */
  throwIfAny(action = "Cannot hand the request to Ollama"): void {
    if (this.#issues.length > 0) throw new ValidationError(action, this.#issues, { code: this.#code });
  }
}
