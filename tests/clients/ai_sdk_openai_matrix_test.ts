/** The matrix of the AI SDK with its provider of OpenAI, which asks /v1/responses by default. */
import { AI_SDK_OPENAI } from "./_ai_sdk.ts";
import { testClient } from "./_matrix.ts";

testClient(AI_SDK_OPENAI);
