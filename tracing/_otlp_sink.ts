import { ChatModelError, UpstreamError } from "../types/mod.ts";
import type { ProtobufTraceSerializer } from "./_sdk.ts";
import type { ReadableSpan } from "./_sdk_types.ts";
import type { TraceSink } from "./trace_sink.ts";

/** Bytes of a refusal that are read at most. */
const MAX_REFUSAL = 2_000;

/** Options for {@linkcode OtlpSink}. */
export interface OtlpOptions {
  readonly headers?: HeadersInit | undefined;
  readonly serializer: typeof ProtobufTraceSerializer;
}

/**
 * Sends spans by OTLP over HTTP, as protobuf.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export class OtlpSink implements TraceSink {
  readonly name: string;
  readonly #url: string;
  readonly #options: OtlpOptions;

  constructor(endpoint: URL, options: OtlpOptions) {
    const url = new URL(endpoint);
    if (url.pathname === "/") url.pathname = "/v1/traces";
    this.#url = url.href;
    this.name = `"${url.origin}${url.pathname}"`;
    this.#options = options;
  }

  async write(spans: readonly ReadableSpan[], signal: AbortSignal): Promise<void> {
    const { headers, serializer } = this.#options;
    const body = serializer.serializeRequest([...spans]);
    if (body === undefined) throw notWritten(this.name, "the spans cannot be written down");
    const sent = new Headers(headers);
    sent.set("content-type", "application/x-protobuf");
    let response: Response;
    let answer: Uint8Array;
    try {
      response = await fetch(this.#url, {
        method: "POST",
        headers: sent,
        body: new Uint8Array(body),
        redirect: "manual",
        signal,
      });
      answer = await response.bytes();
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      throw new UpstreamError(`no connection: ${why}`, { code: "upstream_unreachable", retryable: true, cause: error });
    }
    const { status, ok } = response;
    if (!ok) {
      const said = new TextDecoder().decode(answer.subarray(0, MAX_REFUSAL)).trim();
      throw new UpstreamError(`it answers with status ${status}${said && `: ${said}`}`, {
        code: "upstream_status",
        // Those that the specification names.
        retryable: [429, 502, 503, 504].includes(status),
      });
    }
    this.#checkPartial(response, answer);
  }

  /** What was taken only in part is told as lost: the others are kept, and must not come again. */
  #checkPartial(response: Response, answer: Uint8Array): void {
    if (answer.length === 0 || !response.headers.get("content-type")?.includes("protobuf")) return;
    const rejected = this.#options.serializer.deserializeResponse(answer).partialSuccess?.rejectedSpans;
    if (rejected) throw notWritten(this.name, `${rejected} spans were refused`);
  }
}

function notWritten(name: string, why: string): ChatModelError {
  return new ChatModelError(`Cannot send traces to ${name}: ${why}`, { code: "traces_refused", status: 500 });
}
