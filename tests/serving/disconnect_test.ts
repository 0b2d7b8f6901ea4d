import { assert, assertEquals } from "@std/assert";
import { DISCONNECTS, leave, momentToLeave, NEXT, startDisconnect } from "./_disconnects.ts";
import { ask, requestBody, within } from "./_stack.ts";

for (const [name, disconnect] of Object.entries(DISCONNECTS)) {
  Deno.test(`createApp() closes the upstream's connection when the client leaves: ${name}`, async () => {
    await using stack = await startDisconnect(disconnect);
    const { closedByPeer, calls } = await leave(disconnect, { stack });
    assertEquals([closedByPeer, calls], [true, disconnect.calls ?? 1]);
    assertEquals(stack.errors, [], "that a client leaves is no failure of the server");
    const { content } = await ask(stack, { ...disconnect.asking, prompt: NEXT });
    assertEquals(content, "Fine");
  });

  Deno.test(`createApp() closes the upstream's connection when the client aborts its fetch: ${name}`, async () => {
    await using stack = await startDisconnect(disconnect);
    const { asking, got, calls = 1 } = disconnect;
    const controller = new AbortController();
    const fetched = fetch(`${stack.url}${asking.path ?? "/v1/chat/completions"}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: requestBody(asking),
      signal: controller.signal,
    });
    let reading: Promise<unknown> = fetched;
    await momentToLeave(stack, disconnect);
    if (got !== undefined) {
      const { body } = await fetched;
      assert(body !== null);
      const reader = body.getReader();
      if (got === "One") await reader.read();
      reading = reader.read();
    }
    controller.abort();
    assertEquals(await reading.then(() => "read", (error) => error.name), "AbortError");
    await within(stack.upstream.allClosed(), "the upstream's connections to close");
    assertEquals(stack.upstream.connections.map(({ closedByPeer }) => closedByPeer), Array(calls).fill(true));
    assertEquals(stack.errors, []);
  });
}

Deno.test("createApp() closes the upstream's connection when the client leaves after a garbage collection", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-net=127.0.0.1", "--v8-flags=--expose-gc", "disconnect_after_gc.ts"],
    cwd: new URL("./", import.meta.url),
  }).output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, output);
  assertEquals(output.trim().split("\n"), Object.keys(DISCONNECTS).map((name) => `${name}: 5 of 5 closed`));
});
