/** What is left behind where a command is interrupted. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { ROOT } from "../support/command.ts";
import { filesBelow } from "../models/_models.ts";
import { modelSource, workplace } from "./_cli.ts";

/** A model that never answers, and says when it is asked. */
const SLOW = `import { ChatModel } from "@chatmodel/chat-model";
export default class Slow extends ChatModel {
  override predict(): Promise<string> {
    console.error("asked");
    return new Promise((resolve) => setTimeout(resolve, 2_000_000_000));
  }
}
`;

/** Runs a command, and sends it a signal as soon as it says a word. */
async function interrupt(
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly signals: readonly Deno.Signal[];
    readonly word?: string;
    readonly ready?: Promise<unknown>;
  },
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", join(ROOT, "deno.json"), join(ROOT, "cli.ts"), ...args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", MLFLOW_TRACKING_URI: "", OLLAMA_HOST: "127.0.0.1:1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const said = Promise.withResolvers<void>();
  let stderr = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      stderr += text;
      if (options.word !== undefined && stderr.includes(options.word)) said.resolve();
    }
    said.resolve();
  })();
  const stdout = new Response(child.stdout).text();
  await (options.ready ?? said.promise);
  for (const signal of options.signals) {
    child.kill(signal);
    // Two of a kind at once would be one.
    if (options.signals.length > 1) await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const { code } = await child.status;
  await reading;
  return { code, stdout: await stdout, stderr };
}

for (const [signal, exitCode] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test({
    name: `cli.ts log that is ended by ${signal} leaves a killed run, a failed model, and no files`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using place = await workplace();
      const model = await place.write("slow.ts", SLOW);
      const ended = await interrupt(["log", model, "--name", "slow", "--validate", "predict", "--register", "reg"], {
        cwd: place.path,
        signals: [signal],
        word: "asked",
      });
      assertEquals([ended.code, ended.stdout, ended.stderr], [exitCode, "", "asked\nerror: Interrupted\n"]);
      const [run, ...others] = await place.json(["runs", "list", "--json"]);
      assertEquals([run.info.status, others], ["KILLED", []]);
      assert(run.info.end_time > 0);
      const [logged] = await place.json(["models", "list", "--experiment", "Default", "--json"]);
      assertEquals([logged.status, logged.tags["chatmodel.failure"]], ["FAILED", "Aborted"]);
      assertEquals(await place.json(["models", "list", "--json"]), []);
      const files = (await filesBelow(place.path)).filter((path) => !path.startsWith("mlflow.db"));
      assertEquals(files, ["slow.ts"]);
    },
  });
}

Deno.test({
  name: "cli.ts predict that is interrupted says so, with a shell's exit code",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using place = await workplace();
    const model = await place.write("slow.ts", SLOW);
    const input = await place.write("in.json", '{"messages": [{"role": "user", "content": "Hi"}]}');
    const ended = await interrupt(["predict", "-m", model, "-i", input], {
      cwd: place.path,
      signals: ["SIGINT"],
      word: "asked",
    });
    assertEquals([ended.code, ended.stdout, ended.stderr], [130, "", "asked\nerror: Interrupted\n"]);
  },
});

Deno.test({
  name: "cli.ts log ends at once where it is interrupted a second time",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using place = await workplace();
    const model = await place.write("model.ts", modelSource("1"));
    const asked = Promise.withResolvers<void>();
    const never = Promise.withResolvers<Response>();
    // A tracking server that takes a request, and never answers.
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
      asked.resolve();
      return never.promise;
    });
    const uri = `http://127.0.0.1:${server.addr.port}`;
    const ended = await interrupt(["log", model, "--name", "m", "--experiment", "e", "--tracking-uri", uri], {
      cwd: place.path,
      signals: ["SIGINT", "SIGINT"],
      ready: asked.promise,
    });
    never.resolve(new Response());
    assertEquals([ended.code, ended.stdout], [130, ""]);
  },
});

Deno.test({
  name: "cli.ts that is not interrupted ends as ever",
  async fn() {
    await using place = await workplace();
    const model = await place.write("model.ts", modelSource("1"));
    const { code, stderr } = await place.run(["log", model, "--name", "m"]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes((await place.run(["runs", "list"])).stdout, "FINISHED");
  },
});
