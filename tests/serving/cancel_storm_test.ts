import { assert, assertEquals } from "@std/assert";
import { storm } from "./_storm.ts";

for (const seed of [1, 2]) {
  Deno.test(`createApp() leaves no call of the upstream open after 200 clients, most of which left (${seed})`, async () => {
    const { left, answered, endless } = await storm(seed);
    assertEquals(left + answered, 200);
    assert(endless > 80 && answered > 10, `${endless} endless calls, ${answered} answers`);
  });
}

Deno.test("createApp() leaves no call of the upstream open after 200 clients and garbage collections", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-net=127.0.0.1", "--v8-flags=--expose-gc", "cancel_storm_after_gc.ts"],
    cwd: new URL("./", import.meta.url),
  }).output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, output);
  const { left, answered, endless } = JSON.parse(output);
  assertEquals(left + answered, 200);
  assert(endless > 80 && answered > 10, output);
});
