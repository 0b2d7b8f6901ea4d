import * as v from "valibot";
import { isObject, object, objectSchema } from "./_json_value.ts";
import type { OllamaChatRecord } from "./wire.ts";

const logprob = {
  token: v.string(),
  logprob: v.number(),
  bytes: v.exactOptional(v.array(v.number())),
};

const record = object({
  model: v.exactOptional(v.string()),
  created_at: v.exactOptional(v.string()),
  message: v.exactOptional(object({
    role: v.exactOptional(v.string()),
    content: v.exactOptional(v.string()),
    thinking: v.exactOptional(v.string()),
    tool_calls: v.exactOptional(v.array(object({
      id: v.exactOptional(v.string()),
      function: object({
        name: v.string(),
        arguments: objectSchema,
        index: v.exactOptional(v.number()),
      }),
    }))),
  })),
  done: v.exactOptional(v.boolean()),
  done_reason: v.exactOptional(v.string()),
  logprobs: v.exactOptional(v.array(object({
    ...logprob,
    top_logprobs: v.exactOptional(v.array(object(logprob))),
  }))),
  total_duration: v.exactOptional(v.number()),
  load_duration: v.exactOptional(v.number()),
  prompt_eval_count: v.exactOptional(v.number()),
  prompt_eval_cached_count: v.exactOptional(v.number()),
  prompt_eval_duration: v.exactOptional(v.number()),
  eval_count: v.exactOptional(v.number()),
  eval_duration: v.exactOptional(v.number()),
});

/** A record of a chat's answer. Unknown members are kept. */
export const chatRecordSchema: v.GenericSchema<unknown, OllamaChatRecord> = v.pipe(
  record,
  v.rawCheck(({ dataset, addIssue }) => {
    if (dataset.typed && !isTelling(dataset.value)) addIssue({ expected: 'a "message" or "done"' });
  }),
);

/** Members of which a record has at least one: the rest is about a message or an end. */
const TELLING_MEMBERS = ["message", "done", "done_reason", "_debug_info"];

/** Whether a record says anything: what does not comes from no server that speaks Ollama's language. */
function isTelling(record: object): boolean {
  return TELLING_MEMBERS.some((member) => member in record);
}

/**
 * Whether a value is a record as nearly all are: a piece of text, or the end with its counts. It needs no check by the
 * schema then, which takes about as long as parsing it does (0.5 µs each), and a stream has many.
 */
export function isPlainRecord(value: unknown): value is OllamaChatRecord {
  if (!isObject(value)) return false;
  for (const key in value) {
    const member = value[key];
    switch (key) {
      case "model":
      case "created_at":
      case "done_reason":
        if (typeof member !== "string") return false;
        break;
      case "message":
        if (!isPlainMessage(member)) return false;
        break;
      case "done":
        if (typeof member !== "boolean") return false;
        break;
      case "total_duration":
      case "load_duration":
      case "prompt_eval_count":
      case "prompt_eval_cached_count":
      case "prompt_eval_duration":
      case "eval_count":
      case "eval_duration":
        if (typeof member !== "number") return false;
        break;
      default:
        return false;
    }
  }
  return isTelling(value);
}

function isPlainMessage(value: unknown): boolean {
  if (!isObject(value)) return false;
  for (const key in value) {
    if ((key !== "role" && key !== "content" && key !== "thinking") || typeof value[key] !== "string") return false;
  }
  return true;
}
