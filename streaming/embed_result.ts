/** A vector as authors write it. */
export type EmbeddingVector = readonly number[] | Float32Array | Float64Array;

/** What `embed` may return: a vector for each text in their order, or that with the tokens they took. */
export type EmbedResult = readonly EmbeddingVector[] | {
  /** A vector for each text, in their order. */
  readonly embeddings: readonly EmbeddingVector[];
  /** Tokens taken. Default: not counted, which is told as 0. */
  readonly usage?: { readonly prompt_tokens: number };
};
