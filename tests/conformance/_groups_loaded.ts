import { ChatModel, loadChatModel, type PredictResult } from "../../mod.ts";
import { accumulate, ChatCompletionStream } from "../../streaming/mod.ts";
import { parseChatRequest } from "../../types/mod.ts";
import type { Group } from "./_case.ts";
import { PREDICT_DIFFERENT, STREAM_DIFFERENT } from "./_different_loaded.ts";
import { withoutForced, withoutNulls } from "./_meaning.ts";
import { at, invoke, loadEcho, predict, predictStream } from "./_run.ts";
import { isRecord, type Vector } from "./_vectors.ts";

/** A loaded model's `predict`. */
export const PREDICT: Group = {
  title: "predict()",
  runs: "`LoadedChatModel.predict` of a model that echoes; DataFrames: `/invocations`",
  holds: ({ name }) => name.startsWith("predict: "),
  run: runPredict,
  read: readAnswer,
  different: PREDICT_DIFFERENT,
};

/** What the model answers, and what it got. Of which Python class that was says nothing here. */
function readAnswer(answer: unknown, { input }: Vector): unknown {
  const outputs = at(answer, "custom_outputs");
  if (!isRecord(answer) || !isRecord(outputs) || !("messages" in outputs)) return answer;
  const request = recordedRequest(input);
  return {
    ...answer,
    custom_outputs: {
      messages: withoutNulls(withoutForced(outputs.messages, at(request, "messages"))),
      params: withoutForced(outputs.params, request),
    },
  };
}

function recordedRequest(input: unknown): unknown {
  const rows = isRecord(input) ? input.$dataframe_records ?? input : input;
  return Array.isArray(rows) ? rows[0] : rows;
}

/** What comes nearest to an instance of MLflow's class. */
class Message {
  readonly role = "user";
  readonly content = "x";
}

async function runPredict({ name, call, input }: Vector): Promise<unknown> {
  const model = await loadEcho();
  if (isRecord(input) && Array.isArray(input.$dataframe_records)) return await invoke(input.$dataframe_records);
  switch (name) {
    case "predict: ChatMessage instance":
      return await predict(model, { messages: [new Message()] });
    case "predict: ChatCompletionRequest instance":
      return await predict(model, parseChatRequest(input));
    case "predict: context-less model":
      return await predict(await loadChatModel(ContextLess), input);
    default: {
      const [, params] = /params=(\{.*\})\)$/.exec(call) ?? [];
      return params === undefined
        ? await predict(model, input)
        : await predict(model, input, { params: JSON.parse(params.replaceAll("'", '"')) });
    }
  }
}

/** Takes messages first, as MLflow allows. */
class ContextLess extends ChatModel {
  override predict(messages: unknown): PredictResult {
    return { content: "ok", custom_outputs: { n: Array.isArray(messages) ? messages.length : "no messages" } };
  }
}

class OnlyPredict extends ChatModel {
  override predict(): PredictResult {
    return "ok";
  }
}

/** A loaded model's `predictStream`. */
export const STREAM: Group = {
  title: "predictStream()",
  runs:
    "`LoadedChatModel.predictStream` of a model that echoes, put together by `accumulate`; DataFrames: `/invocations`",
  holds: ({ name }) => name.startsWith("stream: ") || name === "ChatModel base predict_stream default",
  run: runStream,
  read: readStream,
  different: STREAM_DIFFERENT,
};

/** The pieces as one answer: how it is cut, and that here the id stays the same, is the subject of other tests. */
function readStream(output: unknown): unknown {
  if (!Array.isArray(output)) return output;
  const chunks = output.filter((item) => isRecord(item) && "choices" in item);
  if (chunks.length < output.length) return output;
  const deltas = chunks.map((chunk) => at(chunk, "choices", 0, "delta", "content"));
  return answerOf({
    id: at(chunks[0], "id"),
    model: at(chunks[0], "model"),
    created: at(chunks[0], "created"),
    choices: [{
      message: { role: "assistant", content: deltas.join("") },
      finish_reason: at(chunks.at(-1), "choices", 0, "finish_reason"),
    }],
  });
}

function answerOf(response: unknown): unknown {
  return {
    id: at(response, "id"),
    model: at(response, "model"),
    created: at(response, "created"),
    content: at(response, "choices", 0, "message", "content"),
    role: at(response, "choices", 0, "message", "role"),
    finish_reason: at(response, "choices", 0, "finish_reason"),
  };
}

async function runStream({ name, input }: Vector): Promise<unknown> {
  if (isRecord(input) && Array.isArray(input.$dataframe_records)) {
    return answerOf(await invoke(input.$dataframe_records, true));
  }
  const derived = /without predict_stream|base predict_stream/.test(name);
  const model = derived ? await loadChatModel(OnlyPredict, { name: "vec" }) : await loadEcho();
  const stream = predictStream(model, input ?? { messages: [{ role: "user", content: "x" }] });
  if (name.endsWith("not iterated") || name.startsWith("stream: lazy")) {
    const isStream = stream instanceof ChatCompletionStream;
    for await (const _chunk of stream) break;
    return isStream ? "generator" : undefined;
  }
  if (name === "stream: items before mid-stream error") return await itemsOf(stream);
  const answer = answerOf(await accumulate(stream));
  return derived ? { content: at(answer, "content") } : answer;
}

async function itemsOf(stream: ChatCompletionStream): Promise<unknown[]> {
  const items: unknown[] = [];
  try {
    for await (const chunk of stream) items.push(at(chunk, "choices", 0, "delta"));
  } catch (error) {
    items.push(String(error));
  }
  return items;
}
