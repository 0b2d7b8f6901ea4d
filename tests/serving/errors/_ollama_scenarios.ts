/** Errors of what is behind a model: a fake Ollama. */
import { type Answer, htmlError, json, ndjson, text } from "../../support/fake_upstream.ts";
import { done, token } from "../_stack.ts";
import type { Scenario } from "./_scenario.ts";
import { serveOllama, serveOllamaAt } from "./_served.ts";

const ONE = token("One ");
const BROKEN_HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n";

const TOOLS = [{
  type: "function",
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
}];

const SCHEMA = {
  type: "json_schema",
  json_schema: { name: "sum", schema: { type: "object", properties: { sum: { type: "integer" } }, required: ["sum"] } },
};

/** An Ollama that refuses, streaming or not. */
function refusal(status: number, options: { readonly error?: string; readonly headers?: Record<string, string> } = {}) {
  const { error = "No", headers = {} } = options;
  return { chat: {}, start: () => serveOllama({ whole: json({ error }, { status, headers }) }) };
}

/** An Ollama that answers in one piece, or in lines; and that says "One " before other lines. */
function answers({ whole, lines, late }: { readonly whole: Answer; readonly lines: Answer; readonly late?: Answer }) {
  return {
    chat: {},
    start: () => serveOllama({ whole, lines }),
    ...(late !== undefined && { late: () => serveOllama({ whole, lines: late }) }),
  };
}

function calls(name: string, input: Readonly<Record<string, unknown>>): Answer {
  return json({
    ...done(),
    eval_count: 8,
    message: { role: "assistant", content: "", tool_calls: [{ function: { name, arguments: input } }] },
  });
}

/** Finds a port where no one listens. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** By code, and by what leads to it. */
export const OLLAMA_SCENARIOS: readonly Scenario[] = [
  {
    code: "upstream_error",
    when: "Ollama tells of an error",
    ...answers({
      whole: json({ error: "boom" }),
      lines: ndjson([{ error: "boom" }]),
      late: ndjson([ONE, { error: "boom" }]),
    }),
  },
  {
    code: "upstream_error",
    when: "something else is at Ollama's address",
    chat: {},
    start: () => serveOllama({ whole: htmlError(404) }),
  },
  { code: "upstream_rejected", when: "Ollama refuses the request", ...refusal(400) },
  {
    code: "upstream_unreachable",
    when: "no Ollama is there",
    chat: {},
    start: () => serveOllamaAt(`http://127.0.0.1:${freePort()}`),
  },
  {
    code: "upstream_unavailable",
    when: "a proxy does not reach Ollama",
    chat: {},
    start: () => serveOllama({ whole: htmlError() }),
  },
  {
    code: "upstream_lost",
    when: "the connection to Ollama breaks",
    ...answers({
      whole: [{ send: `${BROKEN_HEAD}{"message":` }, "close"],
      lines: ndjson([], { end: "cut" }),
      late: ndjson([ONE], { end: "cut" }),
    }),
  },
  {
    code: "upstream_incomplete",
    when: "Ollama's answer ends too early",
    ...answers({ whole: json(ONE), lines: ndjson([]), late: ndjson([ONE]) }),
  },
  {
    code: "upstream_bad_record",
    when: "Ollama's answer cannot be read",
    ...answers({
      whole: text('{"message":', { headers: { "content-type": "application/json" } }),
      lines: ndjson(['{"message":']),
      late: ndjson([ONE, '{"message":']),
    }),
  },
  {
    code: "upstream_redirect",
    when: "Ollama's address redirects",
    ...refusal(302, { headers: { location: "http://127.0.0.2/" } }),
  },
  { code: "upstream_authentication", when: "Ollama asks who it is", ...refusal(401, { error: "unauthorized" }) },
  { code: "upstream_forbidden", when: "Ollama refuses the host", ...refusal(403, { error: "" }) },
  {
    code: "rate_limit_exceeded",
    when: "Ollama has had enough",
    ...refusal(429, { headers: { "retry-after": "0.01" } }),
  },
  { code: "overloaded", when: "Ollama is busy", ...refusal(503, { headers: { "retry-after": "0.01" } }) },
  {
    code: "invalid_tool_arguments",
    when: "a demanded call lacks an argument",
    chat: { tools: TOOLS, tool_choice: "required" },
    start: () => serveOllama({ whole: calls("weather", {}) }),
  },
  {
    code: "tool_call_lost",
    when: "a tool is called that there is not",
    chat: { tools: TOOLS, tool_choice: "required" },
    start: () => serveOllama({ whole: calls("wether", {}) }),
  },
  {
    code: "tool_call_forbidden",
    when: "a tool is called against the request",
    chat: { tools: TOOLS, tool_choice: "none" },
    start: () => serveOllama({ whole: calls("weather", { city: "Oslo" }) }),
  },
  {
    code: "invalid_structured_output",
    when: "the answer does not follow the schema",
    ...answers({ whole: json(done("{}")), lines: ndjson([done()]), late: ndjson([ONE, done()]) }),
    chat: { response_format: SCHEMA },
  },
];
