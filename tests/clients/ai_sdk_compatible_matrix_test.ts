/** The matrix of the AI SDK with its provider for servers that speak as OpenAI does. */
import { AI_SDK_COMPATIBLE } from "./_ai_sdk.ts";
import { testClient } from "./_matrix.ts";

testClient(AI_SDK_COMPATIBLE);
