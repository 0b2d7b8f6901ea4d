import { type ChatParams, parseChatParams, ValidationError, type ValidationIssue } from "../../types/mod.ts";
import type { OpenAIClient, OpenAIClientOptions } from "./client.ts";

/** Options for `OpenAIChatModel`: which model, and how to reach the server that has it. */
export interface OpenAIChatModelOptions
  extends Pick<OpenAIClientOptions, "baseUrl" | "apiKey" | "headers" | "upstreams"> {
  /** Name of the model, as the server knows it. */
  readonly model: string;
  /** Speaks to the server, in place of `baseUrl`, `apiKey`, `headers` and `upstreams`. Default: a client made of these. */
  readonly client?: OpenAIClient;
  /**
   * Which of OpenAI's APIs to speak: `chat` (`/chat/completions`), which all servers have, or `responses`
   * (`/responses`). With that one `store: false` is always sent, and what it has no place for is refused: several
   * answers, spoken ones, `prediction`, `web_search_options`, and names of speakers.
   *
   * @default {"chat"}
   */
  readonly api?: "chat" | "responses";
  /**
   * Parameters for what a request does not set, all but `stream`; also fields that this package does not know, in `extra`.
   *
   * @default {{}}
   */
  readonly defaults?: ChatParams;
  /**
   * Whether streams ask the server for their usage (`stream_options.include_usage`). Some servers refuse the field.
   *
   * @default {true}
   */
  readonly streamUsage?: boolean;
}

/**
 * Checks the options of an `OpenAIChatModel`.
 *
 * @param options The options.
 * @returns The defaults.
 * @throws {ValidationError} If something is wrong with them.
 */
export function checkOptions(options: OpenAIChatModelOptions): ChatParams {
  const issues: ValidationIssue[] = [];
  if (typeof options.model !== "string" || options.model.trim() === "") {
    issues.push({ path: "model", message: "must be the name of a model" });
  }
  for (const name of ["baseUrl", "apiKey", "headers", "upstreams"] as const) {
    if (options.client === undefined || options[name] === undefined) continue;
    issues.push({ path: name, message: "must not stand beside 'client', which has its own" });
  }
  if (options.api !== undefined && options.api !== "chat" && options.api !== "responses") {
    issues.push({ path: "api", message: 'must be "chat" or "responses"' });
  }
  if (options.defaults?.stream !== undefined) {
    issues.push({ path: "defaults.stream", message: "must be absent: each call decides whether to stream" });
  }
  let defaults: ChatParams = {};
  try {
    defaults = parseChatParams(options.defaults ?? {});
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    issues.push(...error.issues.map(({ path, message }) => ({ path: `defaults.${path}`, message })));
  }
  if (issues.length > 0) throw new ValidationError("Cannot make an OpenAIChatModel", issues);
  return defaults;
}
