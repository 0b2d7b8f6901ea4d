import type { ChatParams, FunctionDefinition, JsonSchema } from "../../types/mod.ts";
import { allowNull } from "../json_schema/mod.ts";
import { inlineReferences, SchemaError } from "./_json_schema.ts";
import { isRecord, type RequestIssues } from "./_request_issues.ts";
import { type ArgumentsCheck, compileParameters } from "./structured_output.ts";
import { toOllamaTool } from "./tool_schema.ts";
import type { OllamaTool } from "./wire.ts";

/** A call that must be made. */
export interface ForcedCall {
  /** Names of the functions of which one must be called, each with the check of its arguments. */
  readonly checks: ReadonlyMap<string, ArgumentsCheck>;
  /** JSON Schema of a call, `{ name, arguments }`, to constrain the answer with. */
  readonly format: JsonSchema;
}

/** What to do about tools. */
export interface ToolPlan {
  /** The tools to send, maybe none. */
  readonly tools: readonly OllamaTool[];
  /** Set if one of them must be called. Ollama has no tool choice: the answer is constrained to a call instead. */
  readonly forced?: ForcedCall;
  /** Whether calls are to be answered in the deprecated form, as they were asked for. */
  readonly deprecated: boolean;
  /** Whether the model must not call, which Ollama does not know: no tools are sent, but some call without. */
  readonly forbidden?: boolean;
  /** Names of the tools that may be called, where some are left out. Models call what they know from elsewhere, too. */
  readonly allowed?: ReadonlySet<string>;
}

interface Offer {
  readonly definition: FunctionDefinition;
  readonly path: string;
}

type Choice =
  | { readonly mode: "none" | "auto" }
  | { readonly mode: "required"; readonly only?: readonly string[]; readonly path: string }
  | { readonly mode: "subset"; readonly only: readonly string[]; readonly path: string };

/**
 * Decides which tools to send and whether one must be called.
 *
 * @param params The request's parameters.
 * @param issues Where to note what is wrong.
 * @returns What to do.
 */
export function planTools(params: ChatParams, issues: RequestIssues): ToolPlan {
  const { offers, deprecated } = collectOffers(params, issues);
  const choice = readChoice(params, issues);
  if (choice.mode === "none") return { tools: [], deprecated, forbidden: true };
  const only = "only" in choice ? choice.only : undefined;
  if ("path" in choice) {
    if (offers.length === 0) issues.add({ path: choice.path, message: "demands a tool, but no tools are given" });
    else if (only?.length === 0) issues.add({ path: choice.path, message: "must name at least one of the tools" });
    else {
      for (const name of only ?? []) {
        if (offers.some((offer) => offer.definition.name === name)) continue;
        issues.add({ path: choice.path, message: `names the tool "${name}", which is not among the tools` });
      }
    }
  }
  const chosen = only === undefined ? offers : offers.filter(({ definition }) => only.includes(definition.name));
  const tools = chosen.flatMap((offer) => convert(offer, issues, toOllamaTool));
  if (choice.mode === "subset") return { tools, deprecated, allowed: new Set(choice.only) };
  if (choice.mode !== "required" || chosen.length === 0) return { tools, deprecated };
  const calls = chosen.flatMap((offer) =>
    convert(offer, issues, (definition) => ({
      name: definition.name,
      format: callSchema(definition),
      check: compileParameters(definition),
    }))
  );
  const checks = new Map(calls.map(({ name, check }) => [name, check]));
  const [first] = calls;
  const format = calls.length === 1 && first !== undefined
    ? first.format
    : { anyOf: calls.map(({ format }) => format) };
  return { tools, deprecated, forced: { checks, format } };
}

function convert<T>(
  offer: Offer,
  issues: RequestIssues,
  make: (definition: FunctionDefinition) => T,
): T[] {
  try {
    return [make(offer.definition)];
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    issues.add({ path: [offer.path, "parameters", ...error.path].join("."), message: error.message });
    return [];
  }
}

function callSchema(definition: FunctionDefinition): JsonSchema {
  return {
    type: "object",
    properties: {
      name: { type: "string", enum: [definition.name] },
      arguments: { type: "object", properties: {}, ...allowNull(inlineReferences(definition.parameters ?? {})) },
    },
    required: ["name", "arguments"],
    additionalProperties: false,
  };
}

function collectOffers(params: ChatParams, issues: RequestIssues): { offers: readonly Offer[]; deprecated: boolean } {
  const offers: Offer[] = [];
  params.tools?.forEach((tool, i) => {
    if (tool.type === "function") offers.push({ definition: tool.function, path: `tools.${i}.function` });
    else issues.addUnsupported(`tools.${i}.type`, 'must be "function", as models of Ollama know no custom tools');
  });
  params.functions?.forEach((definition, i) => offers.push({ definition, path: `functions.${i}` }));
  const names = new Set<string>();
  for (const { definition: { name }, path } of offers) {
    if (names.has(name)) issues.add({ path: `${path}.name`, message: "must not be the name of another tool as well" });
    names.add(name);
  }
  return { offers, deprecated: params.functions !== undefined && params.tools === undefined };
}

function readChoice(params: ChatParams, issues: RequestIssues): Choice {
  const { tool_choice: choice, function_call: call } = params;
  if (choice === undefined) {
    if (call === undefined || typeof call === "string") return { mode: call ?? "auto" };
    return { mode: "required", only: [call.name], path: "function_call" };
  }
  if (choice === "required") return { mode: choice, path: "tool_choice" };
  if (typeof choice === "string") return { mode: choice };
  switch (choice.type) {
    case "function":
      return { mode: "required", only: [choice.function.name], path: "tool_choice.function.name" };
    case "allowed_tools": {
      const { mode, tools } = choice.allowed_tools;
      const only = tools.flatMap((tool, i) => allowedName(tool, `tool_choice.allowed_tools.tools.${i}`, issues));
      return { mode: mode === "required" ? "required" : "subset", only, path: "tool_choice.allowed_tools.tools" };
    }
    case "custom":
      issues.addUnsupported("tool_choice.type", "must not be a custom tool, as models of Ollama know none");
      return { mode: "auto" };
  }
}

/** The name of an allowed tool, in the form of Chat Completions or of the Responses API. */
function allowedName(tool: { readonly [key: string]: unknown }, path: string, issues: RequestIssues): string[] {
  const name = isRecord(tool.function) ? tool.function.name : tool.name;
  if (typeof name === "string") return [name];
  issues.add({ path, message: "must name a function" });
  return [];
}
