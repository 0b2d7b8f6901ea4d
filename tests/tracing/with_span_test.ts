import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { trace, withSpan } from "../../tracing/mod.ts";
import { attributesOf, spansOf, treeOf } from "./_spans.ts";

Deno.test("withSpan() nests by what runs in what, across awaits and at the same time", async () => {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 1));
  const spans = await spansOf(async () => {
    await Promise.all(["a", "b"].map((name) =>
      withSpan(name, { type: "CHAIN" }, async () => {
        await pause();
        await withSpan(`${name}1`, {}, pause);
        withSpan(`${name}2`, {}, () => {});
      })
    ));
  });
  assertEquals(treeOf(spans).sort(), [
    "  a1 [UNKNOWN] OK",
    "  a2 [UNKNOWN] OK",
    "  b1 [UNKNOWN] OK",
    "  b2 [UNKNOWN] OK",
    "a [CHAIN] OK",
    "b [CHAIN] OK",
  ]);
});

Deno.test("withSpan() writes down failures and hands them on", async () => {
  const spans = await spansOf(async () => {
    assertThrows(() =>
      withSpan("sync", {}, () => {
        throw new TypeError("no");
      }), TypeError);
    await assertRejects(() => withSpan("async", {}, () => Promise.reject(new TypeError("no"))), TypeError);
    await assertRejects(
      () => withSpan("cancelled", {}, () => Promise.reject(new DOMException("gone", "AbortError"))),
      DOMException,
    );
  });
  assertEquals(treeOf(spans), ["sync [UNKNOWN] ERROR", "async [UNKNOWN] ERROR", "cancelled [UNKNOWN] UNSET"]);
  assertEquals(spans.map(({ attributes }) => attributes["error.type"]), ["TypeError", "TypeError", "cancelled"]);
});

Deno.test("withSpan() writes attributes, lists and objects as JSON", async () => {
  const spans = await spansOf(() =>
    withSpan("step", { type: "RETRIEVER", attributes: { k: 3, ids: [1, 2] }, inputs: { q: "x" } }, (span) => {
      span.setAttribute("filter", { lang: "de" });
      span.setAttribute("hit", true);
    })
  );
  assertEquals(attributesOf(spans, "step"), {
    "filter": '{"lang":"de"}',
    "hit": true,
    "ids": "[1,2]",
    "k": 3,
    "mlflow.spanInputs": '{"q":"x"}',
    "mlflow.spanLogLevel": 20,
    "mlflow.spanType": "RETRIEVER",
  });
});

Deno.test("trace() makes each call of a function a span, with arguments and result", async () => {
  class Index {
    readonly name = "index";
    search: (question: string, limit: number) => Promise<string> = trace(
      async function search(this: unknown, question: string, limit: number) {
        return await Promise.resolve(`${question} ${limit} ${this instanceof Index}`);
      },
      { type: "RETRIEVER" },
    );
  }
  const double = trace((n: number) => 2 * n, { name: "double" });
  const spans = await spansOf(async () => {
    assertEquals(await new Index().search("bears", 2), "bears 2 true");
    assertEquals(double(2), 4);
  });
  assertEquals(treeOf(spans), ["search [RETRIEVER] OK", "double [UNKNOWN] OK"]);
  assertEquals(
    spans.map(({ attributes }) => [attributes["mlflow.spanInputs"], attributes["mlflow.spanOutputs"]]),
    [['["bears",2]', '"bears 2 true"'], ["2", "4"]],
  );
});

Deno.test("trace() keeps the span of a generator open until it is read or left, and its steps below it", async () => {
  const numbers = trace(async function* numbers(count: number) {
    for (let i = 0; i < count; i++) yield await withSpan(`step ${i}`, {}, () => Promise.resolve(i));
  }, { type: "TOOL" });
  const letters = trace(function* letters() {
    yield "a";
    yield "b";
  });
  const broken = trace(async function* broken() {
    yield await Promise.resolve(1);
    throw new RangeError("no more");
  });
  const read: unknown[] = [];
  const spans = await spansOf(async () => {
    for await (const number of numbers(2)) read.push(number);
    for await (const number of numbers(2)) {
      read.push(number);
      break;
    }
    read.push(...letters());
    await assertRejects(async () => {
      for await (const number of broken()) read.push(number);
    }, RangeError);
  });
  assertEquals(read, [0, 1, 0, "a", "b", 1]);
  assertEquals(treeOf(spans), [
    "numbers [TOOL] OK",
    "  step 0 [UNKNOWN] OK",
    "  step 1 [UNKNOWN] OK",
    "numbers [TOOL] OK",
    "  step 0 [UNKNOWN] OK",
    "letters [UNKNOWN] OK",
    "broken [UNKNOWN] ERROR",
  ]);
  assertEquals(
    spans.filter(({ name }) => !name.startsWith("step")).map(({ attributes }) => attributes["mlflow.spanOutputs"]),
    ["[0,1]", "[0]", '["a","b"]', undefined],
  );
});

Deno.test("withSpan() and trace() do nothing but run the step where no one traces", async () => {
  assertEquals(withSpan("step", {}, ({ isRecording, traceId }) => [isRecording, traceId]), [false, undefined]);
  const numbers = trace(async function* () {
    yield await Promise.resolve(1);
  });
  for await (const number of numbers()) assertEquals(number, 1);
});
