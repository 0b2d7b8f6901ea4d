import type { TokenLogprob } from "../../types/mod.ts";

const encoder = new TextEncoder();

/** Tokens that could have been chosen, one more than may be asked for. */
const OTHERS = "the a an this that it is was be to of in on for with and or not no yes demo".split(" ")
  .map((word) => toTopLogprob(`${word} `, 0));

function toTopLogprob(token: string, logprob: number): { token: string; logprob: number; bytes: number[] } {
  return { token, logprob, bytes: [...encoder.encode(token)] };
}

/**
 * Invents the log probability of a token, and of others in its place: always the same for the same token, the chosen
 * one likeliest, the sum of all probabilities below 1.
 *
 * @param token The token's text.
 * @param top How many of the likeliest to give, 0 to 20.
 * @returns The token as OpenAI's `logprobs` has it.
 */
export function toTokenLogprob(token: string, top: number): TokenLogprob {
  const chosen = toTopLogprob(token, -0.125 * (1 + token.length % 4));
  const others = OTHERS.filter((other) => other.token !== token)
    .slice(0, Math.max(0, top - 1))
    .map((other, position) => ({ ...other, logprob: -3 - position }));
  return { ...chosen, top_logprobs: top > 0 ? [chosen, ...others] : [] };
}
