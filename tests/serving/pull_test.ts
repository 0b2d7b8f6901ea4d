import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import fc from "fast-check";
import { OllamaClient, type OllamaPullProgress } from "../../adapters/ollama/mod.ts";
import { TimeoutError, UpstreamError } from "../../mod.ts";
import { type PullOptions, pullWithProgress } from "../../serving/_pull.ts";
import { type Answer, startFakeUpstream } from "../support/fake_upstream.ts";

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n";
const SUCCESS = { status: "success" };

function ndjson(...events: readonly object[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

/** Pulls from an upstream, and gives all that was shown. */
async function pull(answer: Answer, options: PullOptions = {}): Promise<string> {
  await using upstream = await startFakeUpstream([answer]);
  let shown = "";
  const client = new OllamaClient({ host: upstream.url });
  try {
    await pullWithProgress(client, "m", { isTerminal: false, write: (text) => shown += text, ...options });
  } finally {
    await upstream.allClosed();
  }
  return shown;
}

function events(...list: readonly OllamaPullProgress[]): Answer {
  return [{ send: HEAD + ndjson(...list, SUCCESS) }, "close"];
}

Deno.test("pullWithProgress() shows a bar on a terminal, and a line for each tenth elsewhere", async () => {
  const list = [
    { status: "pulling manifest" },
    { status: "pulling abc", total: 2e9 },
    { status: "pulling abc", total: 2e9, completed: 5e8 },
    { status: "pulling abc", total: 2e9, completed: 5.1e8 },
    { status: "pulling abc", total: 2e9, completed: 2e9 },
  ];
  assertEquals(
    await pull(events(...list)),
    "pulling manifest\npulling abc: 0 % of 2.0 GB\npulling abc: 20 % of 2.0 GB\npulling abc: 100 % of 2.0 GB\nsuccess\n",
  );
  const shown = await pull(events(...list), { isTerminal: true });
  assert(shown.includes(`\r\x1b[Kpulling abc [${"#".repeat(8)}${" ".repeat(22)}]  25 %  500.0 MB of 2.0 GB`), shown);
  assert(shown.endsWith("\r\x1b[Ksuccess\n"), shown);
});

Deno.test("pullWithProgress() lets no control characters of a status through", async () => {
  const status = "pull\x1b[2J\x07ing\r\nfake: 100 %\x9b31m\u202ereversed\u2028";
  const shown = await pull(events({ status, total: 100, completed: 50 }));
  assertEquals(shown, "pull [2J ing fake: 100 % 31m reversed: 50 % of 0.0 MB\nsuccess\n");
});

Deno.test("pullWithProgress() cuts a status that is too long for a line", async () => {
  const [line = ""] = (await pull(events({ status: "😀".repeat(1_000) }))).split("\n");
  assertEquals(line, `${"😀".repeat(59)}…`);
});

Deno.test("pullWithProgress() shows amounts that make no sense as the nearest that do, or not at all", async () => {
  const cases: readonly [total: number, completed: number, line: string][] = [
    [100e6, 200e6, "x: 100 % of 100.0 MB"],
    [100e6, -50e6, "x: 0 % of 100.0 MB"],
    [-100e6, 50e6, "x"],
    [0, 50e6, "x"],
    [1e300, 1e299, "x: 10 % of "],
  ];
  for (const [total, completed, line] of cases) {
    const shown = await pull(events({ status: "x", total, completed }));
    assert(shown.startsWith(line) && !/NaN|Infinity|-/.test(shown), shown);
    const bar = await pull(events({ status: "x", total, completed }), { isTerminal: true });
    assert(bar.endsWith("success\n") && !/NaN|Infinity|-/.test(bar), bar);
  }
});

Deno.test("pullWithProgress() shows whatever comes in whole lines (property)", async () => {
  const amount = fc.oneof(fc.double(), fc.integer(), fc.constant(undefined));
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "binary" }),
      amount,
      amount,
      fc.boolean(),
      async (status, total, completed, isTerminal) => {
        const client = new OllamaClient({ host: "127.0.0.1:2" });
        client.pull = async function* (): AsyncGenerator<OllamaPullProgress, undefined, void> {
          yield { status, ...(total !== undefined && { total }), ...(completed !== undefined && { completed }) };
          return undefined;
        };
        let shown = "";
        await pullWithProgress(client, "m", { isTerminal, write: (text) => shown += text });
        const line = shown.replace("\r\x1b[K", "").replace(/\n$/, "");
        // deno-lint-ignore no-control-regex -- those are what must not be there
        assert(!/[\x00-\x1f\x7f-\x9f]/.test(line), JSON.stringify(shown));
        assert(Array.from(line).length < 140, JSON.stringify(shown));
        assert(!/NaN|Infinity/.test(line.slice(Math.min(status.length, 60))), JSON.stringify(shown));
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("pullWithProgress() fails when Ollama says nothing any more, and closes the connection", async () => {
  const stalls: readonly Answer[] = [
    ["stall"],
    [{ send: HEAD }, "stall"],
    [{ send: HEAD + ndjson({ status: "pulling manifest" }) }, "stall"],
  ];
  for (const answer of stalls) {
    const error = await assertRejects(() => pull(answer, { idleLimit: 50 }), TimeoutError);
    assertMatch(error.message, /^Cannot pull model "m": Ollama said nothing for 50 ms\. Look at /);
  }
});

Deno.test("pullWithProgress() waits on as long as something comes", async () => {
  const event = { send: ndjson({ status: "pulling abc", total: 10, completed: 1 }) };
  const slow = Array.from({ length: 5 }, () => [event, { wait: 60 }]).flat();
  const shown = await pull([{ send: HEAD }, ...slow, { send: ndjson(SUCCESS) }, "close"], { idleLimit: 200 });
  assertEquals(shown, "pulling abc: 10 % of 0.0 MB\nsuccess\n");
});

Deno.test("pullWithProgress() ends the line of its bar before it fails", async () => {
  let shown = "";
  const answer: Answer = [{ send: HEAD + ndjson({ status: "pulling", total: 10 }, { error: "disk full" }) }, "close"];
  await assertRejects(
    () => pull(answer, { isTerminal: true, write: (text) => shown += text }),
    UpstreamError,
    "disk full",
  );
  assert(shown.endsWith("MB\n"), JSON.stringify(shown));
});
