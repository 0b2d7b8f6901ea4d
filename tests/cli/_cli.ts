/** Runs `cli.ts` as a person would, in a folder of its own. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { ROOT } from "../support/command.ts";

/** How a command ended, and what it wrote. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder to work in. */
export interface Workplace extends AsyncDisposable {
  readonly path: string;
  /** Runs a command; `input` is what stands on its standard input. */
  run(args: readonly string[], input?: string): Promise<Ended>;
  /** Runs a command that must succeed, and reads the JSON that it prints. */
  // deno-lint-ignore no-explicit-any -- what tests look into
  json(args: readonly string[], input?: string): Promise<any>;
  /** Writes a file. */
  write(name: string, text: string): Promise<string>;
}

/** Makes a folder to work in, removed in the end. */
export async function workplace(env: Record<string, string> = {}): Promise<Workplace> {
  const path = await Deno.makeTempDir({ prefix: "cli-" });
  async function run(args: readonly string[], input = ""): Promise<Ended> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", join(ROOT, "deno.json"), join(ROOT, "cli.ts"), ...args],
      cwd: path,
      env: { NO_COLOR: "1", MLFLOW_TRACKING_URI: "", OLLAMA_HOST: "127.0.0.1:1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    // A command that has no use for its input may end before it is written.
    await writer.write(new TextEncoder().encode(input)).then(() => writer.close(), () => {});
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }
  return {
    path,
    run,
    async json(args, input) {
      const { code, stdout, stderr } = await run(args, input);
      assertEquals(code, 0, stderr);
      return JSON.parse(stdout);
    },
    async write(name, text) {
      await Deno.writeTextFile(join(path, name), text);
      return join(path, name);
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** A model that says which version it is, and what it is configured with. */
export function modelSource(version: string): string {
  return `import { ChatModel, type ModelContext } from "@chatmodel/chat-model";

export default class Versioned extends ChatModel {
  override predict(context: ModelContext) {
    return "version ${version}, " + context.modelConfig.get("tone", "plain");
  }
}
`;
}
