/** The matrix of the AI SDK with its provider of OpenAI, with chat completions. */
import { AI_SDK_OPENAI_CHAT } from "./_ai_sdk.ts";
import { testClient } from "./_matrix.ts";

testClient(AI_SDK_OPENAI_CHAT);
