/** The matrix of LangChain's `ChatOpenAI`, with chat completions. */
import { LANGCHAIN } from "./_langchain.ts";
import { testClient } from "./_matrix.ts";

testClient(LANGCHAIN);
