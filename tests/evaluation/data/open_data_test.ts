import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ValidationError } from "../../../mod.ts";
import { type EvaluationData, openData, type PreparedRow, type RowPurpose } from "../../../evaluation/data/mod.ts";
import { readJsonArray } from "../../../evaluation/data/read_json_array.ts";
import { readLines } from "../../../evaluation/data/read_lines.ts";
import { all, withFolder } from "../_models.ts";

async function rowsOf(data: EvaluationData, purpose: RowPurpose = "chat"): Promise<PreparedRow[]> {
  return await all((await openData(data, { purpose })).rows());
}

async function issuesOf(data: EvaluationData, purpose: RowPurpose = "chat"): Promise<string[]> {
  const error = await assertRejects(() => openData(data, { purpose }), ValidationError);
  return error.issues.map(({ path, message }) => `${path}: ${message}`);
}

async function writeTo(folder: string, name: string, text: string | Uint8Array): Promise<string> {
  const path = `${folder}/${name}`;
  await (typeof text === "string" ? Deno.writeTextFile(path, text) : Deno.writeFile(path, text));
  return path;
}

const USER = [{ role: "user" as const, content: "Hi" }];

Deno.test("openData() reads what is asked in each of its forms", async () => {
  const rows = await rowsOf([
    { inputs: { messages: USER, temperature: 0.5 } },
    { inputs: USER },
    { inputs: "Hi" },
    { inputs: { question: "Hi" } },
    { inputs: { query: "Hi" } },
    { messages: USER },
  ]);
  for (const { messages } of rows) assertEquals(messages, USER);
  assertEquals(rows[0]?.params, { temperature: 0.5 });
  assertEquals(rows[3]?.inputs, { question: "Hi" });
});

Deno.test("openData() takes what the assistant says last for the expected response, unless one is given", async () => {
  const call = { id: "1", type: "function" as const, function: { name: "add", arguments: '{"a":1}' } };
  const rows = await rowsOf([
    { messages: [...USER, { role: "assistant", content: "Hello" }] },
    { messages: [...USER, { role: "assistant", content: "Hello" }], expectations: { expected_response: "Hey" } },
    { messages: [...USER, { role: "assistant", tool_calls: [call] }] },
  ]);
  assertEquals(rows.map(({ messages }) => messages?.length), [1, 1, 1]);
  assertEquals(rows.map(({ expectations }) => expectations), [
    { expected_response: "Hello" },
    { expected_response: "Hey" },
    { expected_tool_calls: [{ name: "add", arguments: { a: 1 } }] },
  ]);
});

Deno.test("openData() leaves a function's inputs as they are", async () => {
  const [first, second] = await rowsOf([{ inputs: { a: 1, b: [2] } }, { inputs: { messages: "no list" } }], "function");
  assertEquals(first?.messages, undefined);
  assertEquals(first?.inputs, { a: 1, b: [2] });
  assertEquals(second?.inputs, { messages: "no list" });
});

Deno.test("openData() names rows by what is in them, and tells those that are alike apart", async () => {
  const data = await openData([{ inputs: "a" }, { inputs: "b" }, { inputs: "a" }, { inputs: "c", id: "mine" }], {
    purpose: "chat",
  });
  const [a, b, again, mine] = data.ids;
  assert(a !== b && a?.length === 16);
  assertEquals(again, `${a}-2`);
  assertEquals(mine, "mine");
  const other = await openData([{ inputs: { messages: [{ content: "a", role: "user" }] } }], { purpose: "chat" });
  assertEquals(other.ids[0], a, "the order of keys is of no matter");
});

Deno.test("openData() tells of all that is wrong at once, with its place", async () => {
  assertEquals(
    await issuesOf([
      // @ts-expect-error -- a slip
      { inputs: "a", expectation: {} },
      { inputs: { messages: [{ role: "user", content: 5 }] } },
      // @ts-expect-error -- no object
      { inputs: "b", expectations: "text", tags: { topic: 1 } },
      { inputs: { a: 1 } },
      {},
      { inputs: "c", id: "x" },
      { inputs: "d", id: "x" },
      { inputs: "e", outputs: "f" },
      { inputs: "g", messages: USER },
    ]),
    [
      'data.0.expectation: is no field of a row: did you mean "expectations"?',
      "data.1.inputs.messages.0.content: Expected a string or an array of parts, found 5",
      "data.2.expectations: must be an object, but is a text",
      "data.2.tags.topic: must be a text, but is 1",
      'data.3.inputs: must have "messages", "conversation", or nothing but one of "question", "query", "prompt", "input", "text", for a chat model to be asked. Evaluate a function to make a request of other inputs',
      'data.4.inputs: is missing: give an object, such as { "messages": […] }, messages, or a text',
      'data.6.id: is the id of two rows: "x"',
      "data.7.outputs: is an answer already, but there is a model to ask. Leave one of them out",
      'data.8.messages: stands beside "inputs", which says the same. Leave one of them out',
    ],
  );
  assertEquals(await issuesOf([{ inputs: "a" }], "outputs"), [
    "data.0.outputs: is missing: give the answer, or a model to ask",
  ]);
  assertEquals(await issuesOf([]), ["data: has no rows"]);
  assertEquals((await issuesOf(Array.from({ length: 100 }, () => ({})))).length, 20);
});

Deno.test("openData() reads JSON Lines, JSON and CSV alike", async () => {
  await withFolder(async (folder) => {
    const rows = [
      {
        id: "1",
        inputs: { question: 'He said "Hi",\nand left' },
        expectations: { expected_response: "[a]", expected_facts: ["x"] },
      },
      { id: "2", inputs: { question: "Grüße, 世界" }, expectations: { expected_response: "b" }, tags: { topic: "t" } },
    ];
    const files = [
      await writeTo(folder, "a.jsonl", "\ufeff" + rows.map((row) => JSON.stringify(row)).join("\r\n\r\n")),
      await writeTo(folder, "a.json", JSON.stringify(rows, null, 2)),
      await writeTo(
        folder,
        "a.csv",
        "\ufeffid,question,expected_response,expectations/expected_facts,tags.topic\r\n" +
          '1,"He said ""Hi"",\nand left",[a],"[""x""]",\r\n2,"Grüße, 世界",b,,t\r\n',
      ),
      await writeTo(
        folder,
        "a.tsv",
        'id\tinputs\texpectations\ttags\n1\t"{""question"":""He said \\""Hi\\"",\\nand left""}"\t' +
          '"{""expected_response"":""[a]"",""expected_facts"":[""x""]}"\t\n' +
          '2\t"{""question"":""Grüße, 世界""}"\t"{""expected_response"":""b""}"\t"{""topic"":""t""}"\n',
      ),
    ];
    const inMemory = await openData(rows, { purpose: "chat" });
    for (const file of [...files, new URL(`file://${files[0]}`)]) {
      const data = await openData(file, { purpose: "chat" });
      assertEquals(data.digest, inMemory.digest, String(file));
      assertEquals(await all(data.rows()), await all(inMemory.rows()));
    }
    assertEquals((await openData(files[0] ?? "", { purpose: "chat" })).name, "a.jsonl");
  });
});

Deno.test("openData() names the place of what is no row in a file", async () => {
  await withFolder(async (folder) => {
    const row = JSON.stringify({ inputs: "a" });
    const cases = [
      ["a.jsonl", `${row}\n\n{"inputs":\n`, "line 3: is no JSON"],
      [
        "a.jsonl",
        `${row}\n{"inputs":5}\n`,
        'line 2.inputs: is 5: give an object, such as { "messages": […] }, messages, or a text',
      ],
      ["a.jsonl", "\n", "data: has no rows"],
      ["a.json", `[${row}, {"inputs": nope}]`, "row 1: is no JSON"],
      ["a.json", `${row}`, "data: must hold a JSON array of rows. Lines of JSON belong in a .jsonl file"],
      ["a.json", `[${row}`, 'data: breaks off before the "]" that ends its array'],
      ["a.json", `[${row},]`, 'data: has a "," too many, before row 1'],
      ["a.json", `[${row}] 5`, "data: goes on after its array"],
      ["a.json", ` `, "data: is empty, but must hold a JSON array of rows"],
      [
        "a.csv",
        "question,mood\na,b\n",
        'mood: is no column that is known. Name it "inputs.…", "expectations.…" or "tags.…" to say what it is',
      ],
      ["a.csv", "question,question\na,b\n", "question: is the name of two columns"],
      ["a.csv", "inputs,question\na,b\n", 'inputs.question: stands beside a column "inputs", which says the same'],
      ["a.csv", "messages\n[nope\n", "messages: is no JSON"],
      ["a.txt", "", `data: must be a file that ends in .jsonl, .ndjson, .json, .csv or .tsv, but is "${folder}/a.txt"`],
    ] as const;
    for (const [name, text, issue] of cases) {
      assertEquals(await issuesOf(await writeTo(folder, name, text)), [issue], text);
    }
    const [short] = await issuesOf(await writeTo(folder, "b.csv", "question,id\na\n"));
    assert(short?.startsWith("data: is no CSV: "), short);
    const latin1 = await writeTo(folder, "b.jsonl", new Uint8Array([0x7b, 0xe4, 0x7d]));
    assertEquals(await issuesOf(latin1), ["data: is not UTF-8"]);
    assertEquals(await issuesOf(`${folder}/none.jsonl`), [`data: is no file that exists: "${folder}/none.jsonl"`]);
  });
});

Deno.test("openData() notices a file that changes behind it", async () => {
  await withFolder(async (folder) => {
    const path = await writeTo(folder, "a.jsonl", '{"inputs":"a"}\n{"inputs":"b"}\n');
    const data = await openData(path, { purpose: "chat" });
    await Deno.writeTextFile(path, '{"inputs":"a"}\n{"inputs":"c"}\n');
    await assertRejects(() => all(data.rows()), Error, "it has changed since the evaluation began");
    await Deno.writeTextFile(path, '{"inputs":"a"}\n');
    await assertRejects(() => all(data.rows()), Error, "it has changed since the evaluation began");
  });
});

Deno.test("readJsonArray() finds the items of any array, cut anywhere", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.jsonValue()),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(3),
      async (items, size, indent) => {
        const text = JSON.stringify(items, null, indent);
        const found = await all(readJsonArray(pieces(text, size)));
        assertEquals(found.map((item) => JSON.parse(item.text)), JSON.parse(JSON.stringify(items)));
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("readLines() finds the lines of any text, cut anywhere", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom("a", "\n", "\r\n", "ä") })),
      fc.integer({ min: 1, max: 5 }),
      async (words, size) => {
        const text = words.join("");
        const expected = text.split(/\r?\n/);
        if (expected.at(-1) === "") expected.pop();
        assertEquals((await all(readLines(pieces(text, size)))).map((line) => line.text), expected);
      },
    ),
    { numRuns: 300 },
  );
});

async function* pieces(text: string, size: number): AsyncGenerator<string> {
  for (let i = 0; i < text.length; i += size) yield await Promise.resolve(text.slice(i, i + size));
}
