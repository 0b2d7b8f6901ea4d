/** Response objects: what was asked for, and what came of it. Pure. */
import type { FinishReason, Usage } from "../../types/mod.ts";
import type { StoredObject } from "../response_store.ts";
import type { ResponseRequest } from "./_parse_request.ts";
import { isFunctionTool } from "./_to_chat_request.ts";
import type { OutputItem, ResponseFailure, ResponseObject, ResponseUsage } from "./_wire.ts";

/** What a response has from its beginning on. */
export interface ResponseHead {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly request: ResponseRequest;
}

/** What came of it so far. */
export interface Outcome {
  readonly status: ResponseObject["status"];
  readonly model: string;
  readonly output: readonly OutputItem[];
  readonly finishReason?: FinishReason | undefined;
  readonly error?: ResponseFailure;
  readonly usage?: Usage | null | undefined;
  readonly serviceTier?: string | undefined;
  readonly customOutputs?: StoredObject | undefined;
}

/**
 * Whether the model's thinking is to be given in the place of its summary. Models here make no summaries; but clients
 * that ask for one show it, and look nowhere else.
 */
export function wantsSummary({ reasoning }: ResponseRequest): boolean {
  return (reasoning?.summary ?? reasoning?.generate_summary) !== undefined;
}

/** The status of a response that ended so. */
export function statusOf(finishReason: FinishReason | undefined): "completed" | "incomplete" {
  return reasonOf(finishReason) === undefined ? "completed" : "incomplete";
}

function reasonOf(finishReason: FinishReason | undefined): "max_output_tokens" | "content_filter" | undefined {
  if (finishReason === "length") return "max_output_tokens";
  return finishReason === "content_filter" ? finishReason : undefined;
}

/** Puts a response object together. What was not asked for has OpenAI's default, or `null` where that is the model's. */
export function makeResponse({ id, created, request }: ResponseHead, outcome: Outcome): ResponseObject {
  const { status, model, output, error = null, usage, customOutputs } = outcome;
  const { user, safety_identifier, prompt_cache_key, text, reasoning } = request;
  const reason = status === "incomplete" ? reasonOf(outcome.finishReason) : undefined;
  return {
    id,
    object: "response",
    created_at: created,
    status,
    completed_at: status === "completed" ? Math.floor(Date.now() / 1000) : null,
    error,
    incomplete_details: reason === undefined ? null : { reason },
    background: false,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    model,
    output,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    reasoning: {
      effort: reasoning?.effort ?? null,
      summary: reasoning?.summary ?? reasoning?.generate_summary ?? null,
    },
    service_tier: outcome.serviceTier ?? request.service_tier ?? null,
    store: request.store ?? true,
    temperature: request.temperature ?? null,
    text: { ...text, format: text?.format ?? { type: "text" } },
    tool_choice: request.tool_choice ?? "auto",
    tools: (request.tools ?? []).filter(isFunctionTool).map((tool) => ({
      ...tool,
      parameters: tool.parameters ?? null,
      strict: tool.strict ?? null,
    })),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? null,
    truncation: request.truncation ?? "disabled",
    metadata: request.metadata ?? {},
    ...user !== undefined && { user },
    ...safety_identifier !== undefined && { safety_identifier },
    ...prompt_cache_key !== undefined && { prompt_cache_key },
    ...usage && { usage: toResponseUsage(usage) },
    ...customOutputs !== undefined && { custom_outputs: customOutputs },
  };
}

function toResponseUsage(usage: Usage): ResponseUsage {
  return {
    input_tokens: usage.prompt_tokens,
    input_tokens_details: { cached_tokens: usage.prompt_tokens_details?.cached_tokens ?? 0, cache_write_tokens: 0 },
    output_tokens: usage.completion_tokens,
    output_tokens_details: { reasoning_tokens: usage.completion_tokens_details?.reasoning_tokens ?? 0 },
    total_tokens: usage.total_tokens,
  };
}
