/** What the body of `POST /v1/completions` must look like. */
import * as v from "valibot";
import { list } from "../../types/_list.ts";
import { paramEntries } from "../../types/_params_schema.ts";
import { explainMember } from "../../types/_shape.ts";
import { explain, flag, integer, naming, refusal, text } from "../../types/_schema.ts";

/** As many as OpenAI takes texts in its other route for many at once, `/v1/embeddings`. */
const MAX_PROMPTS = 2048;

const PROMPT = "a string or an array of strings";
const texts = list(text, PROMPT);
const neither = refusal(PROMPT);
const noPrompts = refusal("at least one prompt");
const tooMany = refusal(`at most ${MAX_PROMPTS} prompts`);
const tokens = refusal(`${PROMPT}, as token ids mean something else to each model`);

const prompt = naming(
  v.lazy((input) => {
    if (typeof input === "string") return text;
    if (!Array.isArray(input)) return neither;
    if (typeof input[0] === "number" || Array.isArray(input[0])) return tokens;
    return input.length === 0 ? noPrompts : input.length > MAX_PROMPTS ? tooMany : texts;
  }),
  PROMPT,
);

// By name, so that what is new in chat requests does not get in here unseen.
const {
  frequency_penalty,
  logit_bias,
  max_tokens,
  n,
  presence_penalty,
  seed,
  stop,
  stream,
  stream_options,
  temperature,
  top_p,
  user,
  top_k,
  min_p,
  custom_inputs,
  reasoning_effort,
  response_format,
} = paramEntries;

/** The parameters that a chat request has under the same name. */
const sameEntries = {
  ...{
    frequency_penalty,
    logit_bias,
    max_tokens,
    n,
    presence_penalty,
    seed,
    stop,
    stream,
    stream_options,
    temperature,
  },
  // OpenAI does not have all of these here, but models take them by these names.
  ...{ top_p, user, top_k, min_p, custom_inputs, reasoning_effort, response_format },
};

const CHAT = "nothing, as it belongs to POST /v1/chat/completions";

const entries = {
  prompt,
  model: v.exactOptional(text),
  best_of: v.exactOptional(integer(1, 128)),
  echo: v.exactOptional(flag),
  logprobs: v.exactOptional(integer(0, 5)),
  ...sameEntries,
  // What cannot be done here. Without these entries it would be handed on, and nothing come of it.
  suffix: v.exactOptional(refusal("nothing, as a chat model cannot fill in what stands before a text")),
  store: v.exactOptional(naming(v.literal(false, explain), "false, as only chat completions are kept")),
  // Names of the chat wire.
  messages: v.exactOptional(refusal('"prompt" instead')),
  max_completion_tokens: v.exactOptional(refusal('"max_tokens" instead')),
  top_logprobs: v.exactOptional(refusal('a number as "logprobs" instead')),
  tools: v.exactOptional(refusal(CHAT)),
  tool_choice: v.exactOptional(refusal(CHAT)),
  functions: v.exactOptional(refusal(CHAT)),
  function_call: v.exactOptional(refusal(CHAT)),
};

/** The fields that are known. */
export const completionRequest = v.object(entries, (issue: v.BaseIssue<unknown>) => explainMember(entries, issue));

/** Their names. */
export const REQUEST_NAMES: ReadonlySet<string> = new Set(Object.keys(entries));

/** The fields that are known, checked. */
export type RequestFields = v.InferOutput<typeof completionRequest>;
