import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChatModelError, loadChatModel, ValidationError } from "../../../mod.ts";
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import { evaluate, exactMatch } from "../../../evaluation/mod.ts";
import { all, Answering, busy, Echo } from "../_models.ts";

const rows = ["a", "b", "c", "d"].map((text) => ({
  inputs: { messages: [{ role: "user" as const, content: text }] },
  expectations: { expected_response: text === "d" ? "x" : text },
}));

Deno.test("evaluate() asks each row and puts the scores together", async () => {
  const result = await evaluate({ model: Echo, data: rows, scorers: [exactMatch()] });
  assertEquals(result.metrics["exact_match/mean"], 0.75);
  assertEquals(result.metrics["rows/count"], 4);
  assertEquals(result.failed, 0);
  const found = await all(result.rows());
  assertEquals(found.map(({ text }) => text), ["a", "b", "c", "d"]);
  assertEquals(found.map(({ scores }) => scores.exact_match?.value), [true, true, true, false]);
  assertEquals(found[0]?.state, "OK");
});

Deno.test("evaluate() takes a class, an instance, a loaded model, a function and given outputs alike", async () => {
  const scorers = [exactMatch()];
  const models = [
    Echo,
    new Echo(),
    await loadChatModel(Echo),
    ({ messages }: { readonly [name: string]: unknown }) => Array.isArray(messages) ? messages[0].content : undefined,
  ];
  for (const model of models) {
    assertEquals((await evaluate({ model, data: rows, scorers })).metrics["exact_match/mean"], 0.75);
  }
  const given = rows.map((row, index) => ({ ...row, outputs: ["a", "b", "-", "-"][index] }));
  assertEquals((await evaluate({ data: given, scorers })).metrics["exact_match/mean"], 0.5);
});

Deno.test("evaluate() asks the demo model, and keeps its response and its tokens", async () => {
  const result = await evaluate({ model: DemoChatModel, data: [{ inputs: { question: "Hello" } }], scorers: [] });
  const [row] = await all(result.rows());
  assert(row !== undefined);
  assert(row.text.includes("demo"));
  assert((row.usage?.completion_tokens ?? 0) > 0);
  assert(row.requestId?.startsWith("req_"));
});

Deno.test("evaluate() keeps results in the order of the rows, however long each takes", async () => {
  const model = new Answering(async (text) => {
    await new Promise((resolve) => setTimeout(resolve, 20 - 4 * Number(text)));
    return text;
  });
  const data = ["0", "1", "2", "3", "4"].map((question) => ({ inputs: { question } }));
  const done: number[] = [];
  const result = await evaluate({
    model,
    data,
    scorers: [],
    concurrency: 5,
    onProgress: (progress) => progress.type === "row-end" && done.push(progress.row.index),
  });
  assertEquals((await all(result.rows())).map(({ index }) => index), [0, 1, 2, 3, 4]);
  assertEquals(done.toSorted(), [0, 1, 2, 3, 4]);
});

Deno.test("evaluate() never has more rows under way than it may", async () => {
  let [running, most] = [0, 0];
  const model = new Answering(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
    return "";
  });
  const data = Array.from({ length: 30 }, (_, index) => ({ inputs: { question: String(index) } }));
  await evaluate({ model, data, scorers: [], concurrency: 3 });
  assertEquals(most, 3);
});

Deno.test("evaluate() keeps a row that the model fails on, with its error, and goes on", async () => {
  const model = new Answering((text) => {
    if (text === "b") throw new TypeError("Boom");
    return text;
  });
  const result = await evaluate({
    model,
    data: rows,
    scorers: [exactMatch(), function plain() {
      return 1;
    }],
  });
  const failed = (await all(result.rows()))[1];
  assertEquals(failed?.state, "ERROR");
  assertEquals(failed?.error, {
    message: "Cannot answer: the model failed: Boom",
    code: "model_error",
    name: "ChatModelError",
    status: 500,
    retryable: false,
  });
  assertEquals(failed?.output, null);
  assertEquals(failed?.attempts, 1);
  assertEquals(result.metrics["rows/failed"], 1);
  // A failed row is not right; but a scorer that says nothing of failed rows does not count it.
  assertEquals(result.metrics["exact_match/mean"], 0.5);
  assertEquals(result.scores.get("plain")?.count, 3);
  assertEquals(result.scores.get("plain")?.missing, 1);
});

Deno.test("evaluate() tries again only what may succeed later, and not for ever", async () => {
  const model = new Answering((text) => {
    const tries = model.seen.filter((seen) => seen.text === text).length;
    if (text === "a" && tries < 3) throw busy(1);
    if (text === "b") throw busy();
    if (text === "c") throw new Error("Broken");
    return text;
  });
  const result = await evaluate({ model, data: rows, scorers: [], retries: 2, retryDelay: 1 });
  const found = await all(result.rows());
  assertEquals(found.map(({ state, attempts }) => [state, attempts]), [["OK", 3], ["ERROR", 3], ["ERROR", 1], [
    "OK",
    1,
  ]]);
  assertEquals(found[1]?.error?.code, "overloaded");
});

Deno.test("evaluate() gives up a row that takes too long, also if the model does not heed the signal", async () => {
  let signalled = false;
  const model = new Answering((text, _params, context) => {
    if (text !== "a") return text;
    context.signal.addEventListener("abort", () => signalled = true);
    return new Promise(() => {});
  });
  const result = await evaluate({ model, data: rows, scorers: [], rowTimeout: 30 });
  const found = await all(result.rows());
  assertEquals(found.map(({ state }) => state), ["ERROR", "OK", "OK", "OK"]);
  assertEquals(found[0]?.error?.name, "TimeoutError");
  assertEquals(found[0]?.error?.code, "timeout");
  assert(signalled);
  const deaf = await evaluate({
    model: () => new Promise(() => {}),
    data: rows.slice(0, 1),
    scorers: [],
    rowTimeout: 5,
  });
  assertEquals((await all(deaf.rows()))[0]?.error?.code, "timeout");
});

Deno.test("evaluate() keeps what a scorer throws, or gives that is no score, in place of its score", async () => {
  const result = await evaluate({
    model: Echo,
    data: rows.slice(0, 2),
    scorers: [
      function broken() {
        throw new Error("Scorer boom");
      },
      function notANumber() {
        return NaN;
      },
      function slow() {
        return new Promise<number>(() => {});
      },
      exactMatch(),
    ],
    rowTimeout: 20,
  });
  const [row] = await all(result.rows());
  assertEquals(row?.scores.broken?.error?.message, 'Cannot score by "broken": the scorer failed: Scorer boom');
  assertEquals(row?.scores.notANumber?.error?.message, 'Cannot score by "notANumber": it gave NaN, which is no score');
  assertEquals(row?.scores.slow?.error?.code, "timeout");
  assertEquals(row?.scores.exact_match?.value, true);
  assertEquals(result.metrics["broken/errors"], 2);
  assertEquals(result.metrics["broken/mean"], undefined);
});

Deno.test("evaluate() takes all that MLflow's scorers may return", async () => {
  const result = await evaluate({
    model: Echo,
    data: rows.slice(0, 3),
    scorers: [
      function cat() {
        return "yes";
      },
      { name: "custom", score: () => ({ value: 0.5, rationale: "because", metadata: { k: "v" } }) },
      function multi() {
        return [{ name: "a", value: true }, { name: "b", value: 1 }];
      },
      function topic({ index }) {
        return index === 0 ? "weather" : "sports";
      },
      function nothing() {
        return null;
      },
    ],
  });
  // As MLflow recorded it for the same scorers.
  assertEquals(
    [result.metrics["cat/mean"], result.metrics["custom/mean"], result.metrics["a/mean"], result.metrics["b/mean"]],
    [1, 0.5, 1, 1],
  );
  const [row] = await all(result.rows());
  assertEquals(row?.scores.custom, { value: 0.5, rationale: "because", metadata: { k: "v" } });
  assertEquals(result.scores.get("topic")?.categories, { weather: 1, sports: 2 });
  assertEquals(result.scores.get("nothing"), { count: 0, missing: 3, errors: 0, kind: "none" });
  assertEquals(result.scores.has("multi"), false);
});

Deno.test("evaluate() gives each row a seed of its own, the same each time, unless it has one", async () => {
  const seedsOf = async (seed: number | undefined, concurrency: number) => {
    const model = new Answering(() => "");
    const data = [...rows, { inputs: { messages: [{ role: "user" as const, content: "e" }], seed: 5 } }];
    await evaluate({ model, data, scorers: [], concurrency, ...(seed !== undefined && { seed }) });
    return model.seen.toSorted((a, b) => a.text < b.text ? -1 : 1).map(({ params }) => params.seed);
  };
  const seeds = await seedsOf(42, 1);
  assertEquals(await seedsOf(42, 4), seeds);
  assertEquals(seeds[4], 5);
  assertEquals(new Set(seeds).size, 5);
  assert(seeds.every((seed) => Number.isInteger(seed) && seed !== undefined && seed >= 0 && seed < 2 ** 31));
  assert((await seedsOf(43, 1))[0] !== seeds[0]);
  assertEquals((await seedsOf(undefined, 1))[0], undefined);
});

Deno.test("evaluate() sends params with all rows, and a row's own before them", async () => {
  const model = new Answering(() => "");
  await evaluate({
    model,
    data: [
      { inputs: { messages: [{ role: "user", content: "a" }], temperature: 1 } },
      { inputs: { question: "b" } },
    ],
    scorers: [],
    params: { temperature: 0, max_tokens: 7 },
    concurrency: 1,
  });
  assertEquals(model.seen.map(({ params }) => [params.temperature, params.max_tokens]), [[1, 7], [0, 7]]);
});

Deno.test("evaluate() puts a conversation to the model turn by turn, with the model's own answers", async () => {
  const model = new Answering((text) => `You said ${text}`);
  const result = await evaluate({
    model,
    data: [{
      inputs: {
        conversation: [
          { role: "system", content: "Be kind" },
          { role: "user", content: "one" },
          { role: "assistant", content: "recorded" },
          { role: "user", content: "two" },
          { role: "assistant", content: "You said two" },
        ],
      },
    }],
    scorers: [exactMatch(), function turns({ turns }) {
      return turns.length;
    }],
  });
  assertEquals(model.seen.map(({ messages }) => messages.map(({ content }) => content)), [
    ["Be kind", "one"],
    ["Be kind", "one", "You said one", "two"],
  ]);
  assertEquals(result.metrics["exact_match/mean"], 1);
  assertEquals(result.metrics["turns/mean"], 2);
  const [row] = await all(result.rows());
  assertEquals(row?.conversation?.map(({ content }) => content), ["Be kind", "one", "You said one", "two"]);
});

Deno.test("evaluate() lets a user talk to the model until they say nothing, or as often as they may", async () => {
  const model = new Answering((text) => text.length);
  const user = (
    { turn, messages }: { readonly turn: number; readonly messages: readonly { readonly content?: unknown }[] },
  ) => turn < 3 ? `${messages.at(-1)?.content}!` : undefined;
  const lengths = async (maxTurns?: number) => {
    const result = await evaluate({
      model,
      data: [{ inputs: { question: "Hello" } }],
      scorers: [function turns({ turns }) {
        return turns.length;
      }],
      user,
      ...(maxTurns !== undefined && { maxTurns }),
    });
    return result.metrics["turns/mean"];
  };
  assertEquals(await lengths(), 3);
  assertEquals(model.seen.map(({ text }) => text), ["Hello", "5!", "2!"]);
  assertEquals(await lengths(2), 2);
});

Deno.test("evaluate() rejects with the signal's reason, cancels what is under way and asks no more", async () => {
  const controller = new AbortController();
  const reason = new Error("Enough");
  let cancelled = 0;
  const model = new Answering((text, _params, context) => {
    if (text === "b") controller.abort(reason);
    return new Promise((_, reject) =>
      context.signal.addEventListener("abort", () => {
        cancelled++;
        reject(context.signal.reason);
      })
    );
  });
  const error = await assertRejects(() =>
    evaluate({ model, data: rows, scorers: [], concurrency: 2, signal: controller.signal })
  );
  assert(error === reason);
  assertEquals(model.seen.length, 2);
  assertEquals(cancelled, 1); // The other one asked for the signal when it had fired.
});

Deno.test("evaluate() ends with what onProgress throws", async () => {
  const error = await assertRejects(
    () =>
      evaluate({
        model: Echo,
        data: rows,
        scorers: [],
        onProgress: ({ done }) => {
          if (done === 2) throw new RangeError("No more");
        },
      }),
    RangeError,
  );
  assertEquals(error.message, "No more");
});

Deno.test("evaluate() names each option and scorer that is wrong", async () => {
  const wrong = await assertRejects(
    // @ts-expect-error -- a slip
    () => evaluate({ model: Echo, data: rows, scorers: [], concurency: 2, retries: -1, seed: 1.5 }),
    ValidationError,
  );
  assertEquals(wrong.issues.map(({ path }) => path), ["concurency", "retries", "seed"]);
  assert(wrong.message.includes('did you mean "concurrency"?'));
  const scorers = await assertRejects(
    () =>
      evaluate({
        model: Echo,
        data: rows,
        scorers: [() => 1, exactMatch(), exactMatch(), { name: "a/b", score: () => 1 }],
      }),
    ValidationError,
  );
  assertEquals(scorers.issues.map(({ path }) => path), ["scorers.0.name", "scorers.2.name", "scorers.3.name"]);
  const model = await assertRejects(
    // @ts-expect-error -- no model
    () => evaluate({ model: 5, data: rows, scorers: [] }),
    ChatModelError,
  );
  assert(model.message.startsWith('Cannot evaluate: "model": must be the URI'));
});

Deno.test("evaluate() refuses params that a chat model cannot have, before any row is asked", async () => {
  const model = new Answering(() => "");
  const error = await assertRejects(
    () => evaluate({ model, data: rows, scorers: [], params: { temperature: 5, stop: () => {} } }),
    ValidationError,
  );
  assertEquals(error.issues.map(({ path }) => path), ["params.stop"]);
  const warm = await assertRejects(
    () => evaluate({ model, data: rows, scorers: [], params: { temperature: 5 } }),
    ValidationError,
  );
  assertEquals(warm.issues.map(({ path }) => path), ["params.temperature"]);
  assertEquals(model.seen, []);
});

Deno.test("evaluate() keeps what a function gives, and refuses nothing and streams", async () => {
  const outputs = [{ label: "x", score: 0.5 }, null, undefined, (async function* () {})(), {
    role: "assistant",
    content: "a",
  }];
  const result = await evaluate({
    model: (_inputs, { index }) => outputs[index],
    data: outputs.map((_, index) => ({ inputs: { index } })),
    scorers: [],
  });
  const found = await all(result.rows());
  assertEquals(found.map(({ text, error }) => error?.code ?? text), [
    '{"label":"x","score":0.5}',
    "null",
    "invalid_model_output",
    "invalid_model_output",
    "a",
  ]);
  assertEquals(found[0]?.output, { label: "x", score: 0.5 });
});

Deno.test("evaluate() loads a model by the path of its file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const core = new URL("../../../mod.ts", import.meta.url).href;
    await Deno.writeTextFile(
      `${folder}/shout.ts`,
      `import { ChatModel } from "${core}";
       export default class extends ChatModel { predict(_, messages) { return messages.at(-1).content.toUpperCase(); } }`,
    );
    const result = await evaluate({
      model: `${folder}/shout.ts`,
      data: [{ inputs: { question: "hi" }, expectations: { expected_response: "HI" } }],
      scorers: [exactMatch()],
    });
    assertEquals(result.metrics["exact_match/mean"], 1);
    assertEquals(result.config.model, { name: "shout", uri: `${folder}/shout.ts` });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
