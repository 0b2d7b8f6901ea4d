import { chatCompletionChunk } from "./_chunk_schema.ts";
import { message } from "./_message_schema.ts";
import { chatParams } from "./_params_schema.ts";
import { chatCompletionResponse } from "./_response_schema.ts";
import type { ChatCompletionChunk } from "./chunk.ts";
import type { ChatMessage } from "./message.ts";
import type { ChatParams } from "./params.ts";
import type { ChatCompletionResponse } from "./response.ts";

/**
 * A schema that any library which knows Standard Schema (version 1, see standardschema.dev) can use. It names no
 * library of its own, so it stays good when there are several copies of one.
 *
 * @typeParam Output What a valid value is read as.
 */
export interface StandardSchema<Output> {
  /** What the standard asks for. */
  readonly "~standard": {
    /** Version of the standard. */
    readonly version: 1;
    /** Library that does the checking. */
    readonly vendor: string;
    /** Checks a value: gives either what it was read as, or all that is wrong with it. Never asynchronous here. */
    readonly validate: (value: unknown) =>
      | { readonly value: Output; readonly issues?: undefined }
      | { readonly issues: readonly { readonly message: string }[] }
      | Promise<
        | { readonly value: Output; readonly issues?: undefined }
        | { readonly issues: readonly { readonly message: string }[] }
      >;
    /** For inference only. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** Schema of one message, for use by other libraries; see also `parseChatMessage`. */
export const chatMessageSchema: StandardSchema<ChatMessage> = message;

/** Schema of parameters, for use by other libraries; see also `parseChatParams`. */
export const chatParamsSchema: StandardSchema<ChatParams> = chatParams;

/** Schema of a whole answer, for use by other libraries; see also `parseChatResponse`. */
export const chatCompletionResponseSchema: StandardSchema<ChatCompletionResponse> = chatCompletionResponse;

/** Schema of a piece of an answer, for use by other libraries; see also `parseChatChunk`. */
export const chatCompletionChunkSchema: StandardSchema<ChatCompletionChunk> = chatCompletionChunk;
