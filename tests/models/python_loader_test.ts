import { assertEquals } from "@std/assert";
import { generated } from "../../models/python/generate.ts";

Deno.test("models/_python_loader.ts is what the loader in Python says", async () => {
  const written = await Deno.readTextFile(new URL("../../models/_python_loader.ts", import.meta.url));
  assertEquals(written, await generated(), "Run 'deno task generate'");
});
