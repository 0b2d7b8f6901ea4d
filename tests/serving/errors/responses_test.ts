import { assert, assertEquals } from "@std/assert";
import { ChatModel, ChatModelError } from "../../../mod.ts";
import { events } from "../_app.ts";
import { post } from "./_scenario.ts";
import { serve } from "./_served.ts";

/** Fails after a token with an error of the given code. */
class Breaking extends ChatModel {
  readonly #code: string;

  constructor(code: string) {
    super();
    this.#code = code;
  }

  override async *predictStream(): AsyncGenerator<string> {
    yield "One ";
    await Promise.resolve();
    throw new ChatModelError("Cannot go on: this is a test", { code: this.#code });
  }
}

/** The Responses API names few codes: those of its own schema. */
const CODES: Readonly<Record<string, string>> = {
  upstream_lost: "server_error",
  model_error: "server_error",
  overloaded: "server_error",
  rate_limit_exceeded: "rate_limit_exceeded",
};

for (const [code, own] of Object.entries(CODES)) {
  Deno.test(`listen() ends the stream of a response with ${own} when the model fails with ${code}`, async () => {
    await using served = await serve({ breaking: new Breaking(code) });
    const { status, body } = await post(served, "/v1/responses", { input: "Hello", stream: true });
    assertEquals(status, 200);
    const frames = (await events(body)).map((frame) => JSON.parse(frame));
    const last = frames.at(-1);
    assertEquals([last.type, last.response.status], ["response.failed", "failed"]);
    assertEquals(last.response.error.code, own);
    assert(last.response.error.message.includes("this is a test"));
    assertEquals(frames.filter(({ type }) => type === "response.completed"), []);
  });
}
