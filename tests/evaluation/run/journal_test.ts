import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ChatMessage, ChatModel, ChatModelError, type ModelContext } from "../../../mod.ts";
import { evaluate, exactMatch, readEvaluation } from "../../../evaluation/mod.ts";
import { fromFileUrl } from "@std/path";
import { ROOT } from "../../support/command.ts";
import { all, Answering, withFolder } from "../_models.ts";

const ROWS = 2000;

/** Named as the one in the process that is killed. */
class Slow extends ChatModel {
  asked = 0;

  override predict(_context: ModelContext, messages: readonly ChatMessage[]): string {
    this.asked++;
    return String(messages.at(-1)?.content);
  }
}

async function writeRows(path: string, count: number): Promise<void> {
  const lines = Array.from(
    { length: count },
    (_, index) =>
      JSON.stringify({
        inputs: { question: `Row ${index}` },
        expectations: { expected_response: `Row ${index % 2 ? index : -1}` },
      }),
  );
  await Deno.writeTextFile(path, lines.join("\n") + "\n");
}

async function killHalfWay(data: string, journal: string): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--quiet",
      fromFileUrl(new URL("_evaluate_slowly.ts", import.meta.url)),
      data,
      journal,
    ],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (Number(text.trimEnd().split("\n").at(-1)) >= ROWS / 2) {
      child.kill("SIGKILL");
      break;
    }
  }
  const { signal } = await child.status;
  assertEquals(signal, "SIGKILL");
}

Deno.test("evaluate() goes on after kill -9 without a row lost or doubled", async () => {
  await withFolder(async (folder) => {
    const [data, journal] = [`${folder}/rows.jsonl`, `${folder}/journal.jsonl`];
    await writeRows(data, ROWS);
    await killHalfWay(data, journal);
    const before = (await Deno.readTextFile(journal)).split("\n").filter((line) =>
      line.startsWith('{"type":"row"')
    ).length;
    assert(before >= ROWS / 2 && before < ROWS, `${before} rows were done`);

    const model = new Slow();
    const result = await evaluate({ model, data, scorers: [exactMatch()], resume: journal, seed: 7 });
    assert(result.resumed >= ROWS / 2);
    assertEquals(model.asked, ROWS - result.resumed);
    const rows = await all(result.rows());
    assertEquals(rows.map(({ index }) => index), Array.from({ length: ROWS }, (_, index) => index));
    assertEquals(rows.map(({ text }) => text), Array.from({ length: ROWS }, (_, index) => `Row ${index}`));
    const lines = (await Deno.readTextFile(journal)).trimEnd().split("\n").map((line) => JSON.parse(line));
    const written = lines.filter(({ type }) => type === "row").map(({ result }) => result.index);
    assertEquals(written.length, ROWS);
    assertEquals(new Set(written).size, ROWS);

    // As if it had never been killed.
    const whole = await evaluate({ model: new Slow(), data, scorers: [exactMatch()], seed: 7 });
    assertEquals(result.metrics, whole.metrics);
    assertEquals(result.ids, whole.ids);
    assertEquals(rows.map(({ seed }) => seed), (await all(whole.rows())).map(({ seed }) => seed));
    assertEquals((await readEvaluation(journal)).metrics, whole.metrics);
  });
});

Deno.test("evaluate() repairs a journal that was torn at any byte of its last line", async () => {
  await withFolder(async (folder) => {
    const journal = `${folder}/journal.jsonl`;
    const data = ["ä", "€", "😀"].map((question) => ({ inputs: { question } }));
    const options = { data, scorers: [exactMatch()], resume: journal, name: "m", concurrency: 1 };
    await evaluate({ ...options, model: new Answering((text) => text) });
    const whole = await Deno.readFile(journal);
    const lastLine = whole.lastIndexOf(10, whole.length - 2) + 1;
    const cuts = Array.from({ length: whole.length - lastLine }, (_, place) => lastLine + place);
    for (const cut of cuts.filter((_, place) => place % 7 === 0 || place > cuts.length - 3)) {
      await Deno.writeFile(journal, whole.subarray(0, cut));
      const model = new Answering((text) => text);
      const result = await evaluate({ ...options, model });
      assertEquals(model.seen.map(({ text }) => text), ["😀"]);
      assertEquals((await all(result.rows())).map(({ text }) => text), ["ä", "€", "😀"]);
    }
    for (const cut of [0, 5, 40]) {
      await Deno.writeFile(journal, whole.subarray(0, cut));
      const model = new Answering((text) => text);
      assertEquals((await evaluate({ ...options, model })).resumed, 0);
      assertEquals(model.seen.length, 3);
    }
  });
});

Deno.test("evaluate() asks nothing when all was done", async () => {
  await withFolder(async (folder) => {
    const options = {
      data: [{ inputs: { question: "a" } }],
      scorers: [exactMatch()],
      resume: `${folder}/j.jsonl`,
      name: "m",
    };
    await evaluate({ ...options, model: new Answering((text) => text) });
    const model = new Answering((text) => text);
    const events: string[] = [];
    const result = await evaluate({
      ...options,
      model,
      onProgress: ({ type, done }) => events.push(`${type} ${done}`),
    });
    assertEquals(model.seen, []);
    assertEquals(events, ["evaluation-start 1", "evaluation-end 1"]);
    assertEquals(result.resumed, 1);
  });
});

Deno.test("evaluate() does failed rows again only when told to, and the last result counts", async () => {
  await withFolder(async (folder) => {
    const data = ["a", "b"].map((question) => ({ inputs: { question } }));
    const options = { data, scorers: [], resume: `${folder}/j.jsonl`, name: "m" };
    const first = await evaluate({
      ...options,
      model: new Answering((text) => {
        if (text === "b") throw new Error("Down");
        return text;
      }),
    });
    assertEquals(first.failed, 1);
    const well = new Answering((text) => text);
    assertEquals((await evaluate({ ...options, model: well })).failed, 1);
    assertEquals(well.seen.length, 0);
    const again = await evaluate({ ...options, model: well, retryFailed: true });
    assertEquals(again.failed, 0);
    assertEquals(well.seen.map(({ text }) => text), ["b"]);
    assertEquals((await all(again.rows())).map(({ state }) => state), ["OK", "OK"]);
    assertEquals((await evaluate({ ...options, model: well })).failed, 0);
  });
});

Deno.test("evaluate() refuses a journal of another evaluation, and names what differs", async () => {
  await withFolder(async (folder) => {
    const resume = `${folder}/j.jsonl`;
    const options = {
      model: new Answering((text) => text),
      data: [{ inputs: { question: "a" } }],
      scorers: [exactMatch()],
      resume,
      seed: 1,
    };
    await evaluate(options);
    const cases = [
      [{ seed: 2 }, '"seed"'],
      [{ params: { temperature: 0 } }, '"params"'],
      [{ scorers: [exactMatch({ ignoreCase: true })] }, '"scorers"'],
      [{ data: [{ inputs: { question: "b" } }] }, '"dataset"'],
      [{ name: "other" }, '"model"'],
    ] as const;
    for (const [changes, named] of cases) {
      const error = await assertRejects(() => evaluate({ ...options, ...changes }), ChatModelError);
      assertEquals(error.code, "invalid_option");
      assert(error.message.includes(`with another ${named}.`), error.message);
    }
  });
});

Deno.test("evaluate() refuses a file that is no journal, is damaged, or is in use, and leaves it as it was", async () => {
  await withFolder(async (folder) => {
    const resume = `${folder}/j.jsonl`;
    const options = {
      model: new Answering((text) => text),
      data: ["a", "b"].map((question) => ({ inputs: { question } })),
      scorers: [],
      resume,
    };
    await Deno.writeTextFile(resume, '{"some":"file"}\n');
    const other = await assertRejects(() => evaluate(options), ChatModelError, "it is no journal of an evaluation");
    assertEquals(other.param, "resume");
    assertEquals(await Deno.readTextFile(resume), '{"some":"file"}\n');
    await Deno.remove(resume);

    await evaluate(options);
    const lines = (await Deno.readTextFile(resume)).split("\n");
    const damaged = [lines[0], "\u0000\u0000", ...lines.slice(1)].join("\n");
    await Deno.writeTextFile(resume, damaged);
    await assertRejects(() => evaluate(options), ChatModelError, "line 2 is damaged");
    assertEquals(await Deno.readTextFile(resume), damaged);

    await Deno.writeTextFile(resume, lines.join("\n"));
    using held = await Deno.open(resume, { read: true, write: true });
    assert(await held.tryLock(true));
    await assertRejects(() => evaluate(options), ChatModelError, "another process writes to it");
  });
});

Deno.test("evaluate() says when a journal cannot be made or read", async () => {
  const path = "/nowhere/at/all.jsonl";
  const options = { model: new Answering((text) => text), data: [{ inputs: "a" }], scorers: [] };
  await assertRejects(
    () => evaluate({ ...options, resume: path }),
    ChatModelError,
    "its folder does not exist. Make it",
  );
  await assertRejects(() => readEvaluation(path), ChatModelError, "there is no such file");
});

Deno.test("readEvaluation() refuses an evaluation that did not come to its end", async () => {
  await withFolder(async (folder) => {
    const resume = `${folder}/j.jsonl`;
    await evaluate({
      model: new Answering(() => ""),
      data: [{ inputs: { question: "a" } }, { inputs: { question: "b" } }],
      scorers: [],
      resume,
      concurrency: 1,
    });
    const lines = (await Deno.readTextFile(resume)).split("\n");
    await Deno.writeTextFile(resume, lines.slice(0, 2).join("\n") + "\n");
    await assertRejects(() => readEvaluation(resume), ChatModelError, "row 1 of 2 has none");
    await Deno.writeTextFile(resume, "");
    await assertRejects(() => readEvaluation(resume), ChatModelError, "nothing of an evaluation stands in it");
  });
});
