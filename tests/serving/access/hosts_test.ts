import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { checkHost, isLoopbackAddress, isLoopbackHost, parseAllowedHost } from "../../../serving/access/mod.ts";
import { ChatModelError } from "../../../types/mod.ts";

const LOCAL = [
  "localhost",
  "localhost:8000",
  "LocalHost:8000",
  "localhost.",
  "localhost.:8000",
  "chat.localhost",
  "a.b-c.localhost:8000",
  "127.0.0.1",
  "127.0.0.1:65535",
  "127.255.3.4",
  "[::1]",
  "[::1]:8000",
];

const FOREIGN = [
  "",
  ":8000",
  ".",
  ".localhost",
  "evil.example",
  "evil.example:8000",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "evil-localhost",
  "notlocalhost",
  "localhost@evil.example",
  "evil.example@localhost",
  "evil.example#localhost",
  "evil.example/localhost",
  "evil.example?.localhost",
  "evil.example\\localhost",
  "localhost:8000:8000",
  "localhost:http",
  "localhost..",
  " localhost",
  "localhost ",
  "localhost\n",
  "evil.example\nlocalhost",
  "localhost, evil.example",
  "127.0.0.256",
  "127.0.0.01",
  "127.1",
  "2130706433",
  "0x7f000001",
  "128.0.0.1",
  "0.0.0.0",
  "192.168.0.1",
  "169.254.169.254",
  "[::]",
  "::1",
  "[::1",
  "[::2]",
  "[::1].evil.example",
  "[fe80::1%25eth0]",
  "\u2113ocalhost",
  "localhost\u0000",
];

Deno.test("isLoopbackHost() is true of this machine's names and addresses", () => {
  assertEquals(LOCAL.filter((host) => !isLoopbackHost(host)), []);
});

Deno.test("isLoopbackHost() is false of all else", () => {
  assertEquals(FOREIGN.filter(isLoopbackHost), []);
});

Deno.test("isLoopbackAddress() tells addresses that only this machine reaches", () => {
  assert(["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"].every(isLoopbackAddress));
  assertEquals(["0.0.0.0", "::", "[::]", "192.168.0.1", "example.com", "", "::2"].filter(isLoopbackAddress), []);
});

Deno.test("checkHost() lets this machine's names through, and refuses others with status 403", () => {
  for (const host of LOCAL) checkHost(host, []);
  for (const host of FOREIGN) {
    const error = assertThrows(() => checkHost(host, []), ChatModelError);
    assertEquals([error.status, error.code, error.retryable], [403, "host_not_allowed", false], host);
    assertStringIncludes(error.message, "--allow-host NAME");
  }
});

Deno.test("checkHost() lets through hosts that are allowed, on any port and in any case, and no others", () => {
  const allowed = ["Chat.Example.com", "10.0.0.7", "fe80::1"].map(parseAllowedHost);
  for (
    const host of [
      ...["chat.example.com", "CHAT.example.com:8000", "chat.example.com.", "10.0.0.7:1"],
      ...["[fe80::1]", "[FE80::1]:8000", "localhost"],
    ]
  ) checkHost(host, allowed);
  for (
    const host of ["example.com", "x.chat.example.com", "chat.example.com.evil", "chat.example.com@x", "10.0.0.70"]
  ) {
    assertThrows(() => checkHost(host, allowed), ChatModelError, "Cannot serve host");
  }
});

Deno.test("checkHost() says what host it was, escaped and not all of a long one", () => {
  assertStringIncludes(
    assertThrows(() => checkHost('a"\r\nb', []), ChatModelError).message,
    'Cannot serve host "a\\"\\r\\nb": the server is for this machine only. Use localhost',
  );
  const { message } = assertThrows(() => checkHost("a".repeat(1_000_000), []), ChatModelError);
  assert(message.length < 300, message);
});

for (
  const host of [
    "",
    "https://example.com",
    "example.com:8000",
    "example.com/",
    "a b",
    "*",
    "*.example.com",
    "[::1",
    "a..b",
  ]
) {
  Deno.test(`parseAllowedHost() refuses "${host}", which could never match`, () => {
    assertThrows(
      () => parseAllowedHost(host),
      TypeError,
      `Cannot allow host "${host}": it must be a name or an address`,
    );
  });
}
