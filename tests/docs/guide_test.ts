/** The guide in `docs/guide`: every block runs, every link leads somewhere. */
import { assert, assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import * as types from "../../types/mod.ts";
import { ROOT } from "../support/command.ts";
import { readRecording, startReplay } from "../support/replay.ts";
import { anchorsOf, type Block, blocksOf, proseOf } from "./_blocks.ts";
import { CLI_PAGE, cliPage } from "./_cli_page.ts";
import { fileOf, type GuidePage, isOutput, readGuide, recordingsOf, treatmentsOf } from "./_guide_pages.ts";
import { openWorkplace, type Workplace } from "./_workplace.ts";

/** Blocks that no test executes: their first line, and why. */
const LEFT: ReadonlyMap<string, string> = new Map([
  ["deno add jsr:@chatmodel/chat-model", "installs"],
  ["ollama pull llama3.2:1b", "installs"],
  [
    "deno run --allow-net --allow-read --allow-env=OLLAMA_HOST serve.ts --model ollama:llama3.2:1b --pull",
    "downloads a model",
  ],
  ["mlflow server --port 5000", "needs MLflow, with which deno task interop does it"],
  ["export MLFLOW_TRACKING_URI=http://127.0.0.1:5000", "needs that server"],
  ["import mlflow", "Python, with which deno task interop does it"],
  ["from mlflow.pyfunc import ChatModel", "Python: what is left behind"],
]);

/** Pages whose commands are not marked for this test yet; their TypeScript runs as everywhere. */
const UNMARKED: ReadonlySet<string> = new Set(["serving.md"]);

/** An Ollama that is not there. */
const NO_OLLAMA = "http://127.0.0.1:1";

const ALL_PAGES = readGuide();
const PAGES = ALL_PAGES.filter(({ name }) => !UNMARKED.has(name));

/** The doors that a block of JSON may name to be checked by. */
const PARSERS: ReadonlyMap<string, (value: unknown) => unknown> = new Map<string, (value: unknown) => unknown>([
  ["parseChatRequest", types.parseChatRequest],
  ["parseChatResponse", types.parseChatResponse],
  ["parseChatChunk", types.parseChatChunk],
  ["parseErrorResponse", types.parseErrorResponse],
  ["parseModelList", types.parseModelList],
]);

for (const page of PAGES) {
  const treatments = treatmentsOf(page);
  if (!treatments.some((treatment) => ["file", "run", "serve"].includes(treatment))) continue;
  Deno.test({
    name: `docs/guide/${page.name}: its commands do what it says`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const recordings = recordingsOf(page).map((name) => readRecording(name, "v0.24"));
      await using replay = recordings.length === 0 ? undefined : startReplay(recordings);
      await using workplace = await openWorkplace({ OLLAMA_HOST: replay?.url ?? NO_OLLAMA });
      await runPage(page, workplace);
    },
  });
}

async function runPage(page: GuidePage, workplace: Workplace): Promise<void> {
  const treatments = treatmentsOf(page);
  let printed = "";
  for (const [place, block] of page.blocks.entries()) {
    const file = fileOf(block);
    if (file !== undefined) await workplace.write(file, `${block.code}\n`);
    switch (treatments[place]) {
      case "serve":
        await workplace.serve(block.code);
        break;
      case "run":
        printed = await run(page, block, workplace);
        break;
      case "output":
        assert(isOutput(printed, block), `${whereOf(page, block)} says:\n${block.code}\nbut it is:\n${printed}`);
    }
  }
}

/** Runs a block, and gives what it printed; of one that is to fail, what it said of that. */
async function run(page: GuidePage, block: Block, workplace: Workplace): Promise<string> {
  const [, failure] = /^fails: (\d+)$/.exec(block.remark) ?? [];
  const { code, stdout, stderr } = await workplace.run(block.code);
  assertEquals(code, Number(failure ?? 0), `${whereOf(page, block)}: ${stdout}${stderr}`);
  return failure === undefined ? stdout : stderr;
}

function whereOf({ name }: GuidePage, { line }: Block): string {
  return `docs/guide/${name}:${line}`;
}

Deno.test("Every block of the guide is executed, or stands on the list of those that are not", () => {
  const names = ALL_PAGES.map(({ name }) => name);
  assertEquals([...UNMARKED].filter((name) => !names.includes(name)), []);
  const left: string[] = [];
  let executed = 0;
  for (const page of PAGES) {
    for (const [place, treatment] of treatmentsOf(page).entries()) {
      const block = page.blocks[place];
      if (treatment === "drawing" || block === undefined) continue;
      // It would run for ever.
      const isServer = treatment === "run" && /\bserve(?:\.ts)? (?!.*--help)/.test(block.code);
      assert(!isServer, `${whereOf(page, block)}: a command that serves is marked <!-- serve --> or <!-- not run -->`);
      if (treatment === "left") left.push(block.code.split("\n")[0] ?? "");
      else executed++;
      const file = fileOf(block);
      if (treatment !== "file" || file === undefined) continue;
      // A file that nothing uses has not been tried.
      const later = page.blocks.slice(place + 1).map(({ code }) => code).join("\n");
      assert(later.includes(file), `${whereOf(page, block)}: nothing uses ${file}`);
    }
  }
  assertEquals(left.filter((line) => !LEFT.has(line)), []);
  assertEquals([...LEFT.keys()].filter((line) => !left.includes(line)), []);
  assert(executed > left.length * 5, `${executed} executed, ${left.length} not`);
});

Deno.test("isOutput() lets … stand for anything, and nothing else", () => {
  const [text, json] = blocksOf('```text\nNow … times\n```\n\n```json\n{"id": "m-…", "n": 1, "at": "…"}\n```\n');
  assert(text !== undefined && json !== undefined);
  assert(isOutput("Now 12 times  \n", text));
  assert(!isOutput("Now 12 times more", text));
  assert(isOutput('{"at": 5, "id": "m-1", "n": 1}', json));
  for (
    const other of ['{"id": "m-1", "n": 1}', '{"id": "x", "n": 1, "at": 5}', '{"id": "m-1", "n": 1, "at": 5, "b": 6}']
  ) {
    assert(!isOutput(other, json), other);
  }
});

Deno.test("treatmentsOf() tells what runs from what is left", () => {
  const text = [
    "```ts\n1;\n```",
    "```ts ignore\n1;\n```",
    "<!-- file: a.ts -->\n\n```ts ignore\n1;\n```",
    "```sh\nls\n```\n\n```text\na.ts\n```",
    "<!-- not run -->\n\n```sh\nls\n```\n\n```text\na.ts\n```",
    "```json\n{}\n```",
    "```python\npass\n```",
  ].join("\n\nThen:\n\n");
  const expected = ["doc-test", "left", "file", "run", "output", "left", "drawing", "parse", "left"];
  assertEquals(treatmentsOf({ name: "page.md", text, blocks: blocksOf(text) }), expected);
});

Deno.test("anchorsOf() makes anchors as GitHub does", () => {
  const anchors = anchorsOf("# The `wire`\n\n## What's new?\n\n## What's new?\n\n```sh\n# none\n```\n");
  assertEquals([...anchors], ["the-wire", "whats-new", "whats-new-1"]);
});

Deno.test("deno task test runs the guide's TypeScript", async () => {
  const { tasks, exclude, test } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  assert(/^deno test --doc /.test(tasks.test.command));
  // Without a path it runs whatever is below the folder.
  assertEquals(tasks.test.command.split(" ").slice(2).filter((word: string) => !word.startsWith("--")), []);
  for (const path of [...exclude, ...test.exclude ?? []]) assert(!"docs/guide/".startsWith(path), path);
});

Deno.test("Every block of JSON in the guide is what it is said to be", () => {
  for (const page of PAGES) {
    for (const [place, treatment] of treatmentsOf(page).entries()) {
      const block = page.blocks[place];
      if (treatment !== "parse" || block === undefined) continue;
      const value: unknown = JSON.parse(block.code);
      const [, name = ""] = /^parse: (\w+)$/.exec(block.remark) ?? [];
      if (name === "") continue;
      const parse = PARSERS.get(name);
      assert(parse !== undefined, `${whereOf(page, block)}: there is no ${name}`);
      parse(value);
    }
  }
});

Deno.test("docs/guide/migrating.md names what there is", async () => {
  const { text } = PAGES.find(({ name }) => name === "migrating.md") ?? { text: "" };
  const { exports } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const doors: string[] = await Promise.all(
    Object.values<string>(exports).map((door) => Deno.readTextFile(join(ROOT, door))),
  );
  const names = [...text.matchAll(/^\| [^|]+ \| ([^|]+)/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`((?:[A-Z]|[a-z]+[A-Z])[A-Za-z]+)(?:[.(][^`]*)?`/g)].map(([, name = ""]) => name)
  );
  const unknown = names.filter((name) => !doors.some((door) => new RegExp(`\\b${name}\\b`).test(door)));
  const options = ["modelConfig", "inputExample", "codePaths", "registeredModelName"];
  assertEquals(unknown.filter((name) => !options.includes(name)), []);
  assert(names.length > 60, `${names.length} names`);
});

Deno.test("docs/guide/cli.md is what the commands say of themselves", async () => {
  assertEquals(await Deno.readTextFile(CLI_PAGE), cliPage());
});

Deno.test("Every link in README.md, docs/ and examples/ leads to a file and a heading that are there", async () => {
  const broken: string[] = [];
  let count = 0;
  for await (const path of pages()) {
    for (const target of linksOf(await Deno.readTextFile(join(ROOT, path)))) {
      count++;
      if (!await isThere(path, target)) broken.push(`${path}: ${target}`);
    }
  }
  assertEquals(broken, []);
  assert(count > 50, `${count} links`);
});

async function* pages(): AsyncGenerator<string> {
  yield "README.md";
  yield "examples/README.md";
  yield* below("docs");
}

async function* below(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
    if (isDirectory) yield* below(join(folder, name));
    else if (name.endsWith(".md")) yield join(folder, name);
  }
}

/** Targets of links and images to files of the repository. */
function linksOf(markdown: string): string[] {
  return [...proseOf(markdown).matchAll(/\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)?)(?: "[^"]*")?\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z][a-z\d+.-]*:/i.test(target));
}

async function isThere(from: string, target: string): Promise<boolean> {
  const [file = "", anchor] = target.split("#");
  const path = join(ROOT, file === "" ? from : join(dirname(from), decodeURIComponent(file)));
  if (!path.startsWith(ROOT)) return false;
  try {
    const { isFile } = await Deno.stat(path);
    if (anchor === undefined) return true;
    return isFile && anchorsOf(await Deno.readTextFile(path)).has(decodeURIComponent(anchor));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
