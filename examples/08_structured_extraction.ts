// deno run --allow-net=127.0.0.1 --allow-env=OLLAMA_HOST examples/08_structured_extraction.ts
// deno-lint-ignore-file no-console -- a script talks to its user
import { ChatModelError, loadChatModel } from "@chatmodel/chat-model";
import { OllamaChatModel } from "@chatmodel/chat-model/ollama";
import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";

/** What to find in a text. One definition gives the type, the schema for the model, and the check of its answer. */
const Weather = v.object({
  city: v.string(),
  temp_c: v.pipe(v.number(), v.integer()),
  tags: v.array(v.string()),
});

const model = await loadChatModel(new OllamaChatModel({ model: "llama3.2:1b", options: { temperature: 0 } }));

async function extract(text: string): Promise<v.InferOutput<typeof Weather>> {
  const { $schema: _, ...schema } = toJsonSchema(Weather);
  const { choices: [choice] } = await model.predict({
    messages: [
      // The model does not see the schema, it is only held to it: so say what is wanted.
      { role: "system", content: "Extract the city, its temperature in degrees Celsius, and words for the weather." },
      { role: "user", content: text },
    ],
    response_format: { type: "json_schema", json_schema: { name: "weather", strict: true, schema } },
    max_completion_tokens: 200,
  });
  if (choice?.finish_reason !== "stop") {
    throw new ChatModelError(`Cannot extract: the answer ended by "${choice?.finish_reason}". Allow more tokens`);
  }
  return v.parse(Weather, JSON.parse(choice.message.content ?? ""));
}

/** Small models do not always keep to a schema. An error says whether another try makes sense. */
async function extractTwice(text: string): Promise<v.InferOutput<typeof Weather>> {
  try {
    return await extract(text);
  } catch (error) {
    if (!ChatModelError.isInstance(error) || !error.retryable) throw error;
    return await extract(text);
  }
}

try {
  const { city, temp_c, tags } = await extractTwice(Deno.args[0] ?? "Paris had 21 degrees today, sunny and dry.");
  console.log(`${city}: ${temp_c} °C, ${tags.join(", ")}`);
} catch (error) {
  if (!ChatModelError.isInstance(error)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
