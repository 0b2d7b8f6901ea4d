import { assertEquals } from "@std/assert";
import { listen } from "../../../serve.ts";
import { testApp } from "../_app.ts";
import { checkAnswer } from "./_checked.ts";
import { Everything } from "./_models.ts";
import { findOperations } from "./_operations.ts";

/** Sends bytes on a connection of their own, and reads the answer. */
async function send(port: number, request: string): Promise<Response> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(request));
  const answer = await new Response(connection.readable).text();
  const [head = "", ...body] = answer.split("\r\n\r\n");
  const [status = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const [name = "", ...value] = line.split(": ");
    return [name, value.join(": ")];
  });
  return new Response(body.join("\r\n\r\n"), { status: Number(status.split(" ")[1]), headers });
}

/** Heads of requests that do not get as far as a route. */
const CASES: readonly (readonly [status: number, what: string, head: string])[] = [
  [400, "a header that is none", "host: localhost\r\nno header\r\n"],
  [400, "no host", ""],
  [417, "an expectation that no one knows", "host: localhost\r\nexpect: wonders\r\n"],
  [431, "a head that is too large", `host: localhost\r\nx-large: ${"x".repeat(20_000)}\r\n`],
];

for (const [method, path] of [["GET", "/ping"], ["POST", "/invocations"], ["POST", "/v1/responses"]] as const) {
  for (const [status, what, head] of CASES) {
    Deno.test(`listen() answers ${method} ${path} with ${what} as the document says`, async () => {
      const server = await listen(testApp({ everything: new Everything() }), { port: 0 });
      try {
        const response = await send(
          server.addr.port,
          `${method} ${path} HTTP/1.1\r\nconnection: close\r\n${head}\r\n`,
        );
        assertEquals((await checkAnswer(response, { path, method })).status, status);
      } finally {
        server.shutdown();
        await server.finished;
      }
    });
  }
}

for (const operation of findOperations()) {
  const [method = "", path = ""] = operation.split(" ");
  Deno.test(`listen() answers ${operation} in packed chunks as the document says`, async () => {
    const server = await listen(testApp({ everything: new Everything() }), { port: 0 });
    try {
      const head = "host: localhost\r\nconnection: close\r\ntransfer-encoding: gzip, chunked\r\n";
      const request = `${method} ${path.replace("{id}", "x")} HTTP/1.1\r\n${head}\r\n2\r\n{}\r\n0\r\n\r\n`;
      const response = await send(server.addr.port, request);
      assertEquals((await checkAnswer(response, { path, method })).status, 415);
    } finally {
      server.shutdown();
      await server.finished;
    }
  });
}
