import { assert, assertEquals, assertThrows } from "@std/assert";
import { DEFAULT_PERMISSIONS, parsePermissions } from "../../models/permissions.ts";
import { ChatModelError } from "../../types/mod.ts";

Deno.test("parsePermissions() gives back what it is given, without what is not said", () => {
  const given = {
    net: ["127.0.0.1:11434"],
    env: ["OLLAMA_HOST"],
    read: true,
    write: false,
    run: [],
    sys: ["osRelease"],
    ffi: false,
  };
  assertEquals(parsePermissions(given), given);
  assertEquals(Object.keys(parsePermissions({ net: true, env: undefined })), ["net"]);
  assertEquals(parsePermissions({}), {});
  assertEquals(parsePermissions(DEFAULT_PERMISSIONS), { net: true, env: true });
});

const WRONG: readonly (readonly [unknown, string])[] = [
  ["all", "an object of net"],
  [null, "an object of net"],
  [[], "an object of net"],
  [{ network: true }, '"network"'],
  [{ import: true }, '"import"'],
  [{ net: "127.0.0.1" }, '"net"'],
  [{ net: [1] }, '"net'],
  [{ read: [""] }, '"read'],
  [{ env: 1 }, '"env"'],
];

for (const [value, part] of WRONG) {
  Deno.test(`parsePermissions() refuses ${JSON.stringify(value)}`, () => {
    const error = assertThrows(() => parsePermissions(value), ChatModelError, part);
    assertEquals([error.code, error.status], ["invalid_permissions", 500]);
    assert(error.message.startsWith("Cannot read permissions"));
  });
}
