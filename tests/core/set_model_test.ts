import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { ChatModel, CustomModel, setModel } from "../../mod.ts";
import { takeModel, toModel } from "../../set_model.ts";

class Chat extends ChatModel {
  override predict() {
    return "Hello";
  }
}

class Custom extends CustomModel {
  override predict() {
    return 1;
  }
}

Deno.test("setModel() takes models of either kind, and classes of them", () => {
  const [chat, custom] = [new Chat(), new Custom()];
  setModel(chat);
  assertStrictEquals(takeModel(), chat);
  setModel(custom);
  assertStrictEquals(takeModel(), custom);
  setModel(Chat);
  assertInstanceOf(takeModel(), Chat);
  setModel(Custom);
  assertInstanceOf(takeModel(), Custom);
});

Deno.test("setModel() keeps the last model, and takeModel() takes it once", () => {
  setModel(new Chat());
  setModel(new Custom());
  assertInstanceOf(takeModel(), Custom);
  assertEquals(takeModel(), undefined);
});

Deno.test("setModel() refuses what is no model", () => {
  for (const value of [undefined, null, {}, class {}, () => 1, "demo"]) {
    // @ts-expect-error -- what JavaScript would let through
    assertThrows(() => setModel(value), TypeError, "ChatModel or CustomModel");
    assertEquals(takeModel(), undefined);
    assertEquals(toModel(value), undefined);
  }
});

Deno.test("toModel() makes a new instance of a class each time", () => {
  const [one, other] = [toModel(Custom), toModel(Custom)];
  assert(one !== undefined && one !== other);
});
