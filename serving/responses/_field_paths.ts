/** Where a field of chat completions stands in the Responses API. */
import { ChatModelError } from "../../types/mod.ts";

const NAMES: readonly (readonly [chat: RegExp, responses: string])[] = [
  // Which item it was is not known any more: one may make several messages, or none.
  [/^messages(\..*)?$/, "input"],
  [/^response_format(\.json_schema)?(?=\.|$)/, "text.format"],
  [/^(max_completion_tokens|max_tokens)$/, "max_output_tokens"],
  [/^reasoning_effort$/, "reasoning.effort"],
  [/^verbosity$/, "text.verbosity"],
  [/^(tools\.\d+|tool_choice)\.(function|custom|allowed_tools)(?=\.|$)/, "$1"],
];

/**
 * Where in a request of the Responses API stands what a model knows by its place in a chat request.
 *
 * @param path Dotted path of a field of either API.
 * @returns Its dotted path in the Responses API.
 */
export function toResponsesPath(path: string): string {
  return NAMES.reduce((path, [chat, responses]) => path.replace(chat, responses), path);
}

/**
 * Asks a model, which knows its request by the names of chat completions, and names what is wrong with it so.
 *
 * @param answer Asks it.
 * @returns What it gives.
 * @throws What it fails with, with the field's place in the Responses API.
 */
export async function inResponsesTerms<T>(answer: () => Promise<T>): Promise<T> {
  try {
    return await answer();
  } catch (cause) {
    if (!ChatModelError.isInstance(cause) || cause.param === null) throw cause;
    const { message, status, code, type, retryable, retryAfter } = cause;
    const param = toResponsesPath(cause.param);
    if (param === cause.param) throw cause;
    const hint = retryAfter !== undefined && { retryAfter };
    throw new ChatModelError(message, { status, code, type, param, retryable, ...hint, cause });
  }
}
