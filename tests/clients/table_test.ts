/** That the page about clients is the one that the tests of the matrix make. */
import { assert, assertEquals } from "@std/assert";
import { CAPABILITIES, type Capability, cellName } from "./_matrix.ts";
import { SERVERS } from "./_matrix_servers.ts";
import { CLIENTS, makePage, passedTests } from "./_table.ts";

const NAMES = Object.values(CLIENTS).flatMap(({ name }) =>
  CAPABILITIES.flatMap((capability) => SERVERS.map((server) => cellName(name, capability, server.name)))
);

/** Without what a formatter changes. */
function plain(page: string): string {
  return page.replaceAll(/:?-{3,}:?|:-+:/g, "---").replaceAll(/\s+/g, " ");
}

Deno.test("makePage() makes docs/clients.md when every test of the matrix passes", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/clients.md", import.meta.url));
  assertEquals(plain(page), plain(makePage(new Set(NAMES))), "run tests/clients/_table.ts");
});

Deno.test("makePage() shows a test that did not pass", () => {
  const capability: Capability = "tool loop";
  const failed = cellName("openai", capability, SERVERS[0]?.name ?? "");
  const passed = new Set(NAMES.filter((name) => name !== failed));
  assertEquals(passed.size, NAMES.length - 1);
  const row = makePage(passed).split("\n").find((line) => line.startsWith("| `openai` |"));
  assert(row);
  const cells = row.split("|").map((cell) => cell.trim());
  assertEquals(cells.indexOf("✗"), CAPABILITIES.indexOf(capability) + 2);
  assertEquals(cells.filter((cell) => cell === "✗").length, 1);
});

Deno.test("CLIENTS names every file with a matrix, each with its client", async () => {
  const entries = await Array.fromAsync(Deno.readDir(new URL(".", import.meta.url)));
  const files = entries.map(({ name }) => name).filter((name) => name.endsWith("_matrix_test.ts"));
  assertEquals(Object.keys(CLIENTS).toSorted(), files.toSorted());
  for (const name of files) {
    const text = await Deno.readTextFile(new URL(name, import.meta.url));
    assert(text.includes("testClient("), name);
  }
});

Deno.test("passedTests() finds the names of tests, whatever stands before and in them", () => {
  const report = `<testsuites name="deno test"><testsuite name="a_test.ts">
    <testcase name="a &quot;b&quot; &lt;c&gt; &amp;lt; name=&quot;d&quot;" classname="x" line="1"></testcase>
    <testcase classname="x" name="e"/>
    <testcase classname="x"
      name="it&apos;s f"></testcase>
    <testcase name="g" classname="x"><failure message="no">name="h"</failure></testcase>
    <testcase classname="i" name="j"><skipped/></testcase>
    <testcase classname="k"></testcase>
  </testsuite></testsuites>`;
  assertEquals([...passedTests(report)], ['a "b" <c> &lt; name="d"', "e", "it's f"]);
});
