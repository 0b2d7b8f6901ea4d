import { assert, assertEquals } from "@std/assert";
import { walk } from "./_walk.ts";
import { ERROR_GROUPS } from "../../types/_error_table.ts";
import { ERRORS_PAGE, errorsPage } from "./_errors_page.ts";

const CODES = Object.values(ERROR_GROUPS).flatMap(Object.keys);
const FOLDERS = ["types", "streaming", "signature", "adapters", "serving", "models"];

Deno.test("docs/errors.md is what the table of errors says", async () => {
  assertEquals(await Deno.readTextFile(ERRORS_PAGE), errorsPage());
});

Deno.test("The table of errors names each code once", () => {
  assertEquals(CODES.length, new Set(CODES).size);
});

Deno.test("The table of errors has every code that the code uses, and no other", async () => {
  const used = new Set<string>();
  for await (const file of walk(FOLDERS)) {
    if (file.endsWith("_error_table.ts")) continue;
    const text = await Deno.readTextFile(file);
    for (const [, code = ""] of text.matchAll(/(?:\bcode: |\bpackagingError\(\s*)"([a-z_]+)"/g)) used.add(code);
    for (const code of CODES) if (text.includes(`"${code}"`)) used.add(code);
  }
  // Of valibot's issues and of what the Responses API itself names, which are no codes of errors here.
  const others = ["code", "server_error", "connection_failed"];
  assertEquals([...used].filter((code) => !CODES.includes(code) && !others.includes(code)), []);
  assertEquals(CODES.filter((code) => !used.has(code)), []);
  assert(used.size > 50);
});
