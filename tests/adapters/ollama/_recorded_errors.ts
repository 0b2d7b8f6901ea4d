import type { Version } from "../../support/replay.ts";

/** Status and code of an error. */
export type ExpectedError = readonly [status: number, code: string | null];

const REJECTED: ExpectedError = [400, "upstream_rejected"];
const UNSUPPORTED: ExpectedError = [400, "unsupported_feature"];
const TOO_LONG: ExpectedError = [400, "context_length_exceeded"];
const NOT_FOUND: ExpectedError = [404, "model_not_found"];
const FAILED: ExpectedError = [502, "upstream_error"];
const LOST: ExpectedError = [502, "upstream_lost"];
const INCOMPLETE: ExpectedError = [502, "upstream_incomplete"];
const CALL_LOST: ExpectedError = [502, "tool_call_lost"];

/** What the adapter makes of answers that are no success, alike on both servers. All others succeed. */
const ERRORS: { readonly [scenario: string]: ExpectedError } = {
  bad_json: REJECTED,
  bad_json_array: REJECTED,
  bad_json_truncated: REJECTED,
  content_array: REJECTED,
  content_number: REJECTED,
  empty_body: REJECTED,
  format_array: REJECTED,
  format_bad_schema: REJECTED,
  format_bad_string: REJECTED,
  format_bad_string_stream: REJECTED,
  format_number: REJECTED,
  images_bad_base64: REJECTED,
  images_data_uri: REJECTED,
  images_string: REJECTED,
  keep_alive_bad_text: REJECTED,
  keep_alive_bool: REJECTED,
  keep_alive_no_unit: REJECTED,
  messages_string: REJECTED,
  model_bad_name: REJECTED,
  model_empty: REJECTED,
  model_missing_key: REJECTED,
  model_number: REJECTED,
  options_array: REJECTED,
  stream_string: REJECTED,
  think_bogus: REJECTED,
  think_number: REJECTED,
  tools_args_as_string: REJECTED,
  tools_bad_shape: REJECTED,
  top_logprobs_21: REJECTED,
  chat_embed_model: UNSUPPORTED,
  think_high_on_plain: UNSUPPORTED,
  think_true_on_plain: UNSUPPORTED,
  tools_unsupported: UNSUPPORTED,
  tools_unsupported_stream: UNSUPPORTED,
  ctx_single_too_long_notrunc: TOO_LONG,
  ctx_single_too_long_notrunc_stream: TOO_LONG,
  chat_after_delete: NOT_FOUND,
  model_not_found: NOT_FOUND,
  model_not_found_stream: NOT_FOUND,
  model_cloud_suffix: [502, "upstream_forbidden"],
  queue_full: [503, "overloaded"],
  // The model was loaded or unloaded, but nothing answered.
  bad_json_trailing: FAILED,
  chat_load: FAILED,
  chat_load_empty_messages: FAILED,
  chat_load_stream_true: FAILED,
  chat_unload: FAILED,
  keep_alive_negative: FAILED,
  load_small: FAILED,
  // The model is broken, or its options are: these were not sent with the request that is replayed.
  chat_model_with_bad_parameter: FAILED,
  chat_model_with_bad_parameter_stream: FAILED,
  load_failure: FAILED,
  load_failure_stream: FAILED,
  options_num_predict_string: FAILED,
  options_stop_mixed: FAILED,
  options_stop_string: FAILED,
  options_temp_numeric_string: FAILED,
  options_temp_string: FAILED,
  runner_killed_midstream: FAILED,
  runner_killed_nonstream: FAILED,
  disconnect_midstream: LOST,
  server_killed_midstream: LOST,
  server_sigterm_midstream: LOST,
  repeat_guard: INCOMPLETE,
  repeat_guard_stream: INCOMPLETE,
  tools_broken_json: CALL_LOST,
  tools_broken_json_stream: CALL_LOST,
  tools_cut: CALL_LOST,
  tools_cut_stream: CALL_LOST,
  tools_undeclared: CALL_LOST,
  tools_undeclared_stream: CALL_LOST,
};

/** The same where the servers differ. */
const VERSION_ERRORS: { readonly [V in Version]: { readonly [scenario: string]: ExpectedError } } = {
  "v0.24": {
    ctx_truncate_false: TOO_LONG,
    native_repeat_guard: INCOMPLETE,
    native_tools: UNSUPPORTED,
    native_tools_stream: UNSUPPORTED,
  },
  head: {
    images_non_vision: UNSUPPORTED,
    images_non_vision_stream: UNSUPPORTED,
    images_not_image: UNSUPPORTED,
    native_image: UNSUPPORTED,
  },
};

/**
 * What the adapter must make of a recorded answer, if it is an error.
 *
 * @param name Name of the scenario.
 * @param version Which server.
 * @returns Status and code; `undefined` for a success.
 */
export function expectedError(name: string, version: Version): ExpectedError | undefined {
  return ERRORS[name] ?? VERSION_ERRORS[version][name];
}
