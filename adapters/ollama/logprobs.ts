import type { TokenLogprob } from "../../types/mod.ts";
import type { OllamaTokenLogprob } from "./wire.ts";

/**
 * Puts a token into OpenAI's form.
 *
 * @param token The token as Ollama sends it.
 * @returns The token as OpenAI's clients read it.
 */
export function toTokenLogprob(token: OllamaTokenLogprob): TokenLogprob {
  return {
    token: token.token,
    logprob: token.logprob,
    bytes: token.bytes ?? null,
    top_logprobs: (token.top_logprobs ?? []).map((other) => ({
      token: other.token,
      logprob: other.logprob,
      bytes: other.bytes ?? null,
    })),
  };
}

/** What surrounds the text that tokens are picked for. */
export interface PickLogprobsOptions {
  /** Whether all tokens are known to belong to the text, even if they do not look so. */
  readonly all?: boolean;
  /** Whether the text comes before the rest, such as a tool call, rather than after it. */
  readonly first?: boolean;
}

/**
 * Picks the tokens that make up a text. Ollama also reports those of thinking, of tags, of tool calls and of the stop
 * text, none of which OpenAI's `logprobs.content` has. A token that lies across the text's border is kept.
 *
 * Tokens that cut a UTF-8 character have U+FFFD for it (Ollama 0.24), so the text may not be found in them.
 *
 * @param tokens The tokens, in order.
 * @param text The text.
 * @param options What surrounds it.
 * @returns The tokens; `undefined` if they cannot be told apart from others.
 */
export function pickLogprobs(
  tokens: readonly OllamaTokenLogprob[],
  text: string,
  options: PickLogprobsOptions = {},
): readonly OllamaTokenLogprob[] | undefined {
  const joined = tokens.map(({ token }) => token).join("");
  if (joined === text) return tokens;
  const start = options.first ? joined.indexOf(text) : joined.lastIndexOf(text);
  if (start === -1) return options.all ? tokens : undefined;
  const end = start + text.length;
  let offset = 0;
  return tokens.filter(({ token }) => {
    const from = offset;
    offset += token.length;
    return from < end && offset > start;
  });
}
