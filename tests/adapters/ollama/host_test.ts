import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseOllamaHost } from "../../../adapters/ollama/host.ts";
import { ChatModelError } from "../../../types/mod.ts";

const CASES: readonly (readonly [string | undefined, string])[] = [
  [undefined, "http://127.0.0.1:11434"],
  ["", "http://127.0.0.1:11434"],
  ["   ", "http://127.0.0.1:11434"],
  ["1.2.3.4", "http://1.2.3.4:11434"],
  [":1234", "http://127.0.0.1:1234"],
  ["1.2.3.4:1234", "http://1.2.3.4:1234"],
  ["example.com", "http://example.com:11434"],
  ["example.com:1234", "http://example.com:1234"],
  [":0", "http://127.0.0.1:0"],
  ["[::1]", "http://[::1]:11434"],
  ["::1", "http://[::1]:11434"],
  ["[::1]:1337", "http://[::1]:1337"],
  ["2001:db8::1", "http://[2001:db8::1]:11434"],
  [" 1.2.3.4 ", "http://1.2.3.4:11434"],
  ['"1.2.3.4"', "http://1.2.3.4:11434"],
  [' " 1.2.3.4 " ', "http://1.2.3.4:11434"],
  ["'1.2.3.4'", "http://1.2.3.4:11434"],
  ["http://1.2.3.4", "http://1.2.3.4"],
  ["http://1.2.3.4:4321", "http://1.2.3.4:4321"],
  ["https://1.2.3.4", "https://1.2.3.4"],
  ["https://1.2.3.4:4321", "https://1.2.3.4:4321"],
  ["http://1.2.3.4:443", "http://1.2.3.4:443"],
  ["1.2.3.4:80", "http://1.2.3.4"],
  ["https://example.com/ollama", "https://example.com/ollama"],
  ["https://example.com/a/b//", "https://example.com/a/b"],
  ["example.com/ollama", "http://example.com:11434/ollama"],
  ["example.com:1234/", "http://example.com:1234"],
  ["http://[::1]", "http://[::1]"],
  ["http://[::1]:8080/x/", "http://[::1]:8080/x"],
  ["ollama.com", "https://ollama.com"],
  ["https://ollama.com/", "https://ollama.com"],
  ["0.0.0.0", "http://127.0.0.1:11434"],
  ["0.0.0.0:8080", "http://127.0.0.1:8080"],
  ["http://0.0.0.0:11434", "http://127.0.0.1:11434"],
  ["::", "http://[::1]:11434"],
  ["[::]", "http://[::1]:11434"],
  ["[::]:1337", "http://[::1]:1337"],
  ["0:0:0:0:0:0:0:0", "http://[::1]:11434"],
];

for (const [value, url] of CASES) {
  Deno.test(`parseOllamaHost() makes ${url} of ${JSON.stringify(value)}`, () => {
    assertEquals(parseOllamaHost(value), { url, headers: {} });
  });
}

for (
  const [value, url] of [
    [":66000", "http://127.0.0.1:11434"],
    [":-1", "http://127.0.0.1:11434"],
    ["1.2.3.4:", "http://1.2.3.4:11434"],
    ["1.2.3.4:http", "http://1.2.3.4:11434"],
    ["http://1.2.3.4:99999", "http://1.2.3.4"],
    ["https://example.com:x/ollama", "https://example.com/ollama"],
    ["[::1]:70000", "http://[::1]:11434"],
  ] as const
) {
  Deno.test(`parseOllamaHost() replaces the port of ${JSON.stringify(value)} and says so`, () => {
    const host = parseOllamaHost(value);
    assertEquals(host.url, url);
    assertStringIncludes(host.warning ?? "", "is not between 0 and 65535");
  });
}

Deno.test("parseOllamaHost() makes a header of user and password", () => {
  assertEquals(parseOllamaHost("https://me:s%40cret@example.com/ollama"), {
    url: "https://example.com/ollama",
    headers: { authorization: `Basic ${btoa("me:s@cret")}` },
  });
  assertEquals(parseOllamaHost("me@example.com").headers, { authorization: `Basic ${btoa("me:")}` });
  assertEquals(parseOllamaHost("http://me:100%@0.0.0.0:1").headers, { authorization: `Basic ${btoa("me:100%")}` });
});

Deno.test("parseOllamaHost() throws without a password in the message when no URL can be made of the value", () => {
  for (const value of ["ftp://me:secret@example.com", "http://me:secret@exa mple.com", "a:b:secret-free:c"]) {
    const error = assertThrows(() => parseOllamaHost(value), ChatModelError, "Cannot read Ollama's address");
    assertEquals(error.code, "invalid_host");
    assert(!error.message.includes("me:secret"), error.message);
  }
});
