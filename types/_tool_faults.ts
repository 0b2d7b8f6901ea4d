import { isJsonObject, type JsonObject } from "./_schema.ts";
import type { ValidationIssue } from "./errors.ts";
import type { ChatParams } from "./params.ts";

/** Longest name that is quoted in a message. */
const QUOTED_LENGTH = 64;

/**
 * Finds what is wrong with tools as a whole: two of one name, or a choice of one that is not among them. A choice
 * where there are no tools at all is left to the model.
 *
 * @param params The parameters, each of which is right for itself.
 * @returns What is wrong.
 */
export function findToolFaults(params: ChatParams): ValidationIssue[] {
  const { tools = [], functions = [], tool_choice: choice, function_call: call } = params;
  if (tools.length === 0 && functions.length === 0) return [];
  const issues: ValidationIssue[] = [];
  const offered = new Set<string>();
  const called = new Set<string>();
  const customs = new Set<string>();
  tools.forEach((tool, i) => {
    const [kind, name] = tool.type === "function" ? [tool.type, tool.function.name] : [tool.type, tool.custom.name];
    if (offered.has(name)) issues.push(sameName(`tools.${i}.${kind}.name`));
    offered.add(name);
    (kind === "function" ? called : customs).add(name);
  });
  // Who sends both forms of the API may well send the same functions in both.
  const deprecated = new Set<string>();
  functions.forEach(({ name }, i) => {
    if (deprecated.has(name)) issues.push(sameName(`functions.${i}.name`));
    deprecated.add(name);
    offered.add(name);
    called.add(name);
  });

  const demand = (path: string, names: ReadonlySet<string>, name: string) => {
    if (names.has(name)) return;
    issues.push({ path, message: `Expected the name of one of the tools, found ${quote(name)}` });
  };
  if (typeof call === "object") demand("function_call.name", called, call.name);
  if (typeof choice !== "object") return issues;
  if (choice.type === "function") demand("tool_choice.function.name", called, choice.function.name);
  else if (choice.type === "custom") demand("tool_choice.custom.name", customs, choice.custom.name);
  else {
    choice.allowed_tools.tools.forEach((tool, i) => {
      const name = allowedName(tool);
      if (name !== undefined) demand(`tool_choice.allowed_tools.tools.${i}`, offered, name);
    });
  }
  return issues;
}

/** The name of an allowed tool, in the form of Chat Completions or, flat, of the Responses API. */
function allowedName(tool: JsonObject): string | undefined {
  const { function: called, custom } = tool;
  const name = isJsonObject(called) ? called.name : isJsonObject(custom) ? custom.name : tool.name;
  return typeof name === "string" ? name : undefined;
}

function sameName(path: string): ValidationIssue {
  return { path, message: "Expected a name that no other of them has, found that of another" };
}

function quote(name: string): string {
  return name.length <= QUOTED_LENGTH ? JSON.stringify(name) : `a name of ${name.length} characters`;
}
