// deno run --allow-net=127.0.0.1 --allow-read=. serve.ts --model examples/hello.ts
import { ChatModel } from "@chatmodel/chat-model";

export default class Hello extends ChatModel {
  override predict(): string {
    return "Hello, world";
  }
}
