/** Models that answer in all the ways that the document tells of. */
import {
  type ChatMessage,
  ChatModel,
  ChatModelError,
  type ChatParams,
  CustomModel,
  type EmbeddingParams,
  type ModelContext,
  OverloadedError,
  type PredictResult,
} from "../../../mod.ts";

/** Gives all that an answer can have, or fails as its last message says. */
export class Everything extends ChatModel {
  override predict(_context: ModelContext, messages: readonly ChatMessage[], params: ChatParams): PredictResult {
    const asked = messages.at(-1)?.content;
    const { tools: [tool] = [], tool_choice: choice = "auto" } = params;
    if (asked === "busy") throw new OverloadedError("Cannot answer now", { retryAfter: 1500 });
    if (asked === "teapot") throw new ChatModelError("Cannot brew coffee", { status: 418, code: "teapot" });
    if (asked === "bug") throw new TypeError("Cannot read properties of undefined");
    const token = { token: "Hi", logprob: -0.5, bytes: [72, 105] };
    return {
      content: "Hi",
      reasoning: "Thinking",
      ...tool?.type === "function" && choice === "auto" && {
        tool_calls: [{ id: "call_1", type: "function", function: { name: tool.function.name, arguments: "{}" } }],
      },
      ...tool?.type === "custom" && choice === "auto" && {
        tool_calls: [{ id: "call_1", type: "custom", custom: { name: tool.custom.name, input: "x" } }],
      },
      annotations: [{ type: "url_citation", url_citation: { url: "https://example.com/" } }],
      logprobs: { content: [{ ...token, top_logprobs: [token] }], refusal: null },
      usage: { prompt_tokens: 1, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 1 } },
      custom_outputs: { a: 1 },
    };
  }

  override embed(_context: ModelContext, input: readonly string[], { dimensions = 2 }: EmbeddingParams): number[][] {
    if (dimensions > 8) throw new ChatModelError("Cannot make vectors so long", { code: "unsupported_value" });
    return input.map(() => new Array<number>(dimensions).fill(0.5));
  }
}

/** Gives back what it gets. */
export class Echo extends CustomModel {
  override predict(_context: unknown, input: unknown): unknown {
    return input;
  }
}

/** Says something, or nothing, and then fails. */
export class Failing extends ChatModel {
  readonly #tokens: readonly string[];

  constructor(...tokens: readonly string[]) {
    super();
    this.#tokens = tokens;
  }

  override async *predictStream(): AsyncGenerator<string> {
    yield* this.#tokens;
    // Not before what was said is on its way.
    await new Promise((resolve) => setTimeout(resolve, 0));
    throw new TypeError("Cannot read properties of undefined");
  }
}
