// deno run --allow-net=127.0.0.1 --allow-read=. serve.ts --model examples/01_echo.ts
import { type ChatMessage, ChatModel, type ModelContext } from "@chatmodel/chat-model";

export default class Echo extends ChatModel {
  override predict(_context: ModelContext, messages: readonly ChatMessage[]): string {
    return `You said: ${JSON.stringify(messages.at(-1)?.content)}`;
  }
}
