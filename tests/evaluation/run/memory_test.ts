import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { ROOT } from "../../support/command.ts";
import { withFolder } from "../_models.ts";

const ROWS = 1000;

Deno.test("evaluate() with a journal holds no more in memory than a few rows, also for the run's table", async () => {
  await withFolder(async (folder) => {
    const data = `${folder}/rows.jsonl`;
    const lines = Array.from({ length: ROWS }, (_, index) => JSON.stringify({ inputs: { question: `Row ${index}` } }));
    await Deno.writeTextFile(data, lines.join("\n"));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--quiet",
        // Less than the answers take together.
        "--v8-flags=--max-old-space-size=48",
        fromFileUrl(new URL("_evaluate_large.ts", import.meta.url)),
        data,
        `${folder}/journal.jsonl`,
        `sqlite:///${folder}/mlflow.db`,
      ],
      cwd: ROOT,
      stdin: "null",
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr).slice(0, 2000));
    const { rows, characters } = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(rows, ROWS);
    assert(characters > 50_000_000);
  });
});
