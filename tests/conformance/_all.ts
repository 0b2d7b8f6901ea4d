import { type Case, casesOf, type Group } from "./_case.ts";
import { CONFIG } from "./_groups_config.ts";
import { PREDICT, STREAM } from "./_groups_loaded.ts";
import { CHUNKS, MESSAGES, RESPONSES, TOOL_CALLS } from "./_groups_messages.ts";
import { LOADED, SAVE } from "./_groups_saved.ts";
import { PARAMS, REQUESTS, TOOLS } from "./_groups_requests.ts";

/** All kinds of vectors, in the order of the table. */
export const GROUPS: readonly Group[] = [
  MESSAGES,
  TOOL_CALLS,
  TOOLS,
  PARAMS,
  REQUESTS,
  RESPONSES,
  CHUNKS,
  PREDICT,
  STREAM,
  CONFIG,
  SAVE,
  LOADED,
];

/** All vectors with their verdicts. */
export const CASES: readonly Case[] = GROUPS.flatMap(casesOf);
