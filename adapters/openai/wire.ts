/** Body of `POST /chat/completions`. Any field may be there: it is sent as it is. */
export interface OpenAIChatRequest {
  /** Name of the model, as the server knows it. */
  readonly model: string;
  /** The conversation. */
  readonly messages: readonly object[];
  /** Any other field. */
  readonly [field: string]: unknown;
}

/** Body of `POST /responses`. Any field may be there: it is sent as it is. */
export interface OpenAIResponseRequest {
  /** Name of the model, as the server knows it. */
  readonly model: string;
  /** The conversation. */
  readonly input: string | readonly object[];
  /** Any other field. */
  readonly [field: string]: unknown;
}

/** What a server answered: OpenAI's object, or what this server takes for it. Only its being an object is checked. */
export interface OpenAIAnswer {
  /** Any member. */
  readonly [member: string]: unknown;
}

/** A model that a server has. */
export interface OpenAIModel {
  /** Name to ask for it by. */
  readonly id: string;
  /** Any other member, such as `owned_by`. */
  readonly [member: string]: unknown;
}

/** Body of `POST /embeddings`. Any field may be there: it is sent as it is. */
export interface OpenAIEmbedRequest {
  /** Name of the model, as the server knows it. */
  readonly model: string;
  /** The texts. */
  readonly input: string | readonly string[];
  /** Any other field. */
  readonly [field: string]: unknown;
}

/** Vectors of texts. */
export interface OpenAIVectors {
  /** A vector for each text, in their order. */
  readonly embeddings: readonly (readonly number[])[];
  /** Tokens of the texts; absent if the server does not tell. */
  readonly promptTokens?: number;
}
