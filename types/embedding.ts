/** A request for vectors of texts: the body of OpenAI's `POST /v1/embeddings`. */
export interface EmbeddingRequest {
  /** Which model is to make them. Default: the one that is asked, or the server's first. */
  readonly model?: string;
  /** One text or several, at most 2048; none of them empty. */
  readonly input: string | readonly string[];
  /** How vectors are written: as numbers, or as 32-bit floats (little-endian) in base64. @default {"float"} */
  readonly encoding_format?: "float" | "base64";
  /** Length of the vectors. Default: the model's own. */
  readonly dimensions?: number;
  /** Id of the end user. */
  readonly user?: string;
  /** Any other field: models get it in `params.extra`. */
  readonly [field: string]: unknown;
}

/** How vectors are to be made. What the caller did not set is absent. */
export interface EmbeddingParams {
  /** Length of the vectors; at least 1. Those of another length are refused. */
  readonly dimensions?: number;
  /** Id of the end user. */
  readonly user?: string;
  /** Fields of the request that this package does not know, untouched. */
  readonly extra?: { readonly [field: string]: unknown };
}

/** The vector of one text. */
export interface Embedding {
  /** Kind of object. */
  readonly object: "embedding";
  /** Position of its text in the request. */
  readonly index: number;
  /** The vector: numbers, or base64 if it was asked for. */
  readonly embedding: readonly number[] | string;
}

/** Tokens that vectors took. */
export interface EmbeddingUsage {
  /** Tokens of the texts; 0 if the model does not count them. */
  readonly prompt_tokens: number;
  /** The same: vectors take no other tokens. */
  readonly total_tokens: number;
}

/** Vectors of texts, the answer of OpenAI's `POST /v1/embeddings`. */
export interface EmbeddingResponse {
  /** Kind of object. */
  readonly object: "list";
  /** The vectors, in the order of the texts. */
  readonly data: readonly Embedding[];
  /** The model that made them. */
  readonly model: string;
  /** Tokens taken. OpenAI's clients insist on it, so it is there even if nothing is known. */
  readonly usage: EmbeddingUsage;
}
