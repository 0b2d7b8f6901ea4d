import type { TraceSpanInput } from "@chatmodel/chat-model/tracking";

/** A time, in ns since 1970. */
export const START_NS = 1_795_000_000_000_000_001n;
/** The same in ms. */
export const START_MS = 1_795_000_000_000;

/** A trace that no other test has: ids, and spans of it. */
export interface SampleTrace {
  /** `tr-` and digits. */
  readonly traceId: string;
  readonly rootId: string;
  /** The first span, which has ended well after 1.5 s. */
  root(changes?: Partial<TraceSpanInput>): TraceSpanInput;
  /** A span below the first one, of half a second. */
  child(changes?: Partial<TraceSpanInput>): TraceSpanInput;
}

/** A new trace. */
export function sampleTrace(): SampleTrace {
  const digits = crypto.randomUUID().replaceAll("-", "");
  const rootId = digits.slice(0, 15) + "1";
  return {
    traceId: `tr-${digits}`,
    rootId,
    root: (changes = {}) => ({
      traceId: digits,
      spanId: rootId,
      name: "chat demo",
      startTime: START_NS,
      endTime: START_NS + 1_500_000_000n,
      status: { code: "OK" },
      attributes: {
        "mlflow.spanType": "CHAT_MODEL",
        "mlflow.spanInputs": '{"messages":[{"role":"user","content":"Grüße"}]}',
        "mlflow.spanOutputs": '{"choices":[{"message":{"role":"assistant","content":"Hi 😀"}}]}',
      },
      ...changes,
    }),
    child: (changes = {}) => ({
      traceId: digits,
      spanId: crypto.randomUUID().replaceAll("-", "").slice(0, 15) + "2",
      parentId: rootId,
      name: "look up",
      startTime: START_NS + 100_000_000n,
      endTime: START_NS + 600_000_000n,
      attributes: { "mlflow.spanType": "TOOL" },
      ...changes,
    }),
  };
}

/** What a span says of tokens. */
export function tokens(input: number, output: number): { readonly [key: string]: unknown } {
  return {
    "mlflow.chat.tokenUsage": { input_tokens: input, output_tokens: output, total_tokens: input + output },
  };
}
