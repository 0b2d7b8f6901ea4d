/** The matrix of OpenAI's own client, with chat completions. */
import { testClient } from "./_matrix.ts";
import { OPENAI } from "./_openai.ts";

testClient(OPENAI);
