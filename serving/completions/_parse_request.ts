/** From the body of `POST /v1/completions` to requests that a chat model takes. Pure. */
import * as v from "valibot";
import { sortFields } from "../../types/_params_schema.ts";
import { freeForm } from "../../types/_schema.ts";
import { ChatRequest, ValidationError, type ValidationIssue } from "../../types/mod.ts";
import { completionRequest, REQUEST_NAMES } from "./_request_schema.ts";

/** A request that has passed validation. */
export interface CompletionRequest {
  /** The prompts, at least one. */
  readonly prompts: readonly string[];
  /** One request for each prompt. */
  readonly requests: readonly [ChatRequest, ...ChatRequest[]];
  /** How many answers to give to each prompt. */
  readonly count: number;
  /** Whether answers begin with their prompt. */
  readonly echo: boolean;
  readonly stream: boolean;
  /** Whether the stream tells the usage. */
  readonly includeUsage: boolean;
}

/**
 * Checks the body of a request.
 *
 * OpenAI ends answers after 16 tokens unless told otherwise. Here, as everywhere in this package, what is not set stays
 * so: 16 tokens is a limit of models that only went on with a text, and would cut short nearly all that chat models say.
 *
 * @throws {ValidationError} When anything is wrong; all that is wrong stands in its `issues`.
 */
export function parseCompletionRequest(body: unknown): CompletionRequest {
  const { known, extra } = sortFields(parse(freeForm, body), REQUEST_NAMES);
  const { prompt, model, best_of, echo = false, logprobs, store: _store, ...same } = parse(completionRequest, known);
  const count = same.n ?? 1;
  const issues: ValidationIssue[] = [];
  if (best_of !== undefined && best_of !== count) {
    issues.push({
      path: "best_of",
      message: `Expected ${count}, as "n", since answers are not ranked, found ${best_of}`,
    });
  }
  if (echo && logprobs !== undefined) {
    issues.push({ path: "logprobs", message: 'Expected nothing beside "echo", as those of the prompt are not known' });
  }
  if (issues.length > 0) throw invalid(issues);
  const params = {
    ...same,
    ...(logprobs !== undefined && { logprobs: true, top_logprobs: logprobs }),
    ...(extra !== undefined && { extra }),
  };
  const toRequest = (content: string) => new ChatRequest([{ role: "user", content }], params, model);
  const prompts = typeof prompt === "string" ? [prompt] : prompt;
  const [first = "", ...others] = prompts;
  return {
    prompts,
    requests: [toRequest(first), ...others.map(toRequest)],
    count,
    echo,
    stream: same.stream ?? false,
    includeUsage: same.stream_options?.include_usage ?? false,
  };
}

function parse<const Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  throw invalid(result.issues.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: issue.message })));
}

function invalid(issues: readonly ValidationIssue[]): ValidationError {
  return new ValidationError("Cannot parse completion request", issues);
}
