import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { LineBuffer } from "../../../serving/_line_buffer.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

Deno.test("LineBuffer gives the lines back in UTF-8, whatever is in them", () => {
  const lines = fc.array(fc.string({ unit: "binary", maxLength: 20_000 }), { maxLength: 20 });
  fc.assert(fc.property(lines, fc.boolean(), (lines, isCut) => {
    const buffer = new LineBuffer(10_000_000);
    for (let round = 0; round < 2; round++) {
      for (const line of lines) assertEquals(buffer.add(`${line}\n`), true);
      assertEquals(buffer.count, lines.length);
      const text = lines.map((line) => `${line}\n`).join("");
      assertEquals(decoder.decode(buffer.take(isCut)), isCut ? `\n${text}` : text);
      assertEquals(buffer.count, 0);
    }
  }));
});

Deno.test("LineBuffer takes no line for which there is no room, and goes on when it was emptied", () => {
  const buffer = new LineBuffer(100);
  const line = `${"a".repeat(49)}\n`;
  assertEquals([buffer.add(line), buffer.add(line), buffer.add("a\n")], [true, false, true]);
  // More bytes than characters.
  assertEquals([buffer.add("é".repeat(40)), buffer.add("b\n")], [false, true]);
  assertEquals(decoder.decode(buffer.take(false)), `${line}a\nb\n`);
  assertEquals([buffer.add(line), buffer.count], [true, 1]);
});
