import { assertEquals, assertRejects } from "@std/assert";
import { type ChatCompletionRequest, ValidationError } from "../../../mod.ts";
import { json, startFakeUpstream } from "../../support/fake_upstream.ts";
import { answer, bodies, load, MESSAGES, PNG, withCapabilities } from "./_ollama_model.ts";

const IMAGE: ChatCompletionRequest["messages"] = [{
  role: "user",
  content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } }],
}];

const SOUND: ChatCompletionRequest["messages"] = [{
  role: "user",
  content: [{ type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } }],
}];

Deno.test("OllamaChatModel sends images and sound to models that see and hear, and to servers that do not tell", async () => {
  for (const capabilities of [["vision", "audio"], undefined]) {
    await using upstream = await startFakeUpstream(withCapabilities(capabilities, json(answer("x"))));
    const model = await load(upstream);
    await model.predict({ messages: [...IMAGE, ...SOUND] });
    assertEquals(bodies(upstream)[0]?.messages, [
      { role: "user", content: "", images: [PNG] },
      { role: "user", content: "", images: ["UklGRg=="] },
    ]);
  }
});

Deno.test("OllamaChatModel refuses images and sound for models that cannot take them", async () => {
  await using upstream = await startFakeUpstream(withCapabilities(["completion"], json(answer("x"))));
  const model = await load(upstream);
  const error = await assertRejects(() => model.predict({ messages: [...SOUND, ...IMAGE] }), ValidationError);
  assertEquals(error.issues.map(({ path }) => path), ["messages.1.content.0", "messages.0.content.0"]);
  assertEquals([error.status, error.code], [400, "unsupported_value"]);
  assertEquals(bodies(upstream), []);
});

Deno.test("OllamaChatModel fetches images from allowed hosts and keeps their order", async () => {
  await using upstream = await startFakeUpstream(withCapabilities(["vision"], json(answer("x"))));
  const bytes = Uint8Array.from(atob(PNG), (c) => c.charCodeAt(0));
  await using images = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response(bytes));
  const url = `http://127.0.0.1:${images.addr.port}/a.png`;
  const model = await load(upstream, { allowedImageHosts: ["127.0.0.1"] });
  await model.predict({
    messages: [
      ...MESSAGES,
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: `data:image/gif;base64,${btoa("GIF89a")}` } },
          { type: "image_url", image_url: { url } },
        ],
      },
    ],
  });
  assertEquals(bodies(upstream)[0]?.messages, [
    { role: "user", content: "Hi" },
    { role: "user", content: "", images: [btoa("GIF89a"), PNG] },
  ]);

  const strict = await load(upstream);
  const messages = [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }] as const;
  const error = await assertRejects(() => strict.predict({ messages }), ValidationError, "allowedImageHosts");
  assertEquals(error.param, "messages.0.content.0.image_url.url");
});
