import { join } from "@std/path";
import { type Python, run } from "./_python.ts";
import { type Context, runDeno } from "./_scripts.ts";
import { startMlflow } from "./_server.ts";

const USERNAME = "admin";
const PASSWORD = "correct-horse-7!";
const WRONG_PASSWORD = "battery-staple-8%";

/** A server that wants a name and a password. */
export async function checkBasicAuth({ report, ollama }: Context, python: Python): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "interop-basic-auth-" });
  await using server = await startMlflow(python, (port) => [
    ...["server", "--app-name", "basic-auth", "--host", "127.0.0.1", "--port", String(port), "--workers", "1"],
    ...["--backend-store-uri", `sqlite:///${join(cwd, "server.db")}`, "--artifacts-destination", join(cwd, "files")],
  ], {
    cwd,
    env: { MLFLOW_AUTH_ADMIN_PASSWORD: PASSWORD, MLFLOW_FLASK_SERVER_SECRET_KEY: crypto.randomUUID() },
    ready: "/health",
  });
  const where = `basic-auth ${python.version}`;
  const cache = await cacheOfDeno();
  const check = async (name: string, variables: Record<string, string>, args: readonly string[]) => {
    const home = join(cwd, `home-${crypto.randomUUID()}`);
    await Deno.mkdir(join(home, ".mlflow"), { recursive: true });
    const { FILE_PASSWORD: filePassword, URI_PASSWORD: uriPassword, ...others } = variables;
    if (filePassword !== undefined) {
      // A percent sign is written twice there.
      const text = `[mlflow]\nmlflow_tracking_username = ${USERNAME}\nmlflow_tracking_password = ${
        filePassword.replaceAll("%", "%%")
      }\n`;
      await Deno.writeTextFile(join(home, ".mlflow", "credentials"), text);
    }
    const url = new URL(server.url);
    if (uriPassword !== undefined) {
      url.username = USERNAME;
      url.password = encodeURIComponent(uriPassword);
    }
    const env = {
      MLFLOW_TRACKING_URI: url.href,
      OLLAMA_HOST: ollama,
      CHATMODEL_CACHE: join(home, "cache"),
      HOME: home,
      DENO_DIR: cache,
      ...others,
    };
    await report.check(`${where}: ${name}`, () => runDeno("basic_auth.ts", { cwd, env, args }));
  };
  const named = { MLFLOW_TRACKING_USERNAME: USERNAME };
  await check("name and password of the environment", { ...named, MLFLOW_TRACKING_PASSWORD: PASSWORD }, ["works"]);
  await check("name and password of ~/.mlflow/credentials", { FILE_PASSWORD: PASSWORD }, ["works"]);
  await check("name and password of the tracking URI", { URI_PASSWORD: PASSWORD }, ["works"]);
  const refused = (hint: string) => ["refused", WRONG_PASSWORD, hint];
  await check(
    "a wrong password of the environment is refused with a hint",
    { ...named, MLFLOW_TRACKING_PASSWORD: WRONG_PASSWORD },
    refused("Check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
  );
  const inFile = refused("Check the name and the password in ~/.mlflow/credentials, or in the tracking URI");
  await check("a wrong password of ~/.mlflow/credentials, too", { FILE_PASSWORD: WRONG_PASSWORD }, inFile);
  await check("a wrong password of the tracking URI, too", { URI_PASSWORD: WRONG_PASSWORD }, inFile);
  await check("a token, too", { MLFLOW_TRACKING_TOKEN: WRONG_PASSWORD }, refused("basic-auth takes no tokens"));
  await check("no password, too", named, refused("Set MLFLOW_TRACKING_PASSWORD, too"));
  await check("nothing, too", {}, refused("Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"));
}

/** Where Deno keeps modules, which depends on the home otherwise. */
async function cacheOfDeno(): Promise<string> {
  const { stdout } = await run(Deno.execPath(), ["info", "--json"]);
  const { denoDir }: { denoDir: string } = JSON.parse(stdout);
  return denoDir;
}
