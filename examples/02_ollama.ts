// deno run --allow-net=127.0.0.1 --allow-env=OLLAMA_HOST examples/02_ollama.ts
// deno-lint-ignore-file no-console -- a script talks to its user
import { ChatModelError, loadChatModel } from "@chatmodel/chat-model";
import { OllamaChatModel } from "@chatmodel/chat-model/ollama";

const model = await loadChatModel(new OllamaChatModel({ model: "llama3.2:1b" }));
const question = Deno.args.join(" ") || "Why is the sky blue?";

try {
  const encoder = new TextEncoder();
  const output = Deno.stdout.writable.getWriter();
  for await (const chunk of model.predictStream({ messages: [{ role: "user", content: question }] })) {
    const text = chunk.choices[0]?.delta.content ?? "";
    await output.write(encoder.encode(text));
    if (chunk.usage) console.log(`\n(${chunk.usage.total_tokens} tokens)`);
  }
} catch (error) {
  // Such as that Ollama does not run, or lacks the model: the message says what to do about it.
  if (!ChatModelError.isInstance(error)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
