import { parseChatParams, parseChatRequest } from "../../types/mod.ts";
import type { Group } from "./_case.ts";
import { PARAMS_DIFFERENT, REQUESTS_DIFFERENT, TOOLS_DIFFERENT } from "./_different_requests.ts";
import { withoutForced } from "./_meaning.ts";
import { at, receivedSchema, receivedTool } from "./_run.ts";
import { isRecord, type Vector } from "./_vectors.ts";

/** Definitions of tools. */
export const TOOLS: Group = {
  title: "ToolDefinition",
  runs: "`tools` in `parseChatRequest`",
  holds: ({ name }) => /^(param(type|property)|toolparams|funcdef|tooldef)\b/.test(name),
  run: runTool,
  different: TOOLS_DIFFERENT,
};

function runTool({ name, input }: Vector): unknown {
  const [kind] = name.split(/[.:]/);
  switch (kind) {
    case "toolparams":
      return receivedSchema(input);
    case "funcdef": {
      const tool = receivedTool({ type: "function", function: input });
      return name === "funcdef.to_tool_definition()" ? tool : at(tool, "function");
    }
    case "tooldef":
      return receivedTool(isRecord(input) ? { type: "function", ...input } : input);
    default:
      return at(receivedSchema({ type: "object", properties: { property: input } }), "properties", "property");
  }
}

/** Vectors that are about what MLflow sets by itself. */
const DEFAULTS = new Set(["params: defaults (vars)", "params: to_dict of defaults", "request: default"]);

function readParams(value: unknown, { name, input }: Vector): unknown {
  return DEFAULTS.has(name) ? value : withoutForced(value, input);
}

/** Parameters. */
export const PARAMS: Group = {
  title: "ChatParams",
  runs: "`parseChatParams`",
  holds: ({ name }) => /^params\b/.test(name),
  run: ({ name, input }) => {
    if (name === "params: attribute assignment unvalidated") {
      const params = parseChatParams({});
      // Not that TypeScript would let one.
      Reflect.set(params, "n", "x");
      return params;
    }
    return parseChatParams(input);
  },
  read: readParams,
  different: PARAMS_DIFFERENT,
};

/** Requests. */
export const REQUESTS: Group = {
  title: "ChatCompletionRequest",
  runs: "`parseChatRequest`",
  holds: ({ name }) => /^request\b/.test(name),
  run: runRequest,
  read: readParams,
  different: REQUESTS_DIFFERENT,
};

const HELLO = { role: "user", content: "x" };
const OWN_PARAMS = {
  custom_inputs: {},
  frequency_penalty: 0,
  max_tokens: 1,
  messages: [HELLO],
  n: 1,
  presence_penalty: 0,
  stop: ["a"],
  stream: false,
  temperature: 1,
  tools: [],
  top_k: 1,
  top_p: 1,
};

/** What comes nearest to an instance of MLflow's class. */
class Message {
  readonly role = "user";
  readonly content = "x";
}

function runRequest({ name, input }: Vector): unknown {
  if (name === "request.keys()") {
    const { messages, params } = parseChatRequest(OWN_PARAMS);
    return Object.keys({ messages, ...params }).sort();
  }
  const given = name === "request: mixed" ? { messages: [HELLO, new Message()] } : input;
  const { messages, model, params } = parseChatRequest(given);
  return { messages, ...(isRecord(params) ? params : {}), ...(model !== undefined && { model }) };
}
