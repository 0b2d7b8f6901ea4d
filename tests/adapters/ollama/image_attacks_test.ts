/** URLs of images by which a server would ask what only it can reach (SSRF). */
import { assert, assertEquals } from "@std/assert";
import { ValidationError } from "../../../types/mod.ts";
import { loadChatModel } from "../../../loaded_chat_model.ts";
import { OllamaChatModel, OllamaClient } from "../../../adapters/ollama/mod.ts";
import { json, startFakeUpstream, text } from "../../support/fake_upstream.ts";
import { done } from "../../serving/_stack.ts";

/** Names of 127.0.0.1 and of what is near a server, as URLs can have them; `PORT` is one where a server listens. */
const HOSTS = [
  "127.0.0.1:PORT",
  "127.1:PORT",
  "0177.0.0.1:PORT",
  "0x7f.0.0.1:PORT",
  "0x7f000001:PORT",
  "2130706433:PORT",
  "0:PORT",
  "0.0.0.0:PORT",
  "[::1]:PORT",
  "[::]:PORT",
  "[::ffff:127.0.0.1]:PORT",
  "[::ffff:7f00:1]:PORT",
  "[0:0:0:0:0:ffff:7f00:0001]:PORT",
  "localhost:PORT",
  "LOCALHOST:PORT",
  "localhost.:PORT",
  "any.localhost:PORT",
  "①②⑦.⓪.⓪.①:PORT",
  "127%2e0%2e0%2e1:PORT",
  "images.example.com@127.0.0.1:PORT",
  "images.example.com:80@127.0.0.1:PORT",
  "127.0.0.1:PORT\\@images.example.com",
  "127.0.0.1:PORT#images.example.com",
  "127.0.0.1:PORT?images.example.com",
  // Names of which anyone can make one that resolves to an address near the server.
  "images.example.com.evil.test",
  "127.0.0.1.nip.io:PORT",
  "169.254.169.254",
  "[fd00:ec2::254]",
  "metadata.google.internal",
  "10.0.0.1",
  "192.168.0.1",
];

const SCHEMES = ["http", "https", "HTTP"];

const OTHERS = [
  "file:///etc/passwd",
  "ftp://127.0.0.1/",
  "gopher://127.0.0.1/",
  "blob:http://127.0.0.1/1",
  "javascript:1",
];

async function askWith(model: OllamaChatModel, url: string): Promise<unknown> {
  const loaded = await loadChatModel(model);
  const content = [{ type: "image_url" as const, image_url: { url } }];
  return await loaded.predict({ messages: [{ role: "user", content }] }).then(() => undefined, (error) => error);
}

for (const allowedImageHosts of [[], ["images.example.com"]]) {
  Deno.test(`OllamaChatModel asks no one for an image but ${allowedImageHosts.join() || "those it may"}`, async () => {
    await using near = await startFakeUpstream([text("secret")]);
    await using ollama = await startFakeUpstream([json(done("Hi"))]);
    const client = new OllamaClient({ host: ollama.url });
    const model = new OllamaChatModel({ model: "plain", client, allowedImageHosts });
    const { port } = new URL(near.url);
    const urls = SCHEMES.flatMap((scheme) => HOSTS.map((host) => `${scheme}://${host.replace("PORT", port)}`));
    for (const url of [...urls, ...OTHERS]) {
      const error = await askWith(model, url);
      assert(error instanceof ValidationError, `${url}: ${error}`);
      assert(error.code === "unsupported_value" || error.code === "invalid_image_url", `${url}: ${error.code}`);
      assertEquals(error.param, "messages.0.content.0.image_url.url");
    }
    assertEquals([near.connections.length, ollama.connections.length], [0, 0]);
  });
}

/** Where a host that is allowed may try to send who asks. `OTHER` is the port of another server, `OWN` its own. */
const REDIRECTS = [
  "http://127.0.0.1:OTHER/",
  "http://localhost:OWN/",
  "http://[::ffff:127.0.0.1]:OTHER/",
  "http://2130706433:OTHER/",
  "//127.0.0.1:OTHER/",
  "http://127.0.0.1:OWN@127.0.0.1:OTHER/",
  "\\\\127.0.0.1:OTHER/",
  "http://169.254.169.254/latest/meta-data/",
  "file:///etc/passwd",
  "data:image/png;base64,AAAA",
  "http://[",
];

for (const status of [301, 302, 303, 307, 308]) {
  Deno.test(`OllamaChatModel follows no redirect with ${status} away from a host that is allowed`, async () => {
    await using near = await startFakeUpstream([text("secret")]);
    let location = "";
    await using allowed = await startFakeUpstream(() => text("", { status, headers: { location } }));
    await using ollama = await startFakeUpstream([json(done("Hi"))]);
    const { host, port } = new URL(allowed.url);
    const client = new OllamaClient({ host: ollama.url });
    const model = new OllamaChatModel({ model: "plain", client, allowedImageHosts: [host] });
    for (const redirect of REDIRECTS) {
      location = redirect.replaceAll("OTHER", new URL(near.url).port).replaceAll("OWN", port);
      const before = allowed.requests.length;
      const error = await askWith(model, `${allowed.url}/a.png`);
      assert(error instanceof ValidationError, `${location}: ${error}`);
      assertEquals([error.code, allowed.requests.length], ["invalid_image_url", before + 1], location);
      assertEquals(error.message.includes("secret"), false);
    }
    assertEquals(near.connections.length, 0);
    assertEquals(ollama.requests.filter(({ path }) => path !== "/api/show"), []);
  });
}
