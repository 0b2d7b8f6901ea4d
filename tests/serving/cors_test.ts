import { assert, assertEquals } from "@std/assert";
import { ask, assertError, post, send, testApp } from "./_app.ts";

const LOCAL = [
  "http://localhost",
  "http://localhost:3000",
  "https://localhost:8443",
  "http://127.0.0.1:5173",
  "http://[::1]:5173",
  "http://app.localhost:1234",
];

const FOREIGN = [
  "https://evil.example",
  "http://localhost.evil.example",
  "http://evil.example#.localhost",
  "http://notlocalhost",
  "http://127.0.0.1.evil.example",
  "http://192.168.1.5:3000",
  "file://",
  "null",
  "",
  "localhost:3000",
  "ftp://localhost",
  "nonsense",
];

const EXPOSED = "x-request-id, retry-after, retry-after-ms, x-should-retry, openai-processing-ms, " +
  "x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, " +
  "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens";

for (const origin of LOCAL) {
  Deno.test(`CORS: pages of ${origin} may call, errors and streams included`, async () => {
    const app = testApp();
    const headers = { origin };
    const answers = [
      await post(app, ask("Hi"), { headers }),
      await post(app, ask("Hi", { stream: true }), { headers }),
      await post(app, "nonsense", { headers }),
      await send(app, "/nope", { headers }),
      await send(app, "/v1/completions", { headers }),
      await send(app, "/v1/models", { headers }),
    ];
    assertEquals(answers.map(({ status }) => status), [200, 200, 400, 404, 405, 200]);
    for (const answer of answers) {
      assertEquals(answer.headers.get("access-control-allow-origin"), origin);
      assertEquals(answer.headers.get("access-control-expose-headers"), EXPOSED);
      assertEquals(answer.headers.get("vary"), "origin");
    }
  });
}

for (const origin of FOREIGN) {
  Deno.test(`CORS: pages of "${origin}" are refused before the model is called`, async () => {
    const app = testApp();
    const headers = { origin };
    const preflight = { ...headers, "access-control-request-method": "POST" };
    for (
      const answer of [
        await post(app, ask("Hi"), { headers }),
        await send(app, "/v1/models", { headers }),
        await send(app, "/v1/chat/completions", { method: "OPTIONS", headers: preflight }),
      ]
    ) {
      assertError(answer, 403, "origin_not_allowed");
      assertEquals(answer.headers.get("access-control-allow-origin"), null);
      assert(answer.json.error.message.includes("--cors-origin"), answer.text);
    }
    assertEquals(app.errors, []);
  });
}

Deno.test("CORS: the answer to a preflight allows the headers that were asked for", async () => {
  const wanted = "authorization, content-type, x-stainless-lang, x-stainless-timeout";
  const routes = { "/v1/chat/completions": "GET, HEAD, POST", "/v1/completions": "POST", "/invocations": "POST" };
  for (const [path, methods] of Object.entries(routes)) {
    const answer = await send(testApp(), path, {
      method: "OPTIONS",
      headers: {
        origin: "http://localhost:3000",
        "access-control-request-method": "POST",
        "access-control-request-headers": wanted,
      },
    });
    assertEquals([answer.status, answer.text], [204, ""]);
    assertEquals(answer.headers.get("access-control-allow-origin"), "http://localhost:3000");
    assertEquals(answer.headers.get("access-control-allow-methods"), methods);
    assertEquals(answer.headers.get("access-control-allow-headers"), wanted);
    assertEquals(answer.headers.get("access-control-max-age"), "86400");
  }
});

Deno.test("CORS: allowedOrigins adds origins, exactly as they are written", async () => {
  const app = testApp(undefined, { allowedOrigins: ["https://app.example", "http://192.168.1.5:3000"] });
  for (const origin of ["https://app.example", "http://192.168.1.5:3000", "http://localhost:1"]) {
    assertEquals((await post(app, ask("Hi"), { headers: { origin } })).status, 200);
  }
  for (const origin of ["http://app.example", "https://app.example:444", "https://x.app.example", "null"]) {
    assertEquals((await post(app, ask("Hi"), { headers: { origin } })).status, 403);
  }
});

Deno.test('CORS: "*" lets all pages call, and echoes their origin', async () => {
  const app = testApp(undefined, { allowedOrigins: "*" });
  for (const origin of ["https://evil.example", "null"]) {
    const answer = await post(app, ask("Hi"), { headers: { origin } });
    assertEquals([answer.status, answer.headers.get("access-control-allow-origin")], [200, origin]);
    assertEquals(answer.headers.get("access-control-allow-credentials"), null);
  }
});

Deno.test("CORS: programs that send no origin get no such headers", async () => {
  const answer = await post(testApp(), ask("Hi"));
  assertEquals([...answer.headers.keys()].filter((name) => name.startsWith("access-control")), []);
});
