/** Every body and frame of legacy completions, validated against OpenAI's own schemas. */
import { assert, assertEquals } from "@std/assert";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { FailingChatModel, FAILURES, ScriptedChatModel, SCRIPTS } from "../clients/_scripted.ts";
import { checkedApp, newTally } from "./_checked_app.ts";

const PATH = "/v1/completions";

/** Whole; streamed without usage; streamed with it. */
const WAYS = [{}, { stream: true }, { stream: true, stream_options: { include_usage: true } }];

Deno.test("completions of the demo model are as OpenAI's schema says, in every form", async () => {
  const app = checkedApp({ demo: DemoChatModel });
  const requests = [{}, { max_tokens: 3 }, { stop: "echoes" }, { n: 2, seed: 1 }, { prompt: ["one", "two"] }];
  for (const request of requests) {
    for (const way of WAYS) {
      const { status } = await app.post(PATH, { model: "demo", prompt: "Hi there", ...request, ...way });
      assertEquals(status, 200, JSON.stringify(request));
    }
  }
  const { bodies, streams, frames, errors, unknown } = app.tally;
  assertEquals([bodies, streams, errors], [5, 10, 0]);
  assert(frames > 100, `${frames} frames`);
  assertEquals([...unknown], []);
});

Deno.test("completions of a scripted model are as OpenAI's schema says, wherever there is a text", async () => {
  const app = checkedApp({ scripted: ScriptedChatModel });
  const refused: string[] = [];
  for (const scene of Object.keys(SCRIPTS)) {
    for (const way of WAYS) {
      const { status } = await app.post(PATH, { prompt: `${scene} please`, ...way });
      if (status !== 200) refused.push(scene);
    }
  }
  const { bodies, streams, frames, errors } = app.tally;
  // A call has no place in a text: it is an error, in streams after what came before.
  assertEquals(refused, ["tool", "text_then_tool", "both_tools", "parallel", "custom_tool", "function_call"]);
  assertEquals([bodies, streams, errors], [14, 40, 18]);
  assert(frames > 90, `${frames} frames`);
});

Deno.test("errors of completions are as OpenAI's schema says, in bodies and in frames", async () => {
  const tally = newTally();
  for (const { make, status } of FAILURES) {
    const app = checkedApp({ failing: new FailingChatModel(make) }, tally);
    for (const way of WAYS) assertEquals((await app.post(PATH, { prompt: "Hi", ...way })).status, status);
    const faltering = checkedApp({ failing: new FailingChatModel(make, ["one ", "two "]) }, tally);
    const { values } = await faltering.post(PATH, { prompt: "Hi", stream: true });
    assert("error" in Object(values.at(-1)));
  }
  const app = checkedApp({ demo: DemoChatModel }, tally);
  for (const body of [{ prompt: 5.5 }, { prompt: "Hi", temperature: 5 }, { prompt: "Hi", n: 0 }]) {
    assertEquals((await app.post(PATH, body)).status, 400, JSON.stringify(body));
  }
  assertEquals((await app.post(PATH, { model: "gpt-5", prompt: "Hi" })).status, 404);
  assertEquals([tally.bodies, tally.streams, tally.errors], [0, 3, 16]);
});
