import * as v from "valibot";
import { list } from "./_list.ts";
import { integer, naming, nonEmptyText, oneOf, refusal, text } from "./_schema.ts";
import { explainMember } from "./_shape.ts";

/** OpenAI's limit (https://platform.openai.com/docs/api-reference/embeddings/create). */
const MAX_TEXTS = 2048;

const INPUT = "a non-empty string or an array of these";
const texts = list(nonEmptyText, INPUT);
const neither = refusal(INPUT);
const noTexts = refusal("at least one text");
const tooMany = refusal(`at most ${MAX_TEXTS} texts`);
const tokens = refusal(`${INPUT}, as token ids mean something else to each model`);

const input = naming(
  v.lazy((input) => {
    if (typeof input === "string") return nonEmptyText;
    if (!Array.isArray(input)) return neither;
    if (typeof input[0] === "number" || Array.isArray(input[0])) return tokens;
    return input.length === 0 ? noTexts : input.length > MAX_TEXTS ? tooMany : texts;
  }),
  INPUT,
);

const entries = {
  input,
  model: v.exactOptional(text),
  encoding_format: v.exactOptional(oneOf(["float", "base64"])),
  dimensions: v.exactOptional(integer(1)),
  user: v.exactOptional(text),
};

/** The fields of a request for vectors that are known. */
export const embeddingRequest = v.object(entries, (issue: v.BaseIssue<unknown>) => explainMember(entries, issue));

/** Their names. */
export const EMBEDDING_NAMES: ReadonlySet<string> = new Set(Object.keys(entries));
