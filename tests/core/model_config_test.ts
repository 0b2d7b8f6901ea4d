import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  ChatModel,
  ChatModelError,
  loadChatModel,
  ModelConfig,
  type ModelContext,
  ValidationError,
} from "../../mod.ts";

const LOGGED = { source: "logged", values: { prompt: "Be brief.", retrieval: { limit: 5, words: ["a"] } } } as const;

Deno.test("ModelConfig.from() merges objects and replaces all else, the strongest layer last", () => {
  const config = ModelConfig.from([
    LOGGED,
    { source: "file", values: { retrieval: { limit: 4 }, prompt: "File" } },
    { source: "env", values: { retrieval: { words: ["b", "c"] } } },
    { source: "call", values: { prompt: "Call" } },
  ]);
  assertEquals(config.toObject(), { prompt: "Call", retrieval: { limit: 4, words: ["b", "c"] } });
  assertEquals(
    ["prompt", "retrieval.limit", "retrieval.words", "nothing"].map((path) => config.sourceOf(path)),
    ["call", "file", "env", undefined],
  );
});

Deno.test("ModelConfig.from() refuses keys that were not logged, all at once, and names near ones", () => {
  const error = assertThrows(
    () =>
      ModelConfig.from([
        LOGGED,
        { source: "env", values: { promt: "x" } },
        { source: "call", values: { retrieval: { limits: 1 }, entirely: { other: 1 } } },
      ]),
    ValidationError,
  );
  assertEquals(error.code, "invalid_model_config");
  assertEquals(error.issues.map(({ path }) => path), ["promt", "retrieval.limits", "entirely"]);
  assertStringIncludes(error.issues[0]?.message ?? "", 'set by the environment: did you mean "prompt"?');
  assertStringIncludes(error.issues[1]?.message ?? "", 'did you mean "limit"?');
  assertStringIncludes(error.issues[2]?.message ?? "", 'known are "prompt", "retrieval"');
});

Deno.test("ModelConfig.from() refuses values of another type than was logged", () => {
  const error = assertThrows(
    () => ModelConfig.from([LOGGED, { source: "call", values: { retrieval: { limit: "5" } } }]),
    ValidationError,
  );
  assertEquals(error.issues, [{
    path: "retrieval.limit",
    message: "Expected a number as logged, found a string, set by the call",
  }]);
});

Deno.test("ModelConfig.from() takes any key where nothing was logged", () => {
  assertEquals(ModelConfig.from([{ source: "call", values: { any: 1 } }]).get("any"), 1);
});

Deno.test("ModelConfig.get() finds keys by path, keys that hold dots themselves, and nothing of the prototype", () => {
  const config = new ModelConfig({ a: { b: [1] }, "x.y": 2, n: null });
  assertEquals(config.get("a.b"), [1]);
  assertEquals(config.get("x.y"), 2);
  assertEquals(config.get("n"), null);
  assertEquals(config.get("a.b.c"), undefined);
  assertEquals(config.get("constructor"), undefined);
  assertEquals(config.get("a.toString", "none"), "none");
});

Deno.test("ModelConfig.get() refuses a value of another type than its stand-in", () => {
  const config = new ModelConfig({ limit: "5" });
  const error = assertThrows(() => config.get("limit", 3), ChatModelError, "it must be a number, but is a string");
  assertEquals(error.code, "invalid_model_config");
});

Deno.test("ModelConfig.get() reads secrets where they are referred to, toObject() never does", () => {
  Deno.env.set("MODEL_CONFIG_TEST", "s3cret");
  try {
    const config = new ModelConfig({ key: "env:MODEL_CONFIG_TEST", all: [{ key: "env:MODEL_CONFIG_TEST" }] });
    assertEquals(config.get("key", ""), "s3cret");
    assertEquals(config.get("all"), [{ key: "s3cret" }]);
    assertEquals(config.toObject(), { key: "env:MODEL_CONFIG_TEST", all: [{ key: "env:MODEL_CONFIG_TEST" }] });
  } finally {
    Deno.env.delete("MODEL_CONFIG_TEST");
  }
  const config = new ModelConfig({ key: "env:MODEL_CONFIG_TEST" });
  assertThrows(() => config.get("key"), ChatModelError, '"MODEL_CONFIG_TEST", which is not set');
});

Deno.test("loadChatModel() hands configuration and artifacts to loadContext, predict and predictStream", async () => {
  const seen: unknown[] = [];
  const note = (context: ModelContext) => seen.push([context.modelConfig.get("name"), context.artifacts]);
  class Noting extends ChatModel {
    override loadContext(context: ModelContext): void {
      note(context);
    }
    override predict(context: ModelContext): string {
      note(context);
      return "";
    }
    override *predictStream(context: ModelContext): Generator<string> {
      note(context);
      yield "";
    }
  }
  const artifacts = { prompt: "/tmp/prompt.txt" };
  const model = await loadChatModel(Noting, { artifacts, modelConfig: new ModelConfig({ name: "x" }) });
  const request = { messages: [{ role: "user", content: "" }] } as const;
  await model.predict(request);
  await Array.fromAsync(model.predictStream(request));
  assertEquals(seen, [["x", artifacts], ["x", artifacts], ["x", artifacts]]);
});
