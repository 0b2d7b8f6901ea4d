import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  chatExample,
  customExample,
  EXAMPLE_FILE,
  SERVING_FILE,
  writeChatExample,
  writeCustomExample,
} from "../../models/_input_example.ts";
import { ChatModelError, ValidationError } from "../../types/mod.ts";
import { makeFolder, type TemporaryFolder } from "./_folder.ts";

function recorded(path: string): string {
  return Deno.readTextFileSync(new URL(`../testdata/mlflow/${path}`, import.meta.url));
}

async function filesOf(folder: TemporaryFolder): Promise<{ readonly [name: string]: string }> {
  return { [EXAMPLE_FILE]: await folder.read(EXAMPLE_FILE), [SERVING_FILE]: await folder.read(SERVING_FILE) };
}

function recordedFiles(model: string): { readonly [name: string]: string } {
  return {
    [EXAMPLE_FILE]: recorded(`models/${model}/${EXAMPLE_FILE}`),
    [SERVING_FILE]: recorded(`models/${model}/${SERVING_FILE}`),
  };
}

const MESSAGES = [{ role: "user", content: "Hello, how are you?" }];

for (const model of ["v1_chat_only", "v2_params"]) {
  Deno.test(`writeChatExample() writes the files of MLflow's "${model}", to the byte`, async () => {
    for (const example of [{ messages: MESSAGES }, MESSAGES]) {
      await using folder = await makeFolder({});
      await writeChatExample(folder.path, chatExample(example));
      assertEquals(await filesOf(folder), recordedFiles(model));
    }
  });
}

Deno.test(`writeCustomExample() writes the files of MLflow's "v3_pythonmodel", to the byte`, async () => {
  const params = { max_tokens: 25, temperature: 0.5, top_p: 0.5, stop: ["\n"], seed: 123 };
  await using folder = await makeFolder({});
  await writeCustomExample(folder.path, customExample([{ messages: MESSAGES }, params]));
  assertEquals(await filesOf(folder), recordedFiles("v3_pythonmodel"));
});

interface RecordedExample {
  readonly example: unknown;
  readonly has_params: boolean;
  readonly files: { readonly [name: string]: string };
}

const RECORDED: readonly RecordedExample[] = JSON.parse(recorded("input_examples_3.17.2.json"));

for (const { example, has_params, files } of RECORDED) {
  Deno.test(`writeCustomExample() writes ${JSON.stringify(example)} as MLflow does, to the byte`, async () => {
    await using folder = await makeFolder({});
    const read = customExample(example);
    assertEquals(read.params !== undefined, has_params);
    await writeCustomExample(folder.path, read);
    assertEquals(await filesOf(folder), files);
  });
}

Deno.test("writeChatExample() writes the default of MLflow's save_model where there is none, to the byte", async () => {
  const vectors: readonly { readonly name: string; readonly output: { readonly [key: string]: unknown } }[] = JSON
    .parse(
      recorded("vectors.json"),
    );
  const output = vectors.find(({ name }) => name === "save: no example")?.output;
  for (const none of [undefined, null]) {
    await using folder = await makeFolder({});
    const example = chatExample(none);
    await writeChatExample(folder.path, example);
    assertEquals(await filesOf(folder), {
      [EXAMPLE_FILE]: String(output?.["input_example_json"]),
      [SERVING_FILE]: String(output?.["serving_input_example_json"]),
    });
    assertEquals(example.request.params, { temperature: 1, max_tokens: 10, stop: ["\n"], n: 1, stream: false });
  }
  // An author's own example is not touched, also one that looks the same.
  await using folder = await makeFolder({});
  await writeChatExample(folder.path, chatExample({ messages: MESSAGES, temperature: 1, n: 1 }));
  assertEquals(JSON.parse(await folder.read(EXAMPLE_FILE)), { messages: MESSAGES, temperature: 1, n: 1 });
  assert(!(await folder.read(EXAMPLE_FILE)).includes("1.0"));
});

Deno.test("chatExample() keeps what was given as it was, and the request as a model takes it", () => {
  const example = { messages: MESSAGES, max_tokens: 25, custom_inputs: { seed: "321" } };
  const { body, request } = chatExample(example);
  assertEquals(body, example);
  assertEquals(request.params, { max_tokens: 25, custom_inputs: { seed: "321" } });
});

Deno.test("chatExample() refuses what is no request", () => {
  for (const example of ["Hello", 5, [], [1], {}, { messages: MESSAGES, temperature: "warm" }]) {
    assertThrows(() => chatExample(example), ValidationError);
  }
});

Deno.test("customExample() tells an input from an input with params", () => {
  assertEquals(customExample(["x", { k: 1 }]), { input: "x", params: { k: 1 } });
  const rows = [{ a: 1 }, { a: 2 }];
  assertEquals(customExample([rows, {}]), { input: rows, params: {} });
  for (const input of ["x", 0, null, [], ["x", [1]], ["x", null], [{ a: 1 }], [1, { k: 1 }, 2], { a: [1] }]) {
    assertEquals(customExample(input), { input });
  }
});

Deno.test("customExample() refuses what JSON cannot keep, and says where it is", () => {
  const wrong: readonly (readonly [unknown, string])[] = [
    [undefined, "it is undefined"],
    [{ a: [1, 2n] }, '"a.1"'],
    [["x", { when: new Date(0) }], '"1.when"'],
    [[{ x: NaN }, {}], '"0.x"'],
  ];
  for (const [example, part] of wrong) {
    const error = assertThrows(() => customExample(example), ChatModelError, part);
    assertEquals([error.code, error.status], ["invalid_input_example", 400]);
    assert(!error.message.endsWith("."));
  }
});

for (
  const [example, body] of [
    [[{ messages: MESSAGES, temperature: 0.5, max_tokens: 3 }, { max_tokens: 7 }], {
      messages: MESSAGES,
      temperature: 0.5,
      max_tokens: 7,
    }],
    [[MESSAGES, { max_tokens: 7, zzz: 1 }], { messages: MESSAGES, max_tokens: 7, zzz: 1 }],
    [[{ messages: MESSAGES, max_tokens: 3 }, { max_tokens: null }], { messages: MESSAGES, max_tokens: 3 }],
    [[MESSAGES, {}], { messages: MESSAGES }],
    [[...MESSAGES, ...MESSAGES], { messages: [...MESSAGES, ...MESSAGES] }],
  ] as const
) {
  Deno.test(`chatExample() reads ${JSON.stringify(example)} as a request`, () => {
    assertEquals(chatExample(example).body, body);
  });
}

Deno.test("chatExample() refuses two requests, and params that no request may have", () => {
  const two = [{ messages: MESSAGES }, { messages: MESSAGES }];
  const error = assertThrows(() => chatExample(two), ChatModelError, '"1.messages" is no param: give one request');
  assertEquals(error.code, "invalid_input_example");
  assertThrows(() => chatExample([MESSAGES, { max_tokens: "7" }]), ValidationError, '"max_tokens"');
  assertThrows(() => chatExample([MESSAGES, [1]]), ValidationError, '"messages.0');
  assertThrows(() => chatExample([MESSAGES, {}, {}]), ValidationError, '"messages.0');
});
