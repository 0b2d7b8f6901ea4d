import type { TraceSpan } from "../tracking/mod.ts";
import { formatDuration, oneLine } from "./_trace_text.ts";

/** A span that is still to be shown, and how its lines begin. */
interface Waiting {
  readonly span: TraceSpan;
  /** Of its first line. */
  readonly first: string;
  /** Of all lines below. */
  readonly rest: string;
}

/**
 * The spans of a trace as a tree: of each its name, kind, duration, tokens and error, and the beginning of what went in
 * and came out.
 *
 * @param spans The spans, in the order in which they began.
 * @returns The lines.
 */
export function traceTree(spans: readonly TraceSpan[]): string[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const isTop = ({ parentId }: TraceSpan) => parentId === undefined || !ids.has(parentId);
  const children = Map.groupBy(spans.filter((span) => !isTop(span)), ({ parentId }) => parentId);
  const lines: string[] = [];
  const shown = new Set<string>();
  const show = (top: TraceSpan): void => {
    // A stack of its own, as traces may be deeper than calls may be.
    const waiting: Waiting[] = [{ span: top, first: "", rest: "" }];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { span, first, rest } = next;
      if (shown.has(span.spanId)) continue;
      shown.add(span.spanId);
      const below = children.get(span.spanId) ?? [];
      lines.push(`${first}${headOf(span)}`);
      const beside = below.length === 0 ? " " : "│";
      lines.push(...contentOf(span).map((line) => `${rest}${beside}    ${line}`.trimEnd()));
      for (const [index, child] of [...below.entries()].toReversed()) {
        const isLast = index === below.length - 1;
        waiting.push({
          span: child,
          first: `${rest}${isLast ? "└─ " : "├─ "}`,
          rest: `${rest}${isLast ? "   " : "│  "}`,
        });
      }
    }
  };
  for (const span of spans) if (isTop(span)) show(span);
  // Those that name each other as parents are below no other one.
  for (const span of spans) if (!shown.has(span.spanId)) show(span);
  return lines;
}

function headOf(span: TraceSpan): string {
  const { name, startTime, endTime, status, attributes } = span;
  const type = attributes["mlflow.spanType"];
  const duration = endTime === undefined ? "not ended" : formatDuration(Number(endTime - startTime) / 1e6);
  const tokens = tokensOf(attributes["mlflow.chat.tokenUsage"]);
  return [
    oneLine(name, 80) || "(no name)",
    ...(typeof type === "string" && type !== "UNKNOWN" ? [oneLine(type, 40)] : []),
    duration,
    ...(tokens === undefined ? [] : [tokens]),
    ...(status.code === "ERROR" ? [oneLine(`ERROR${status.message ? `: ${status.message}` : ""}`)] : []),
  ].join("  ");
}

function tokensOf(usage: unknown): string | undefined {
  if (typeof usage !== "object" || usage === null || !("total_tokens" in usage)) return undefined;
  return typeof usage.total_tokens === "number" ? `${usage.total_tokens} tokens` : undefined;
}

/** What went in and came out, and where it failed. */
function contentOf({ attributes, events }: TraceSpan): string[] {
  const failures = events.filter(({ name }) => name === "exception").map(({ attributes }) => {
    const [type, message] = [attributes["exception.type"], attributes["exception.message"]];
    return `err  ${oneLine([type, message].filter((part) => typeof part === "string").join(": "))}`;
  });
  return [
    ...lineOf("in ", attributes["mlflow.spanInputs"], "user"),
    ...lineOf("out", attributes["mlflow.spanOutputs"], "assistant"),
    ...failures,
  ];
}

function lineOf(label: string, value: unknown, role: string): string[] {
  if (value === undefined) return [];
  return [
    `${label}  ${oneLine(lastMessage(value, role) ?? (typeof value === "string" ? value : JSON.stringify(value)))}`,
  ];
}

/** The text of the last message of a chat; `undefined` if it is none. */
function lastMessage(value: unknown, role: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const messages: unknown[] = "messages" in value && Array.isArray(value.messages)
    ? value.messages
    : "choices" in value && Array.isArray(value.choices)
    ? value.choices.map((choice: unknown) => messageOf(choice))
    : [];
  const texts = messages.flatMap((message) => {
    const text = textOf(message);
    return text === undefined ? [] : [text];
  });
  const last = texts.findLast((text) => text.role === role) ?? texts.at(-1);
  return last?.content;
}

function messageOf(choice: unknown): unknown {
  return typeof choice === "object" && choice !== null && "message" in choice ? choice.message : undefined;
}

function textOf(message: unknown): { readonly role: unknown; readonly content: string } | undefined {
  if (typeof message !== "object" || message === null || !("role" in message) || !("content" in message)) {
    return undefined;
  }
  const { role, content } = message;
  // Parts, and answers that call tools, tell more as they are.
  return typeof content === "string" && content !== "" ? { role, content } : undefined;
}
