import { assert, assertEquals } from "@std/assert";
import { ERROR_GROUPS } from "../../../types/_error_table.ts";
import { FORM_SCENARIOS } from "./_form_scenarios.ts";
import { GUARD_SCENARIOS } from "./_guard_scenarios.ts";
import { LOADING_SCENARIOS } from "./_loading_scenarios.ts";
import { MODEL_SCENARIOS } from "./_model_scenarios.ts";
import { OLLAMA_SCENARIOS } from "./_ollama_scenarios.ts";
import { REQUEST_SCENARIOS } from "./_request_scenarios.ts";
import { WORKER_SCENARIOS } from "./_worker_scenarios.ts";

/** Codes that no client of a server gets, and why. */
const UNANSWERED: Readonly<Record<string, string>> = {
  invalid_header: "Node's parser takes no header that `Headers` refuses: it answers malformed_request before",
  invalid_model_path: "Only where a model is saved or logged",
  folder_not_empty: "Only where a model is saved",
  invalid_input_example: "Only where a model is saved or logged",
  start_failed: "Said to MLflow's scoring server, by the process that runs a model for it",
  invalid_protocol: "Said to MLflow's scoring server, by the process that runs a model for it",
  invalid_stream: "Only of streams that were not made canonical; a server makes all of them so",
};

const SCENARIOS = [
  FORM_SCENARIOS,
  GUARD_SCENARIOS,
  REQUEST_SCENARIOS,
  MODEL_SCENARIOS,
  OLLAMA_SCENARIOS,
  LOADING_SCENARIOS,
  WORKER_SCENARIOS,
].flat();

Deno.test("Every code of the table of errors is brought about on a socket, or cannot be", () => {
  const codes = Object.values(ERROR_GROUPS).flatMap(Object.keys);
  const tested = new Set(SCENARIOS.map(({ code }) => code));
  assertEquals(codes.filter((code) => !tested.has(code) && !Object.hasOwn(UNANSWERED, code)), []);
  assertEquals(Object.keys(UNANSWERED).filter((code) => tested.has(code) || !codes.includes(code)), []);
  assertEquals([...tested].filter((code) => !codes.includes(code)), []);
});

Deno.test("Every error of a running model is brought about before and after the first token, or cannot be", () => {
  const inTime = new Set(SCENARIOS.filter(({ start }) => start).map(({ code }) => code));
  const late = new Set(SCENARIOS.filter((scenario) => scenario.late).map(({ code }) => code));
  assertEquals([...late].filter((code) => !inTime.has(code)), ["chunk_too_long"]);
  assert(late.size >= 11, `${late.size}`);
});
