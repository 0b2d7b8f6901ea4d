/** A model that does what the one behind the recorded `predict:` and `stream:` vectors does. */
import { type ChatMessage, ChatModel, type ChatParams, type ModelContext, type PredictResult } from "../../mod.ts";
import type { PredictPart } from "../../mod.ts";

/** What the recorded model raises, by what its last message says. */
const RAISED: { readonly [text: string]: readonly [name: string, message: string] } = {
  "raise:ValueError": ["ValueError", "boom"],
  "raise:Mlflow": ["MlflowException", "bad param from model"],
  "raise:KeyError": ["KeyError", "'k'"],
  "raise:first": ["RuntimeError", "before first chunk"],
  "raise:mid": ["RuntimeError", "mid stream"],
};

/** Answers "ok" and says in `custom_outputs` what it received. */
export class Echo extends ChatModel {
  override predict(_context: ModelContext, messages: readonly ChatMessage[], params: ChatParams): PredictResult {
    const text = String(messages.at(-1)?.content);
    raise(text);
    const [, form] = /^return:(.*)/.exec(text) ?? [];
    return form === undefined ? echo(messages, params) : returned(form, echo(messages, params));
  }

  override *predictStream(_context: ModelContext, messages: readonly ChatMessage[]): Generator<PredictPart> {
    const text = String(messages.at(-1)?.content);
    if (text === "raise:first") raise(text);
    yield chunk("a", 0);
    if (text === "raise:mid") raise(text);
    if (text === "yield:dict") yield { content: "dict" };
    if (text === "yield:response") {
      yield untyped({ choices: [{ message: { role: "assistant", content: "response" } }] });
    }
    yield chunk("b", 1);
    yield {
      ...chunk("c", 2),
      choices: [{ index: 0, delta: { role: "assistant", content: "c" }, finish_reason: "stop" }],
    };
  }
}

function raise(text: string): void {
  const raised = RAISED[text];
  if (raised === undefined) return;
  const [name, message] = raised;
  throw Object.assign(new Error(message), { name });
}

function echo(messages: readonly ChatMessage[], params: ChatParams) {
  return {
    id: "fixed",
    model: "vec",
    created: 1700000000,
    choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" }],
    custom_outputs: { messages, params },
  } as const;
}

function chunk(content: string, n: number) {
  return {
    id: `c${n}`,
    model: "vec",
    created: 1700000000,
    choices: [{ index: 0, delta: { role: "assistant", content } }],
  } as const;
}

/** What the model answers to parameters and messages. */
export function echoed(
  { messages = [{ role: "user", content: "x" }], params = {} }: {
    readonly messages?: readonly unknown[];
    readonly params?: { readonly [name: string]: unknown };
  } = {},
): unknown {
  const [choice] = echo([], {}).choices;
  return {
    id: "fixed",
    object: "chat.completion",
    created: 1700000000,
    model: "vec",
    choices: [choice],
    custom_outputs: { messages, params },
  };
}

/** What is no response. */
function returned(form: string, response: PredictResult): PredictResult {
  const forms: { readonly [form: string]: unknown } = {
    dict: response,
    none: null,
    str: "hi",
    chunk: chunk("a", 0),
    list: [response],
    minimal: { choices: [], created: 1 },
    mutated: { choices: "not a list" },
    noneoutputs: { choices: [], created: 1, custom_outputs: { a: null, b: [null, { c: null }] } },
  };
  return untyped(forms[form]);
}

/** A value of any type, as authors in JavaScript may return it. */
function untyped<T>(value: unknown): T {
  const holder: object = { value };
  return Reflect.get(holder, "value");
}
