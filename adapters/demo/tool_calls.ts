import {
  type ChatMessage,
  type ChatParams,
  type FunctionDefinition,
  type ToolDefinition,
  ValidationError,
} from "../../types/mod.ts";
import { readWrittenCall } from "./call_syntax.ts";
import { lastPrompt } from "./conversation.ts";
import { toJsonText } from "./json_text.ts";
import { type PromptFacts, readPromptFacts } from "./prompt_facts.ts";
import { fakeValue } from "./schema_faker.ts";
import { isObject } from "./schema_resolve.ts";
import { findName } from "./words.ts";

/** A call the demo model makes. */
export interface DemoCall {
  /** `function` and `custom` as in `tool_calls`; `legacy` for the deprecated `function_call`. */
  readonly kind: "function" | "custom" | "legacy";
  /** Name of the tool. */
  readonly name: string;
  /** The arguments' JSON text, or the input of a custom tool. */
  readonly input: string;
}

/**
 * Decides which tools to call and with what. The choice:
 *
 * - `tool_choice` names one: that one; `allowed_tools`: only these are on offer; `none`: none.
 * - `required`: every tool on offer once.
 * - `auto`: the tools whose names the prompt mentions; if it mentions none, every tool on offer.
 * - `parallel_tool_calls: false`: of these the first only. The deprecated `functions` are called one at a time, too.
 *
 * @param messages The conversation.
 * @param params Tools and choice.
 * @returns The calls; `undefined` if none is to be made.
 * @throws {ValidationError} If the choice names a tool that is not offered, or demands one where there is none.
 */
export function planCalls(messages: readonly ChatMessage[], params: ChatParams): DemoCall[] | undefined {
  const offered = params.tools ?? [];
  if (offered.length === 0 && params.tool_choice !== undefined) requireTools(params);
  if (offered.length === 0) return planLegacyCall(messages, params);
  const prompt = lastPrompt(messages);
  const chosen = chooseTools(offered, params, prompt);
  if (chosen.length === 0) return undefined;
  const facts = readPromptFacts(prompt);
  const called = params.parallel_tool_calls === false ? chosen.slice(0, 1) : chosen;
  return called.map((tool) =>
    tool.type === "function"
      ? { kind: "function", name: tool.function.name, input: writeArguments(tool.function, facts) }
      : { kind: "custom", name: tool.custom.name, input: prompt }
  );
}

function nameOf(tool: ToolDefinition): string {
  return tool.type === "function" ? tool.function.name : tool.custom.name;
}

function chooseTools(offered: readonly ToolDefinition[], params: ChatParams, prompt: string): ToolDefinition[] {
  const { tool_choice: choice = "auto" } = params;
  if (choice === "none") return [];
  if (choice === "required") return [...offered];
  if (choice === "auto") return preferMentioned(offered, nameOf, prompt);
  if (choice.type === "allowed_tools") {
    const { mode, tools } = choice.allowed_tools;
    tools.forEach((tool, i) => {
      if (typeof nameIn(tool) !== "string") throw unknownTool(`tool_choice.allowed_tools.tools.${i}`);
    });
    const names = new Set(tools.map((tool) => nameIn(tool)));
    const allowed = offered.filter((tool) => names.has(nameOf(tool)));
    if (allowed.length === 0) throw unknownTool("tool_choice.allowed_tools.tools");
    return mode === "required" ? allowed : preferMentioned(allowed, nameOf, prompt);
  }
  const name = choice.type === "function" ? choice.function.name : choice.custom.name;
  const named = offered.filter((tool) => tool.type === choice.type && nameOf(tool) === name);
  if (named.length === 0) throw unknownTool(`tool_choice.${choice.type}.name`);
  return named.slice(0, 1);
}

/** The name in one of the `allowed_tools`; some clients write it flat. */
function nameIn(tool: { readonly [key: string]: unknown }): unknown {
  if (isObject(tool.function)) return tool.function.name;
  return isObject(tool.custom) ? tool.custom.name : tool.name;
}

function preferMentioned<T>(offered: readonly T[], toName: (tool: T) => string, prompt: string): T[] {
  const mentioned = offered.filter((tool) => findName(prompt, toName(tool)) !== -1);
  return mentioned.length > 0 ? mentioned : [...offered];
}

function requireTools(params: ChatParams): void {
  if (params.tool_choice === "none" || params.tool_choice === "auto") return;
  throw new ValidationError("Cannot choose a tool", [{
    path: "tool_choice",
    message: 'No tools are offered; send them in "tools"',
  }]);
}

function unknownTool(path: string): ValidationError {
  return new ValidationError("Cannot choose a tool", [{
    path,
    message: 'Names no tool that is offered; add it to "tools" or choose another',
  }]);
}

function planLegacyCall(messages: readonly ChatMessage[], params: ChatParams): DemoCall[] | undefined {
  const { functions = [], function_call: choice = "auto" } = params;
  if (functions.length === 0 || choice === "none") return undefined;
  const prompt = lastPrompt(messages);
  const [called] = choice === "auto"
    ? preferMentioned(functions, (definition) => definition.name, prompt)
    : functions.filter((definition) => definition.name === choice.name);
  if (called === undefined) {
    throw new ValidationError("Cannot choose a function", [{
      path: "function_call.name",
      message: 'Names no function that is offered; add it to "functions" or choose another',
    }]);
  }
  return [{ kind: "legacy", name: called.name, input: writeArguments(called, readPromptFacts(prompt)) }];
}

function writeArguments(definition: FunctionDefinition, facts: PromptFacts): string {
  if (definition.parameters === undefined) return "{}";
  const call = readWrittenCall(facts.text, definition.name);
  const rest = call === undefined
    ? facts
    : { text: facts.text, items: facts.items.filter((item) => item.end <= call.start || item.start >= call.end) };
  // Arguments are an object, whether or not the schema says so.
  const schema = definition.parameters.type === undefined
    ? { ...definition.parameters, type: "object" }
    : definition.parameters;
  const value = fakeValue(schema, { facts: rest, given: call?.arguments ?? [] });
  return toJsonText(isObject(value) ? value : {});
}
