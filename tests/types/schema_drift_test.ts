import { assertEquals } from "@std/assert";
import type * as v from "valibot";
import type { chatCompletionChunk } from "../../types/_chunk_schema.ts";
import type { embeddingRequest } from "../../types/_embedding_schema.ts";
import type { errorResponse } from "../../types/_error_schema.ts";
import type { message } from "../../types/_message_schema.ts";
import type { modelList } from "../../types/_model_list_schema.ts";
import type { chatParams, namedParams } from "../../types/_params_schema.ts";
import type { chatCompletionResponse } from "../../types/_response_schema.ts";
import {
  type ChatCompletionChunk,
  chatCompletionChunkSchema,
  type ChatCompletionResponse,
  chatCompletionResponseSchema,
  type ChatMessage,
  chatMessageSchema,
  type ChatParams,
  chatParamsSchema,
  type EmbeddingRequest,
  type ErrorResponse,
  type ModelList,
  type StandardSchema,
} from "../../types/mod.ts";
import type { Equal, Expect, Known } from "./_drift.ts";

type Output<Schema extends v.GenericSchema> = Known<v.InferOutput<Schema>>;

/** Each line fails to compile when a schema and its interface say different things. */
export type Drift = [
  Expect<Equal<Output<typeof message>, Known<ChatMessage>>>,
  Expect<Equal<Output<typeof chatParams>, Known<ChatParams>>>,
  Expect<Equal<Output<typeof namedParams>, Known<Omit<ChatParams, "extra">>>>,
  Expect<Equal<Output<typeof chatCompletionResponse>, Known<ChatCompletionResponse>>>,
  Expect<Equal<Output<typeof chatCompletionChunk>, Known<ChatCompletionChunk>>>,
  Expect<Equal<Output<typeof embeddingRequest>, Known<EmbeddingRequest>>>,
  Expect<Equal<Output<typeof errorResponse>, Known<ErrorResponse>>>,
  Expect<Equal<Output<typeof modelList>, Known<ModelList>>>,
];

/** The helper itself must tell what it is there to tell. */
export type Helper = [
  Expect<Equal<Equal<Known<{ readonly a?: string }>, { a?: string }>, true>>,
  Expect<Equal<Equal<Known<{ a?: string }>, Known<{ a: string }>>, false>>,
  Expect<Equal<Equal<Known<{ a: string }>, Known<{ a: string; b?: number }>>, false>>,
  Expect<Equal<Equal<Known<{ a: { b: string }[] }>, Known<{ a: readonly { b: string; c?: 1 }[] }>>, false>>,
  Expect<Equal<Equal<Known<{ a: string; [key: string]: unknown }>, { a: string }>, true>>,
];

async function validate<T>(schema: StandardSchema<T>, value: unknown): Promise<T | readonly string[]> {
  const result = await schema["~standard"].validate(value);
  return result.issues === undefined ? result.value : result.issues.map((issue) => issue.message);
}

Deno.test("chatMessageSchema drops null, as parseChatMessage() does, when used as a Standard Schema", async () => {
  const message = { role: "assistant", content: null, name: "a" };
  assertEquals(await validate<unknown>(chatMessageSchema, message), { role: "assistant", name: "a" });
  assertEquals(await validate<unknown>(chatMessageSchema, []), ["Expected an object, found an empty array"]);
});

Deno.test("chatParamsSchema sorts unknown fields out when used as a Standard Schema", async () => {
  assertEquals(await validate<unknown>(chatParamsSchema, { n: null, top_k: 1, x: null }), {
    top_k: 1,
    extra: { x: null },
  });
  assertEquals(await validate<unknown>(chatParamsSchema, { n: 0 }), ["Expected an integer from 1 to 128, found 0"]);
});

Deno.test("chatCompletionResponseSchema and chatCompletionChunkSchema refuse each other's objects", async () => {
  const shared = { id: "1", created: 1, model: "m", choices: [] };
  const response = { ...shared, object: "chat.completion" };
  const chunk = { ...shared, object: "chat.completion.chunk" };
  assertEquals(await validate<unknown>(chatCompletionResponseSchema, response), response);
  assertEquals(await validate<unknown>(chatCompletionChunkSchema, chunk), chunk);
  assertEquals(await validate<unknown>(chatCompletionResponseSchema, chunk), [
    'Expected "chat.completion", found "chat.completion.chunk"',
  ]);
  assertEquals(await validate<unknown>(chatCompletionChunkSchema, response), [
    'Expected "chat.completion.chunk", found "chat.completion"',
  ]);
});
