// deno-lint-ignore-file no-console -- it is checked where that goes
/** The model of the checks of the Python loader: does what the last message tells it to. */
import { type ChatMessage, ChatModel, type ChatParams, type ModelContext } from "@chatmodel/chat-model";

export default class LoaderModel extends ChatModel {
  #cancelled = 0;
  #running = 0;
  #yielded = 0;
  readonly #waiting: (() => void)[] = [];

  override async predict(context: ModelContext, messages: readonly ChatMessage[], params: ChatParams): Promise<string> {
    const [command = "", argument = ""] = textOf(messages).split(/:(.*)/s);
    switch (command) {
      case "pid":
        return String(Deno.pid);
      case "cancelled":
        return String(this.#cancelled);
      case "running":
        return String(this.#running);
      case "yielded":
        return String(this.#yielded);
      case "together": {
        const { promise, resolve } = Promise.withResolvers<void>();
        if (this.#waiting.push(resolve) === Number(argument.split(" ")[0])) { for (const go of this.#waiting) go(); }
        await promise;
        return argument;
      }
      case "length":
        return String(argument.length);
      case "params":
        return JSON.stringify(params);
      case "config":
        return JSON.stringify(context.modelConfig.toObject());
      case "sleep":
        await this.#sleep(context, Number(argument));
        return argument;
      case "crash":
        console.error("about to crash");
        Deno.exit(7);
        break;
      case "stuck":
        for (;;);
      case "throw":
        throw new RangeError(argument);
      case "log":
        console.log(argument);
        console.table([{ argument }]);
        Deno.stdout.writeSync(new TextEncoder().encode(`${argument} by Deno`));
        return "logged";
    }
    return `${command}${argument === "" ? "" : `:${argument}`}`;
  }

  override async *predictStream(context: ModelContext, messages: readonly ChatMessage[]): AsyncGenerator<string> {
    const [command, argument = ""] = textOf(messages).split(/:(.*)/s);
    this.#running++;
    try {
      if (command === "count") {
        for (let number = 0; number < Number(argument); number++) yield `${number} `;
        return;
      }
      if (command === "flood") {
        for (;;) {
          this.#yielded++;
          yield "x";
        }
      }
      for (let number = 0;; number++) {
        yield `${number} `;
        await this.#sleep(context, 10);
      }
    } finally {
      this.#running--;
    }
  }

  async #sleep({ signal }: ModelContext, time: number) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, time);
    const onAbort = () => {
      this.#cancelled++;
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }
}

function textOf(messages: readonly ChatMessage[]): string {
  const content = messages.at(-1)?.content;
  return typeof content === "string" ? content : "";
}
