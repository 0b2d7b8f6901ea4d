import * as v from "valibot";
import { objectSchema } from "./_json_value.ts";
import type { OllamaChatRecord } from "./wire.ts";

const logprob = {
  token: v.string(),
  logprob: v.number(),
  bytes: v.exactOptional(v.array(v.number())),
};

const record = v.looseObject({
  model: v.exactOptional(v.string()),
  created_at: v.exactOptional(v.string()),
  message: v.exactOptional(v.looseObject({
    role: v.exactOptional(v.string()),
    content: v.exactOptional(v.string()),
    thinking: v.exactOptional(v.string()),
    tool_calls: v.exactOptional(v.array(v.looseObject({
      id: v.exactOptional(v.string()),
      function: v.looseObject({
        name: v.string(),
        arguments: objectSchema,
        index: v.exactOptional(v.number()),
      }),
    }))),
  })),
  done: v.exactOptional(v.boolean()),
  done_reason: v.exactOptional(v.string()),
  logprobs: v.exactOptional(v.array(v.looseObject({
    ...logprob,
    top_logprobs: v.exactOptional(v.array(v.looseObject(logprob))),
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
export const chatRecordSchema: v.GenericSchema<unknown, OllamaChatRecord> = record;
