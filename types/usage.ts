/** What the prompt's tokens consist of. Members that are unknown are absent. */
export interface PromptTokensDetails {
  /** Tokens found in the cache. */
  readonly cached_tokens?: number;
  /** Tokens of sound. */
  readonly audio_tokens?: number;
}

/** What the answer's tokens consist of. Members that are unknown are absent. */
export interface CompletionTokensDetails {
  /** Tokens of thinking. */
  readonly reasoning_tokens?: number;
  /** Tokens of sound. */
  readonly audio_tokens?: number;
  /** Predicted tokens that occurred in the answer. */
  readonly accepted_prediction_tokens?: number;
  /** Predicted tokens that did not. */
  readonly rejected_prediction_tokens?: number;
}

/** Tokens that a call took. */
export interface Usage {
  /** Tokens of the prompt, cached ones included. */
  readonly prompt_tokens: number;
  /** Tokens of the answer, thinking included. */
  readonly completion_tokens: number;
  /** Always the sum of the two. */
  readonly total_tokens: number;
  /** What the prompt's tokens consist of. */
  readonly prompt_tokens_details?: PromptTokensDetails;
  /** What the answer's tokens consist of. */
  readonly completion_tokens_details?: CompletionTokensDetails;
  /** Whether they are estimated, as the model has not counted them; beyond OpenAI's. Absent: they are counted. */
  readonly estimated?: true;
}
