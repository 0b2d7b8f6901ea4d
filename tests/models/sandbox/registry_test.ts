import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import * as v from "valibot";
import { PACKAGE_VERSION } from "../../../models/_specifiers.ts";
import { startJsrRegistry } from "../../support/jsr_registry.ts";
import { makeFolder } from "../_folder.ts";

Deno.test("loadModel() with sandbox works where the package comes from its registry", async () => {
  await using registry = await startJsrRegistry();
  await using folder = await makeFolder({
    "deno_dir/nothing": "",
    "secret.ts": 'export const secret = "secret";\n',
    "model/model.ts": `import { ChatModel } from "jsr:@chatmodel/chat-model@^${PACKAGE_VERSION}";
import { basename } from "jsr:@std/path@^1.1.6";
import * as v from "npm:valibot@^1.5.0";

export default class extends ChatModel {
  override async predict() {
    const { secret } = await import(["..", "secret.ts"].join("/")).catch(({ message }) => ({ secret: message }));
    return v.parse(v.string(), basename("/home/shouter")) + " " + secret.replace(/".*"/, "it");
  }
}
`,
    "program.ts": `import { loadModel } from "jsr:@chatmodel/chat-model@${PACKAGE_VERSION}/models";
const stop = new AbortController();
const model = await loadModel("model/model.ts", { sandbox: { signal: stop.signal } });
const { choices } = await model.predict({ messages: [{ role: "user", content: "Hi" }] });
console.log(choices[0]?.message.content);
stop.abort();
`,
  });
  const decoder = new TextDecoder();
  const info = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { npmCache } = v.parse(v.object({ npmCache: v.string() }), JSON.parse(decoder.decode(info.stdout)));
  // What of npm the package needs, Deno has on this machine already.
  await Deno.symlink(npmCache, join(folder.path, "deno_dir/npm"), { type: "dir" });
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-lock",
      "--unstable-worker-options",
      "--allow-read=model",
      "--allow-env",
      "program.ts",
    ],
    cwd: folder.path,
    env: { JSR_URL: registry.url, DENO_DIR: join(folder.path, "deno_dir"), NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assertEquals(decoder.decode(stderr), "");
  assertEquals(
    decoder.decode(stdout),
    "shouter Requires read access to it, run again with the --allow-read flag\n",
  );
});
