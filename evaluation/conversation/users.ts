import { type ChatMessage, ChatModelError, type ChatParams, ValidationError } from "../../types/mod.ts";
import { type JudgeModel, LazyModel } from "../judges/judge_model.ts";
import type { SimulatedUser } from "../run/converse.ts";

/**
 * A user that says one thing after the other, whatever the model answers.
 *
 * @param lines What is said after the first answer, after the second, and so on.
 * @returns The user. It has nothing more to say after the last line.
 */
export function scriptedUser(lines: readonly (string | ChatMessage)[]): SimulatedUser {
  return ({ turn }) => lines[turn - 1];
}

/** Options for {@linkcode modelUser}. */
export interface ModelUserOptions {
  /** The model that plays the user: URI, loaded model, ChatModel or class. */
  readonly model: JudgeModel;
  /** What the user wants, such as "Cancel an order that has left the house already". */
  readonly goal: string;
  /** Who the user is, such as "Impatient, writes in one line". Default: no one in particular. */
  readonly persona?: string;
  /** Word by which the model says that the user is done. @default {"[done]"} */
  readonly doneWord?: string;
  /** Parameters of its answers. The seed of the row is sent as well. */
  readonly params?: ChatParams;
}

/**
 * A user that is played by a model: it sees the conversation from the other side, and talks until it has what it wants,
 * or sees that it cannot have it.
 *
 * @param options The model and the part that it plays.
 * @returns The user.
 * @throws {ValidationError} If an option is not valid.
 */
export function modelUser(options: ModelUserOptions): SimulatedUser {
  const { goal, persona, doneWord = "[done]", params = {} } = options;
  const action = "Cannot make user";
  const issues = Object.entries({ goal, doneWord })
    .filter(([, text]) => text.trim() === "")
    .map(([path]) => ({ path, message: "must be a text that is not empty" }));
  if (issues.length > 0) throw new ValidationError(action, issues);
  const model = new LazyModel(options.model, action);
  const part = [
    "You play the user in a conversation with an assistant, to try the assistant out. You are not the assistant: never " +
    "answer in its place, never help.",
    ...(persona === undefined ? [] : [`Who you are: ${persona}`]),
    `What you want: ${goal}`,
    "Write the user's next message and nothing else, as such a user would write it. When you have what you want, or it " +
    `is plain that you will not get it, write ${doneWord} and nothing else.`,
  ].join("\n\n");
  return async ({ messages, seed, signal }) => {
    const loaded = await model.get();
    const response = await loaded.predict({
      ...(seed !== undefined && { seed }),
      ...params,
      messages: [{ role: "system", content: part }, ...messages.flatMap(fromOtherSide)],
    }, { signal });
    const message = response.choices[0]?.message;
    if (message === undefined || message.refusal !== null) {
      throw new ChatModelError(
        `Cannot go on with the conversation: the model "${model.name}" refused to play the user`,
        {
          code: "invalid_model_output",
        },
      );
    }
    const said = (message.content ?? "").trim();
    return said === "" || said.includes(doneWord) ? undefined : said;
  };
}

/** Who plays the user says what the user said, and is answered by the assistant. Rules and tools are none of its business. */
function fromOtherSide(message: ChatMessage): readonly ChatMessage[] {
  switch (message.role) {
    case "user": {
      const { content } = message;
      const text = typeof content === "string"
        ? content
        : content.map((part) => part.type === "text" ? part.text : `(${part.type})`).join("\n");
      return [{ role: "assistant", content: text }];
    }
    case "assistant": {
      const { content, refusal } = message;
      const text = typeof content === "string"
        ? content
        : content?.map((part) => part.type === "text" ? part.text : part.refusal).join("\n") ?? refusal ?? "";
      return text === "" ? [] : [{ role: "user", content: text }];
    }
    default:
      return [];
  }
}
