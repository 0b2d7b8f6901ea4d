import { assertEquals } from "@std/assert";
import { ChatModel, ChatModelError } from "../../../mod.ts";
import { createApp, listen } from "../../../serve.ts";
import { AccessLog } from "../../../serving/access_log.ts";
import { Admission } from "../../../serving/limits/mod.ts";
import { ask, CHAT, chat, Parrot, TWO_KEYS } from "../guards/_guarded.ts";
import { ATTACKS, type Target } from "./_attacks.ts";

/** Fails with what no one may see in it but its author. */
class Broken extends ChatModel {
  override predict(): never {
    throw new ChatModelError("Cannot answer: it is broken", { code: "model_error" });
  }
}

/** A server with all its guards up, that is impatient. */
async function start(): Promise<Target & AsyncDisposable> {
  let text = "";
  const decoder = new TextDecoder();
  const log = new AccessLog({
    write(bytes) {
      text += decoder.decode(bytes);
      return Promise.resolve(bytes.length);
    },
  }, { onWarning: (message) => text += message });
  const app = createApp({ parrot: Parrot, secret: Parrot, broken: Broken }, {
    apiKeys: TWO_KEYS,
    allowedHosts: [],
    admission: new Admission({ maxConcurrency: 20 }),
    onRequest: (record) => log.log(record),
    onError: (error, id) => text += `${id}: ${error.message}\n`,
  });
  const server = await listen(app, { port: 0, headersTimeout: 400, bodyTimeout: 400 });
  return {
    port: server.addr.port,
    log: () => text,
    async [Symbol.asyncDispose]() {
      server.shutdown();
      await server.finished;
      await log.close();
    },
  };
}

for (const { name, run } of ATTACKS) {
  Deno.test(`listen() withstands ${name}`, async () => {
    await using target = await start();
    await run(target);
    // It goes on.
    const url = `http://127.0.0.1:${target.port}`;
    const answer = await ask({ url }, CHAT, { body: chat("Still there?"), as: "all" });
    assertEquals(answer.json.choices[0].message.content, "Still there?");
    const stream = await ask({ url }, CHAT, { body: chat("Still there?", { stream: true }), as: "all" });
    assertEquals(stream.text.endsWith("data: [DONE]\n\n"), true);
  });
}
