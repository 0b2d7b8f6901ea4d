import { assertEquals, assertThrows } from "@std/assert";
import { type ChatParams, ValidationError } from "../../../types/mod.ts";
import { convertRequest, type OllamaDefaults } from "../../../adapters/ollama/convert_request.ts";

const DEFAULTS: OllamaDefaults = { model: "m", options: {}, truncate: false, allowedImageHosts: [] };
const MESSAGES = [{ role: "user", content: "Hi" }] as const;
const SCHEMA = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };

function convert(params: ChatParams, defaults: Partial<OllamaDefaults> = {}) {
  return convertRequest(MESSAGES, params, { ...DEFAULTS, ...defaults });
}

interface Case {
  readonly name: string;
  readonly params: ChatParams;
  readonly defaults?: Partial<OllamaDefaults>;
  /** Members of the body beside the model, the messages and `truncate`. */
  readonly expected: { readonly [name: string]: unknown };
  readonly ignored?: readonly string[];
}

const CASES: readonly Case[] = [
  { name: "nothing set, nothing sent", params: {}, expected: {} },
  {
    name: "sampling",
    params: {
      temperature: 0,
      top_p: 0.5,
      top_k: 3,
      min_p: 0.1,
      seed: 0,
      presence_penalty: -1,
      frequency_penalty: 1,
      max_tokens: 5,
      stop: ["a", "b"],
    },
    expected: {
      options: {
        temperature: 0,
        top_p: 0.5,
        top_k: 3,
        min_p: 0.1,
        seed: 0,
        presence_penalty: -1,
        frequency_penalty: 1,
        num_predict: 5,
        stop: ["a", "b"],
      },
    },
  },
  {
    name: "max_completion_tokens wins",
    params: { max_tokens: 5, max_completion_tokens: 7 },
    expected: { options: { num_predict: 7 } },
  },
  { name: "a stop text", params: { stop: "x" }, expected: { options: { stop: ["x"] } } },
  { name: "an empty stop text would erase the Modelfile's", params: { stop: "" }, expected: {} },
  { name: "so would no stop texts", params: { stop: [] }, expected: {} },
  {
    name: "stop texts of the model stay if the request has none",
    params: { stop: [] },
    defaults: { options: { stop: ["z"] } },
    expected: { options: { stop: ["z"] } },
  },
  {
    name: "a seed as the tutorial gives it",
    params: { custom_inputs: { seed: "321", other: 1 } },
    expected: { options: { seed: 321 } },
  },
  { name: "a seed as number", params: { custom_inputs: { seed: 3 } }, expected: { options: { seed: 3 } } },
  {
    name: "the request's own seed wins",
    params: { seed: 1, custom_inputs: { seed: "2" } },
    expected: { options: { seed: 1 } },
  },
  { name: "a seed of null", params: { custom_inputs: { seed: null } }, expected: {} },
  {
    name: "options: defaults, parameters, the top level, options: later wins",
    params: {
      temperature: 0.2,
      top_k: 2,
      extra: { num_ctx: 3, top_k: 3, repeat_penalty: 1.3, options: { top_k: 4, stop: [], num_ctx: null } },
    },
    defaults: { options: { num_ctx: 1, temperature: 0.1, num_gpu: 1 } },
    expected: {
      options: { num_ctx: 3, temperature: 0.2, num_gpu: 1, top_k: 4, repeat_penalty: 1.3, stop: [] },
    },
  },
  {
    name: "a fraction for a whole number is Ollama's to cut",
    params: { extra: { options: { num_predict: 3.7 } } },
    expected: { options: { num_predict: 3.7 } },
  },
  {
    name: "options that Ollama ignores are sent, and named",
    params: { extra: { mirostat: 2, options: { flux: 1, numa: true } } },
    expected: { options: { mirostat: 2, flux: 1, numa: true } },
    ignored: ["mirostat", "options.flux", "options.numa"],
  },
  {
    name: "Ollama's own fields",
    params: { extra: { keep_alive: "5m", think: "high", truncate: true, shift: false, format: "json" } },
    expected: { keep_alive: "5m", think: "high", truncate: true, shift: false, format: "json" },
  },
  {
    name: "the model's own settings",
    params: {},
    defaults: { keepAlive: -1, think: false, truncate: true, shift: true },
    expected: { keep_alive: -1, think: false, truncate: true, shift: true },
  },
  {
    name: "the request's wins over them",
    params: { extra: { keep_alive: 0, think: true, truncate: false, shift: false } },
    defaults: { keepAlive: -1, think: false, truncate: true, shift: true },
    expected: { keep_alive: 0, think: true, truncate: false, shift: false },
  },
  {
    name: "no thinking needs no capability",
    params: { reasoning_effort: "none" },
    defaults: { think: true },
    expected: { think: false },
  },
  {
    name: "think wins over an effort",
    params: { reasoning_effort: "high", extra: { think: false } },
    expected: { think: false },
  },
  { name: "JSON", params: { response_format: { type: "json_object" } }, expected: { format: "json" } },
  { name: "text", params: { response_format: { type: "text" } }, expected: {} },
  {
    name: "a schema",
    params: { response_format: { type: "json_schema", json_schema: { name: "n", schema: SCHEMA, strict: true } } },
    expected: { format: SCHEMA },
  },
  {
    name: "a schema that is not there",
    params: { response_format: { type: "json_schema", json_schema: { name: "n" } } },
    expected: { format: "json" },
  },
  {
    name: "a native format wins",
    params: { response_format: { type: "json_object" }, extra: { format: SCHEMA } },
    expected: { format: SCHEMA },
  },
  { name: "an empty native format is none", params: { extra: { format: "" } }, expected: {} },
  {
    name: "log probabilities",
    params: { logprobs: true, top_logprobs: 3 },
    expected: { logprobs: true, top_logprobs: 3 },
  },
  { name: "none", params: { logprobs: false }, expected: {} },
  {
    name: "the likeliest of what is not asked for",
    params: { top_logprobs: 3 },
    expected: {},
    ignored: ["top_logprobs"],
  },
  {
    name: "fields without effect",
    params: {
      verbosity: "low",
      prediction: { type: "content", content: "x" },
      web_search_options: {},
      moderation: {},
      reasoning: { summary: "auto" },
      modalities: ["text"],
      audio: { voice: "a" },
      logit_bias: {},
      store: true,
      metadata: {},
      user: "u",
      extra: { nonsense: 1, more: false, nothing: null },
    },
    expected: {},
    ignored: ["verbosity", "prediction", "web_search_options", "moderation", "audio", "reasoning", "nonsense", "more"],
  },
];

for (const { name, params, defaults = {}, expected, ignored = [] } of CASES) {
  Deno.test(`convertRequest() maps parameters: ${name}`, () => {
    const converted = convert(params, defaults);
    const body = { model: "m", messages: MESSAGES, truncate: false, ...expected };
    assertEquals<unknown>(converted.body, body);
    assertEquals(converted.ignored, ignored);
  });
}

const EFFORTS: readonly (readonly [string, string | boolean])[] = [
  ["minimal", "low"],
  ["low", "low"],
  ["medium", "medium"],
  ["high", "high"],
  ["xhigh", "max"],
  ["ultra", "max"],
  ["max", "max"],
];

for (const [effort, think] of EFFORTS) {
  Deno.test(`convertRequest() wants thinking "${think}" for effort "${effort}", sent only if the model can`, () => {
    const plain = convert({ reasoning_effort: effort });
    assertEquals(plain.wantedThinking, { think, path: "reasoning_effort" });
    assertEquals(plain.body.think, undefined);
    const nested = convert({ reasoning_effort: "none", reasoning: { effort } });
    assertEquals(nested.wantedThinking, { think, path: "reasoning.effort" });
  });
}

interface RefusedCase {
  readonly params: ChatParams;
  readonly path: string;
}

const REFUSED: readonly RefusedCase[] = [
  { params: { max_tokens: 0 }, path: "max_tokens" },
  { params: { max_tokens: 5, max_completion_tokens: 0 }, path: "max_completion_tokens" },
  { params: { extra: { options: { num_predict: 0 } } }, path: "options.num_predict" },
  { params: { custom_inputs: { seed: "abc" } }, path: "custom_inputs.seed" },
  { params: { custom_inputs: { seed: "1.5" } }, path: "custom_inputs.seed" },
  { params: { custom_inputs: { seed: 1.5 } }, path: "custom_inputs.seed" },
  { params: { custom_inputs: { seed: "" } }, path: "custom_inputs.seed" },
  { params: { custom_inputs: { seed: "99999999999999999999" } }, path: "custom_inputs.seed" },
  { params: { custom_inputs: { seed: [1] } }, path: "custom_inputs.seed" },
  { params: { logit_bias: { "50256": -100 } }, path: "logit_bias" },
  { params: { modalities: ["text", "audio"] }, path: "modalities.1" },
  { params: { reasoning_effort: "bogus" }, path: "reasoning_effort" },
  { params: { reasoning: { effort: 5 } }, path: "reasoning.effort" },
  { params: { extra: { options: [] } }, path: "options" },
  { params: { extra: { options: "x" } }, path: "options" },
  { params: { extra: { options: { temperature: "0.5" } } }, path: "options.temperature" },
  { params: { extra: { options: { num_ctx: "4096" } } }, path: "options.num_ctx" },
  { params: { extra: { options: { stop: "STOP" } } }, path: "options.stop" },
  { params: { extra: { options: { stop: ["STOP", 5] } } }, path: "options.stop" },
  { params: { extra: { options: { use_mmap: 1 } } }, path: "options.use_mmap" },
  { params: { extra: { num_ctx: "4096" } }, path: "num_ctx" },
  { params: { extra: { keep_alive: true } }, path: "keep_alive" },
  { params: { extra: { keep_alive: "300" } }, path: "keep_alive" },
  { params: { extra: { keep_alive: "soon" } }, path: "keep_alive" },
  { params: { extra: { think: 1 } }, path: "think" },
  { params: { extra: { truncate: "yes" } }, path: "truncate" },
  { params: { extra: { shift: 1 } }, path: "shift" },
  { params: { extra: { format: "xml" } }, path: "format" },
  { params: { extra: { format: [] } }, path: "format" },
  { params: { extra: { format: { type: "nonsense" } } }, path: "format.type" },
  {
    params: {
      response_format: {
        type: "json_schema",
        json_schema: { name: "n", schema: { properties: { a: { type: "nonsense" } } } },
      },
    },
    path: "response_format.json_schema.schema.properties.a.type",
  },
];

for (const { params, path } of REFUSED) {
  Deno.test(`convertRequest() refuses ${JSON.stringify(params)} and names "${path}"`, () => {
    const error = assertThrows(() => convert(params), ValidationError);
    assertEquals(error.issues.map((issue) => issue.path), [path]);
    assertEquals([error.status, error.param], [400, path]);
  });
}

Deno.test("convertRequest() reports everything at once", () => {
  const error = assertThrows(
    () => convertRequest([], { max_tokens: 0, logit_bias: { "1": 1 }, extra: { think: 1 } }, DEFAULTS),
    ValidationError,
  );
  assertEquals(error.issues.map(({ path }) => path), ["messages", "max_tokens", "think", "logit_bias"]);
});

Deno.test("convertRequest() takes durations as Go writes them", () => {
  for (const keepAlive of ["1h30m", "90s", "-1m", "0", "1.5h", ".5s", "100ms", 12.5, -1]) {
    assertEquals(convert({ extra: { keep_alive: keepAlive } }).body.keep_alive, keepAlive);
  }
});

Deno.test("convertRequest() survives hostile names", () => {
  const extra = JSON.parse('{"options":{"__proto__":{"polluted":1},"constructor":1},"__proto__":1}');
  const { body } = convert({ extra });
  assertEquals(body.options, { constructor: 1 });
  assertEquals(Reflect.get({}, "polluted"), undefined);
});
