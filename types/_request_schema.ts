import * as v from "valibot";
import { messages } from "./_message_schema.ts";
import { paramEntries } from "./_params_schema.ts";
import { naming, refusal, text } from "./_schema.ts";
import { explainMember } from "./_shape.ts";

const noMessages = refusal("at least one message");

const conversation = naming(
  v.lazy((input) => Array.isArray(input) && input.length === 0 ? noMessages : messages),
  messages.expects,
);

const headEntries = { messages: conversation, model: v.exactOptional(text) };

/** What a request has beside its parameters. */
export const requestHead = v.object(headEntries, (issue: v.BaseIssue<unknown>) => explainMember(headEntries, issue));

/** Names of all fields that are known. */
export const REQUEST_NAMES: ReadonlySet<string> = new Set([...Object.keys(headEntries), ...Object.keys(paramEntries)]);
