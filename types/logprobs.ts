/** A token that could have been chosen, and how likely it was. */
export interface TopLogprob {
  /** The token's text. */
  readonly token: string;
  /** Natural logarithm of its probability. */
  readonly logprob: number;
  /** Its UTF-8 bytes; `null` where the token has no text of its own. */
  readonly bytes: readonly number[] | null;
}

/** A token of the answer, and how likely it was. */
export interface TokenLogprob extends TopLogprob {
  /** The likeliest tokens at this position; empty unless `top_logprobs` asked for them. */
  readonly top_logprobs: readonly TopLogprob[];
}

/** Log probabilities of an answer's tokens. */
export interface Logprobs {
  /** Those of the content. */
  readonly content: readonly TokenLogprob[] | null;
  /** Those of the refusal. */
  readonly refusal: readonly TokenLogprob[] | null;
}
