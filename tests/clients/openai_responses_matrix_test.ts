/** The matrix of OpenAI's own client, with responses. */
import { testClient } from "./_matrix.ts";
import { OPENAI_RESPONSES } from "./_openai_responses.ts";

testClient(OPENAI_RESPONSES);
