import { assertEquals } from "@std/assert";
import { ChatModel, loadChatModel, type PredictOptions, requestContext, type StartedCall } from "../../mod.ts";

Deno.test("requestContext() reads what headers say of a request", () => {
  assertEquals(requestContext(new Headers()), {});
  assertEquals(
    requestContext(
      new Headers({
        traceparent: " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
        tracestate: "a=b",
        "x-session-id": "s1",
        "x-openwebui-chat-id": "s2",
        "x-openwebui-user-id": "u2",
      }),
    ),
    {
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      tracestate: "a=b",
      session: "s1",
      user: "u2",
    },
  );
  // Alone it says nothing; and what is that long is no id.
  assertEquals(requestContext(new Headers({ tracestate: "a=b", "x-user-id": "x".repeat(513) })), {});
});

Deno.test("PredictOptions.requestContext is read only when an observer asks", async () => {
  class Whole extends ChatModel {
    override predict() {
      return "Hello";
    }
  }
  let reads = 0;
  const model = await loadChatModel(Whole);
  const calls: StartedCall[] = [];
  const options: PredictOptions = {
    observer: { begin: (call) => void calls.push(call) },
    get requestContext() {
      reads++;
      return { session: "s1" };
    },
  };
  await model.predict({ messages: [{ role: "user", content: "Hi" }] }, options);
  assertEquals(reads, 0);
  assertEquals(calls[0]?.requestContext, { session: "s1" });
  assertEquals(reads, 1);
});
