/** Where we differ from MLflow: what it did, and what we do. */
import type { Differences } from "./_case.ts";
import { echoed } from "./_echo.ts";

export const PREDICT_DIFFERENT: Differences = {
  "predict: temperature 2": {
    reason: "numbers",
    mlflow: { refused: "temperature" },
    ours: { accepted: echoed({ params: { temperature: 2 } }) },
  },
  "predict: temperature null": {
    reason: "nulls",
    mlflow: { accepted: echoed({ params: { temperature: NaN } }) },
    ours: { accepted: echoed() },
  },
  "predict: top-level unknown": {
    reason: "unknown",
    mlflow: { accepted: echoed() },
    ours: { accepted: echoed({ params: { extra: { foo: 1 } } }) },
  },
  "predict: nested unknown": {
    reason: "unknown",
    mlflow: { refused: /Invalid properties not defined in the schema found: \{'foo'\}/ },
    ours: { accepted: echoed({ messages: [{ role: "user", content: "x", foo: 1 }] }) },
  },
  "predict: messages []": {
    reason: "empty",
    mlflow: { accepted: echoed({ messages: [] }) },
    ours: { refused: "messages" },
  },
  "predict: content parts": {
    reason: "shapes",
    mlflow: { refused: /Failed to enforce schema for key `content`\. Expected type st/ },
    ours: { accepted: echoed({ messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }] }) },
  },
  "predict: content+refusal": {
    reason: "shapes",
    mlflow: { refused: "content" },
    ours: { accepted: echoed({ messages: [{ role: "assistant", content: "a", refusal: "b" }] }) },
  },
  "predict: max_tokens=5.0": {
    reason: "numbers",
    mlflow: { refused: "max_tokens" },
    ours: { accepted: echoed({ params: { max_tokens: 5 } }) },
  },
  "predict: stop='a'": {
    reason: "shapes",
    mlflow: { refused: /Expected data to be list or numpy array, got str/ },
    ours: { accepted: echoed({ params: { stop: "a" } }) },
  },
  "predict: stream=None": {
    reason: "nulls",
    mlflow: { refused: "stream" },
    ours: { accepted: echoed() },
  },
  "predict: top_p=None": {
    reason: "nulls",
    mlflow: { accepted: echoed({ params: { top_p: NaN } }) },
    ours: { accepted: echoed() },
  },
  "predict: tools=[{'type': 'function', 'function': {'name': 'f'}}]": {
    reason: "schema",
    mlflow: { refused: /Failed to enforce schema for key `function`\. Expected type o/ },
    ours: { accepted: echoed({ params: { tools: [{ type: "function", function: { name: "f" } }] } }) },
  },
  "predict: tools=[{'type': 'function', 'function': {'name': 'f', 'parameters': {'type': 'object', 'properties': {'a': {'type': 'string', 'format': 'date'}}}}}]":
    {
      reason: "schema",
      mlflow: { refused: /Failed to enforce schema for key `function`\. Expected type o/ },
      ours: {
        accepted: echoed({
          params: {
            tools: [{
              type: "function",
              function: {
                name: "f",
                parameters: { type: "object", properties: { a: { type: "string", format: "date" } } },
              },
            }],
          },
        }),
      },
    },
  "predict: seed=1": {
    reason: "unknown",
    mlflow: { accepted: echoed() },
    ours: { accepted: echoed({ params: { seed: 1 } }) },
  },
  "predict: tool_choice='auto'": {
    reason: "unknown",
    mlflow: { accepted: echoed() },
    ours: { accepted: echoed({ params: { tool_choice: "auto" } }) },
  },
  "predict: list of 2 requests": {
    reason: "batch",
    mlflow: { accepted: echoed() },
    ours: { refused: /Cannot parse chat request: Expected an object, found an arra/ },
  },
  "predict: DataFrame w/ temperature int 2": {
    reason: "numbers",
    mlflow: { refused: "temperature" },
    ours: { accepted: echoed({ params: { temperature: 2 } }) },
  },
  "predict: ChatMessage instance": {
    reason: "classes",
    mlflow: { refused: /Failed to enforce schema of 'ChatMessage\(role='user', conten/ },
    ours: { accepted: echoed() },
  },
  "predict: ChatCompletionRequest instance": {
    reason: "request",
    mlflow: { refused: /Expected input to be DataFrame\. Found: ChatCompletionRequest/ },
    ours: { accepted: echoed() },
  },
  "predict: model return:dict": {
    reason: "classes",
    mlflow: { refused: /Model returned an invalid response\. Expected a ChatCompletio/ },
    ours: { accepted: echoed({ messages: [{ role: "user", content: "return:dict" }] }) },
  },
  "predict: model return:str": {
    reason: "answers",
    mlflow: { refused: /Model returned an invalid response\. Expected a ChatCompletio/ },
    ours: {
      accepted: {
        id: "<uuid4>",
        object: "chat.completion",
        created: "<now>",
        model: "vec",
        choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
      },
    },
  },
  "predict: model return:chunk": {
    reason: "answers",
    mlflow: { refused: /Model returned an invalid response\. Expected a ChatCompletio/ },
    ours: {
      accepted: {
        id: "c0",
        object: "chat.completion",
        created: 1700000000,
        model: "vec",
        choices: [{ index: 0, message: { role: "assistant", content: "a" }, finish_reason: "stop" }],
      },
    },
  },
  "predict: model return:minimal": {
    reason: "canonical",
    mlflow: { accepted: { choices: [], object: "chat.completion", created: 1 } },
    ours: {
      accepted: {
        id: "<uuid4>",
        object: "chat.completion",
        created: 1,
        model: "vec",
        choices: [{ index: 0, message: { role: "assistant", content: "" }, finish_reason: "stop" }],
      },
    },
  },
  "predict: model return:mutated": {
    reason: "canonical",
    mlflow: {
      accepted: {
        choices: "not a list",
        id: "fixed",
        model: "vec",
        object: "chat.completion",
        created: 1700000000,
        custom_outputs: { messages: [{ role: "user", content: "return:mutated" }], params: {} },
      },
    },
    ours: { refused: "choices" },
  },
  "predict: model return:noneoutputs": {
    reason: "canonical",
    mlflow: {
      accepted: {
        choices: [],
        object: "chat.completion",
        created: 1,
        custom_outputs: { a: null, b: [null, { c: null }] },
      },
    },
    ours: {
      accepted: {
        id: "<uuid4>",
        object: "chat.completion",
        created: 1,
        model: "vec",
        choices: [{ index: 0, message: { role: "assistant", content: "" }, finish_reason: "stop" }],
        custom_outputs: { a: null, b: [null, { c: null }] },
      },
    },
  },
  "predict: context-less model": {
    reason: "context",
    mlflow: {
      accepted: {
        choices: [{ message: { role: "assistant", content: "ok" }, index: 0, finish_reason: "stop" }],
        object: "chat.completion",
        created: 1,
        custom_outputs: { n: 1 },
      },
    },
    ours: {
      accepted: {
        id: "<uuid4>",
        object: "chat.completion",
        created: "<now>",
        model: "ContextLess",
        choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" }],
        custom_outputs: { n: "no messages" },
      },
    },
  },
};

export const STREAM_DIFFERENT: Differences = {
  "stream: lazy (content missing)": {
    reason: "early",
    mlflow: { accepted: "generator" },
    ours: { refused: "content" },
  },
  "stream: model yield:dict": {
    reason: "answers",
    mlflow: { refused: /Model returned an invalid response\. Expected a ChatCompletio/ },
    ours: {
      accepted: {
        id: "c0",
        model: "vec",
        created: 1700000000,
        content: "adictbc",
        role: "assistant",
        finish_reason: "stop",
      },
    },
  },
  "stream: model yield:response": {
    reason: "answers",
    mlflow: { refused: /Model returned an invalid response\. Expected a ChatCompletio/ },
    ours: {
      accepted: {
        id: "c0",
        model: "vec",
        created: 1700000000,
        content: "aresponsebc",
        role: "assistant",
        finish_reason: "stop",
      },
    },
  },
  "stream: items before mid-stream error": {
    reason: "answers",
    mlflow: {
      accepted: [
        { role: "assistant", content: "a" },
        "MlflowException: Model returned an invalid response. Expected a ChatCompletionChunk, but got <class 'dict'> instead.",
      ],
    },
    ours: {
      accepted: [{ role: "assistant", content: "" }, { content: "a" }, { content: "dict" }, { content: "b" }, {
        content: "c",
      }, {}],
    },
  },
  "stream: model without predict_stream": {
    reason: "derived",
    mlflow: { refused: /Streaming implementation not provided\. Please override the `/ },
    ours: { accepted: { content: "ok" } },
  },
  "ChatModel base predict_stream default": {
    reason: "derived",
    mlflow: { refused: /Streaming implementation not provided\. Please override the `/ },
    ours: { accepted: { content: "ok" } },
  },
};
