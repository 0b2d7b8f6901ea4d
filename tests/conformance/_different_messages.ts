/** Where we differ from MLflow: what it did, and what we do. */
import type { Differences } from "./_case.ts";

export const MESSAGES_DIFFERENT: Differences = {
  "msg: content+refusal": {
    reason: "shapes",
    mlflow: { refused: "content" },
    ours: { accepted: { role: "assistant", content: "a", refusal: "b" } },
  },
  "msg: refusal '' no content": {
    reason: "shapes",
    mlflow: { refused: "content" },
    ours: { accepted: { role: "assistant", refusal: "" } },
  },
  "msg: mixed tool_calls dict+ToolCall": {
    reason: "classes",
    mlflow: { refused: "tool_calls" },
    ours: {
      accepted: {
        tool_calls: [{ id: "1", function: { name: "f", arguments: "{}" } }, {
          id: "2",
          function: { name: "f", arguments: "{}" },
        }],
      },
    },
  },
  "msg: role free string": {
    reason: "words",
    mlflow: { accepted: { role: "wizard", content: "x" } },
    ours: { refused: "role" },
  },
  "msg: role empty": {
    reason: "words",
    mlflow: { accepted: { role: "", content: "x" } },
    ours: { refused: "role" },
  },
  "msg: content empty list": {
    reason: "parts",
    mlflow: { accepted: { role: "user", content: [] } },
    ours: { refused: "content" },
  },
  "msg: content arbitrary dict parts": {
    reason: "parts",
    mlflow: { accepted: { role: "user", content: [{ foo: 1 }] } },
    ours: { refused: "type" },
  },
  "msg: content list + refusal": {
    reason: "shapes",
    mlflow: { refused: "content" },
    ours: { accepted: { role: "assistant", content: [{ type: "text", text: "a" }], refusal: "no" } },
  },
  "msg: tool_calls on user role": {
    reason: "words",
    mlflow: { accepted: { role: "user", tool_calls: [{ function: { name: "f", arguments: "{}" }, id: "<uuid4>" }] } },
    ours: { refused: "content" },
  },
  "msg: unknown kw": {
    reason: "unknown",
    mlflow: { refused: "foo" },
    ours: { accepted: { role: "user", content: "x", foo: 1 } },
  },
};

export const TOOL_CALLS_DIFFERENT: Differences = {
  "toolcall: type anything": {
    reason: "words",
    mlflow: { accepted: { function: { name: "f", arguments: "{}" }, id: "1", type: "banana" } },
    ours: { refused: "type" },
  },
  "toolcall: index unknown kw": {
    reason: "unknown",
    mlflow: { refused: "index" },
    ours: { accepted: { id: "1", function: { name: "f", arguments: "{}" }, index: 0 } },
  },
};

export const CHUNKS_DIFFERENT: Differences = {
  "delta: content+refusal": {
    reason: "shapes",
    mlflow: { refused: "content" },
    ours: { accepted: { content: "a", refusal: "b" } },
  },
  "delta: OpenAI partial tool call": {
    reason: "shapes",
    mlflow: { refused: "name" },
    ours: { accepted: { tool_calls: [{ index: 0, function: { arguments: '{"a' } }] } },
  },
  "delta: tool_call_id kw": {
    reason: "unknown",
    mlflow: { refused: "tool_call_id" },
    ours: { accepted: { tool_call_id: "1" } },
  },
  "chunk: choices [] + usage": {
    reason: "usage",
    mlflow: { accepted: { choices: [], usage: { prompt_tokens: 1 } } },
    ours: { refused: "completion_tokens" },
  },
};

export const RESPONSES_DIFFERENT: Differences = {
  "choice: finish_reason free": {
    reason: "words",
    mlflow: { accepted: { message: { role: "assistant", content: "hi" }, index: 0, finish_reason: "banana" } },
    ours: { refused: "finish_reason" },
  },
  "usage: float": {
    reason: "numbers",
    mlflow: { refused: "prompt_tokens" },
    ours: { accepted: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
  },
  "response: usage {}": {
    reason: "usage",
    mlflow: { accepted: { choices: [], usage: {} } },
    ours: { refused: "completion_tokens" },
  },
  "response: object free": {
    reason: "words",
    mlflow: { accepted: { choices: [], object: "zzz" } },
    ours: { refused: "object" },
  },
  "response: custom_outputs list": {
    reason: "outputs",
    mlflow: { accepted: { choices: [], custom_outputs: [1] } },
    ours: { refused: "custom_outputs" },
  },
  "response: custom_outputs str": {
    reason: "outputs",
    mlflow: { accepted: { choices: [], custom_outputs: "s" } },
    ours: { refused: "custom_outputs" },
  },
  "response: system_fingerprint kw": {
    reason: "unknown",
    mlflow: { refused: "system_fingerprint" },
    ours: { accepted: { choices: [], system_fingerprint: "x" } },
  },
  "response.from_dict: OpenAI body w/ extras": {
    reason: "unknown",
    mlflow: {
      accepted: {
        id: "c",
        object: "chat.completion",
        created: 1,
        model: "m",
        choices: [{ message: { role: "assistant", content: "hi" }, index: 0, finish_reason: "stop" }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      },
    },
    ours: {
      accepted: {
        id: "c",
        object: "chat.completion",
        created: 1,
        model: "m",
        system_fingerprint: "x",
        service_tier: "y",
        choices: [{ index: 0, message: { role: "assistant", content: "hi", annotations: [] }, finish_reason: "stop" }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, prompt_tokens_details: { cached_tokens: 0 } },
      },
    },
  },
};
