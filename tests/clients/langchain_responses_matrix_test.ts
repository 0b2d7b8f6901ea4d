/** The matrix of LangChain's `ChatOpenAI`, with responses. */
import { LANGCHAIN_RESPONSES } from "./_langchain.ts";
import { testClient } from "./_matrix.ts";

testClient(LANGCHAIN_RESPONSES);
