/** What is known of all errors with one code. */
// One module for all, so that a status is decided once: throwing sites name the code.
export interface ErrorKind {
  /** HTTP status of an answer with it. */
  readonly status: number;
  /** Whether the same call may succeed later. @default {false} */
  readonly retryable?: boolean;
  /** When it comes, for `docs/errors.md`. */
  readonly when: string;
  /** What helps, for `docs/errors.md`. */
  readonly remedy: string;
  /** Headers that come with it, beside those by which clients decide whether to try again. */
  readonly headers?: readonly string[];
}

/** What is wrong with a request as HTTP or as JSON. */
const FORM: Kinds = {
  malformed_request: {
    status: 400,
    when: "What came is no HTTP/1.1 request",
    remedy: "Use an HTTP client; look for what changes requests in between",
  },
  invalid_host_header: {
    status: 400,
    when: "`Host` is missing, there twice, or no host",
    remedy: "Send one `Host` header: a name or address, perhaps with a port",
  },
  invalid_header: { status: 400, when: "A header cannot be read", remedy: "Send names and values that HTTP allows" },
  invalid_url: {
    status: 400,
    when: "The target of the request is no path",
    remedy: "Send a path that begins with `/`",
  },
  unknown_expectation: {
    status: 417,
    when: "`Expect` asks for something else than `100-continue`",
    remedy: "Leave the header out",
  },
  headers_too_large: { status: 431, when: "The headers are too large", remedy: "Send fewer or shorter ones" },
  request_timeout: {
    status: 408,
    retryable: true,
    when: "The request did not come as a whole in time",
    remedy: "Send it again",
  },
  request_too_large: {
    status: 413,
    when: "The body is larger than the limit, as it came or unpacked",
    remedy: "Send less: shorten the conversation, shrink images; or raise `maxBodySize`",
  },
  incomplete_body: { status: 400, when: "The body broke off", remedy: "Send it again as a whole" },
  invalid_encoding: {
    status: 400,
    when: "The body is not packed as `Content-Encoding` says, or is not UTF-8",
    remedy: "Send UTF-8, packed as said or not at all",
  },
  unsupported_encoding: {
    status: 415,
    when: "The body is packed in a way that is not known, by `Content-Encoding` or `Transfer-Encoding`",
    remedy: "Use one that `Accept-Encoding` names, or none",
    headers: ["accept-encoding"],
  },
  unsupported_media_type: {
    status: 415,
    when: "`/invocations`, where MLflow insists on it: the content type is not JSON",
    remedy: "Send `content-type: application/json`",
  },
  array_above_max_length: {
    status: 400,
    when: "`messages`, `input`, `prompt` or `tools` has more than 10 000 items",
    remedy: "Send fewer",
  },
  invalid_json: { status: 400, when: "The body is not JSON", remedy: "The message says line and column" },
  unknown_url: {
    status: 404,
    when: "There is no such route",
    remedy: "See `GET /openapi.json` for the routes there are",
  },
  method_not_supported: {
    status: 405,
    when: "The route does not take this method",
    remedy: "Use one that `Allow` names",
    headers: ["allow"],
  },
  origin_not_allowed: {
    status: 403,
    when: "A page of an origin that was not allowed asks",
    remedy: "Allow the origin: `--cors-origin`, or the option `allowedOrigins`",
  },
  host_not_allowed: {
    status: 403,
    when: "A server for this machine only is asked under a name that is not this machine's",
    remedy: "Use `localhost`, or allow the name: `--allow-host`",
  },
  invalid_api_key: {
    status: 401,
    when: "The request has no API key, or one that is not known",
    remedy: "Send `Authorization: Bearer KEY` with a key of this server; `cli.ts keys create` makes one",
  },
};

/** What is wrong with what a request asks for. */
const REQUEST: Kinds = {
  invalid_value: {
    status: 400,
    when: "Fields are missing or have values they cannot have; `param` is the first, the message tells of all",
    remedy: "Send what the message says",
  },
  invalid_input: {
    status: 400,
    when: "`/invocations`: the input is not what the model's signature says",
    remedy: "Send what the message says",
  },
  invalid_image_url: {
    status: 400,
    when: "An image cannot be read, or cannot be fetched",
    remedy: "Send it as a data URL of a PNG, JPEG, WebP, GIF or BMP image",
  },
  unsupported_value: {
    status: 400,
    when: "A field asks for what the model or this server cannot do",
    remedy: "Leave the field out, or use what the message offers",
  },
  unsupported_feature: {
    status: 400,
    when: "The model cannot do what was asked: tools, images, thinking, vectors",
    remedy: "Use a model that can",
  },
  unsupported_model: {
    status: 400,
    when: "The model is of a kind that this route does not serve",
    remedy: "Use the route that the message names",
  },
  unsupported_endpoint: {
    status: 404,
    when: "OpenAI has such a route beside `/v1/responses`, this server has not",
    remedy: "The message says what to use in its place",
  },
  context_length_exceeded: {
    status: 400,
    when: "The conversation does not fit into the model's window",
    remedy: "Shorten it, or raise `num_ctx`",
  },
  model_not_found: {
    status: 404,
    when: "No model of that name is served, or Ollama or another upstream does not have it",
    remedy: "See `GET /v1/models`; `ollama pull NAME`",
  },
  model_not_allowed: {
    status: 403,
    when: "The API key is not for this model",
    remedy: "Use a key that is, or a model that `GET /v1/models` lists for this one",
  },
  model_not_deletable: {
    status: 403,
    when: "A model that is served is to be deleted",
    remedy: "Serve others in its place; `ollama rm NAME`",
  },
  previous_response_not_found: {
    status: 400,
    when: "`previous_response_id` names a response that is not kept, or is no more",
    remedy: "Send the conversation as `input`",
  },
  response_not_found: { status: 404, when: "No such response is kept", remedy: "Ask with `store`, and in time" },
  completion_not_found: {
    status: 404,
    when: "No such chat completion is kept",
    remedy: 'Ask with `"store": true`, and in time',
  },
  response_not_in_background: {
    status: 400,
    when: "A response is to be cancelled that does not run in the background",
    remedy: "Close the connection: that stops the model",
  },
  tool_output_not_found: {
    status: 400,
    when: "`/v1/responses`: the conversation has a tool call that no output answers",
    remedy: "Send a `function_call_output` (or `custom_tool_call_output`) for each call, with its `call_id`",
  },
  item_not_found: { status: 404, when: "An item is referred to that is not kept", remedy: "Send the item itself" },
};

/** What goes wrong with a model, or behind it. */
const MODEL: Kinds = {
  model_error: {
    status: 500,
    when: "The model's own code failed",
    remedy: "For its author: the log has the stack, under the request's id",
  },
  invalid_model_output: {
    status: 500,
    when: "What the model gave cannot be understood",
    remedy: "For its author: return text, a message or a response",
  },
  invalid_tool_arguments: {
    status: 502,
    retryable: true,
    when: "A call that had to be made has arguments that do not follow the tool's parameters",
    remedy: "Try again, simplify the parameters, or use a larger model",
  },
  invalid_structured_output: {
    status: 502,
    retryable: true,
    when: "The answer does not follow the schema that was asked for",
    remedy: "Try again, simplify the schema, or use a larger model",
  },
  tool_call_lost: {
    status: 502,
    retryable: true,
    when: "The model began a tool call that cannot be read",
    remedy: "Try again, or use a model that was made for tools",
  },
  tool_call_forbidden: {
    status: 502,
    retryable: true,
    when: 'The model called a tool that it must not: `tool_choice` was `"none"`, or `allowed_tools` left it out',
    remedy: "Try again, or leave the tools out",
  },
  upstream_error: { status: 502, when: "What is behind the model failed", remedy: "The message says what it said" },
  upstream_rejected: {
    status: 400,
    when: "What is behind the model refused the request",
    remedy: "The message says what it said",
  },
  upstream_unreachable: {
    status: 502,
    retryable: true,
    when: "Ollama, or another upstream, cannot be reached",
    remedy: "Start it (`ollama serve`), or set its address (`OLLAMA_HOST`)",
  },
  upstream_unavailable: {
    status: 502,
    retryable: true,
    when: "A proxy before Ollama says that it cannot reach it",
    remedy: "Try again; see whether Ollama runs behind it",
  },
  upstream_lost: { status: 502, retryable: true, when: "The connection to the upstream broke", remedy: "Try again" },
  upstream_incomplete: {
    status: 502,
    retryable: true,
    when: "The upstream's answer ended too early",
    remedy: "Try again; look into its log",
  },
  upstream_bad_record: {
    status: 502,
    when: "The upstream's answer cannot be read",
    remedy: "Check that its address (`OLLAMA_HOST`) is right, and its version",
  },
  upstream_redirect: {
    status: 502,
    when: "The upstream's address redirects, which is not followed: keys and prompts go where they were told to",
    remedy: "Set the address (`OLLAMA_HOST`) to where it really is",
  },
  upstream_authentication: {
    status: 502,
    when: "The upstream wants to know who asks",
    remedy: "Give it a key (`OLLAMA_API_KEY`), or `ollama signin` where Ollama runs",
  },
  upstream_forbidden: {
    status: 502,
    when: "The upstream refuses the caller or the host name",
    remedy: "Of Ollama: use its IP address, or set `OLLAMA_ORIGINS` there",
  },
  rate_limit_exceeded: {
    status: 429,
    retryable: true,
    when: "Too many requests or tokens for now: here, by the limits of the key, or upstream",
    remedy: "Wait as long as `retry-after` says",
    headers: ["retry-after", "retry-after-ms"],
  },
  request_over_limit: {
    status: 400,
    when: "The request is larger than all that its key may use in a minute",
    remedy: "Shorten the conversation, lower `max_completion_tokens` or `n`; or raise the key's limit",
  },
  limit_store_lost: {
    status: 503,
    retryable: true,
    when: "The store that counts requests and tokens cannot be reached, and limits are to hold nevertheless",
    remedy: "Try again later; for who runs the server: look after Redis, or let requests through while it is lost",
    headers: ["retry-after", "retry-after-ms"],
  },
  overloaded: {
    status: 503,
    retryable: true,
    when: "The upstream is busy, or as many requests run and wait here as the model may have",
    remedy: "Try again later; Ollama: raise `OLLAMA_MAX_QUEUE` there; here: raise `maxConcurrency` or `maxQueue`",
    headers: ["retry-after", "retry-after-ms"],
  },
  server_stopping: { status: 503, retryable: true, when: "The server stops", remedy: "Try again, perhaps elsewhere" },
  model_replaced: {
    status: 503,
    retryable: true,
    when: "Another version of the model has taken its place, and the answer took longer than the old one was kept for",
    remedy: "Try again: the new version answers",
  },
  first_token_timeout: {
    status: 504,
    retryable: true,
    when: "The model gave nothing in time; it may be loading still",
    remedy: "Try again, or raise `--first-token-timeout`",
  },
  idle_timeout: {
    status: 504,
    retryable: true,
    when: "The model fell silent in the middle of its answer",
    remedy: "Try again, or raise `--idle-timeout`",
  },
  timeout: {
    status: 504,
    retryable: true,
    when: "The answer took longer than is allowed",
    remedy: "Ask for fewer tokens, or raise `--timeout`",
  },
  cancelled: { status: 499, when: "The call was given up by who made it", remedy: "None needed" },
  store_error: {
    status: 500,
    retryable: true,
    when: "The store of kept responses failed",
    remedy: "For who runs the server: the log has the cause",
  },
  invalid_stored_response: {
    status: 500,
    when: "A kept response is not as it was written",
    remedy: "Send the conversation as `input`",
  },
  permission_denied: {
    status: 500,
    when: "The process, or a model in its sandbox, may not do what is needed",
    remedy: "The message says which `--allow-…`, or which permission of the model, is missing",
  },
  worker_crashed: {
    status: 500,
    retryable: true,
    when: "The sandbox of a model ended: its code threw outside of a call, or ended it",
    remedy: "Try again: it is replaced. For its author: the log has what was thrown",
  },
  worker_unresponsive: {
    status: 504,
    retryable: true,
    when: "The sandbox of a model gave no sign of life and was ended: its code most likely loops for ever",
    remedy: "Try again: it is replaced. For its author: wait in between, or raise `unresponsiveAfter`",
  },
  worker_backoff: {
    status: 503,
    retryable: true,
    when: "The sandbox of a model ended too often, and is not replaced for now",
    remedy: "Wait as long as `retry-after` says; the log has what ends it",
    headers: ["retry-after", "retry-after-ms"],
  },
};

/** What goes wrong when a model is made, saved, logged or loaded; a server answers it where it loads one late. */
const LOADING: Kinds = {
  invalid_model: { status: 500, when: "It is no model, or implements neither way to answer", remedy: "Implement one" },
  invalid_model_file: { status: 500, when: "The file gives no model", remedy: "Export it as default, or `setModel()`" },
  invalid_model_path: {
    status: 500,
    when: "A file or folder that was to go with the model is missing, or has no place in it",
    remedy: "The message names it",
  },
  folder_not_empty: {
    status: 500,
    when: "The folder to write a model to holds something",
    remedy: "Name an empty one, or one that is not there",
  },
  model_changed: {
    status: 500,
    when: "Code of a logged model is not what was logged",
    remedy: "Log it anew; the message names the file",
  },
  invalid_mlmodel: { status: 500, when: "`MLmodel` cannot be read", remedy: "The message says where it is wrong" },
  invalid_model_config: { status: 500, when: "The configuration is not right", remedy: "The message names the key" },
  invalid_signature: { status: 500, when: "The signature in `MLmodel` cannot be read", remedy: "Log the model anew" },
  invalid_input_example: { status: 400, when: "The example cannot be an input", remedy: "Give one that can" },
  invalid_permissions: {
    status: 500,
    when: "A permission is written wrong",
    remedy: "The message shows one written right",
  },
  invalid_option: {
    status: 500,
    when: "There is no such option, or not with this value",
    remedy: "See its documentation",
  },
  invalid_host: { status: 500, when: "`OLLAMA_HOST` is no address", remedy: "Write `host:port` or a URL" },
  python_model: { status: 500, when: "The model is Python's and cannot be run here", remedy: "Use MLflow to run it" },
  wrong_model_kind: {
    status: 500,
    when: "A custom model was taken for a chat model, or the other way",
    remedy: "Load it as what it is",
  },
  start_failed: { status: 500, when: "The model's process did not start", remedy: "The message has what it said" },
  invalid_protocol: {
    status: 500,
    when: "A line to the model's process cannot be read",
    remedy: "Use the loader of the same version",
  },
  invalid_stream: {
    status: 500,
    when: "Chunks do not make a whole answer",
    remedy: "Hand in all of them, in their order",
  },
  chunk_too_long: {
    status: 500,
    when: "A frame would be longer than clients read",
    remedy: "For the model's author: give less at once",
  },
};

type Kinds = { readonly [code: string]: ErrorKind };

/** All errors by their code, in groups. */
export const ERROR_GROUPS: { readonly [title: string]: Kinds } = {
  "The request's form": FORM,
  "What it asks for": REQUEST,
  "The model, and what is behind it": MODEL,
  "Making and loading models": LOADING,
};

const ALL = new Map(Object.values(ERROR_GROUPS).flatMap((kinds) => Object.entries(kinds)));

/** What is known of the errors with a code; `undefined` for codes of authors, and of other servers. */
export function errorKind(code: string | null | undefined): ErrorKind | undefined {
  return code === null || code === undefined ? undefined : ALL.get(code);
}
