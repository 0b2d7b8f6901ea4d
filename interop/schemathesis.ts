/**
 * Has Schemathesis, a fuzzer of APIs, ask a server all that its `/openapi.json` tells of, rightly and wrongly: no
 * answer may be a failure of the server, and each must have a status, headers and a body that the document declares.
 * Then what the document calls right must be taken. Prints the fuzzer's summaries; ends with exit code 1 if it finds
 * something.
 *
 * Run it: `deno run -A interop/schemathesis.ts`, or with `--url http://127.0.0.1:8000` against a server that runs. Needs
 * `python3`; Schemathesis comes from PyPI into `.cache/`. Takes about four minutes.
 */
import { fromFileUrl, join } from "@std/path";
import { DemoChatModel } from "../adapters/demo/mod.ts";
import { createApp, listen } from "../serve.ts";
import { Echo, Everything } from "../tests/serving/openapi/_models.ts";
import { progress, run } from "./_python.ts";
import { withModels, withoutModelErrors, withoutWhatIsSaidInWords, withSimpleSchemas } from "./_fuzzed_document.ts";

const VERSION = "4.32.5";
const FOLDER = fromFileUrl(new URL(`../.cache/interop/schemathesis-${VERSION}/`, import.meta.url));
const PROGRAM = join(FOLDER, "bin", "schemathesis");

/** Seconds that a part may take. */
const TIME = 100;

interface Part {
  readonly name: string;
  readonly document: unknown;
  readonly args: readonly string[];
}

/** Its settings: it does not know that 413 and 431 refuse a request, too. */
const SETTINGS = `
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, 431, "5xx"]
`;

/** Runs one part. */
async function fuzz({ name, document, args }: Part, url: string): Promise<boolean> {
  progress(`${name} …`);
  const folder = await Deno.makeTempDir();
  const file = join(folder, "openapi.json");
  const settings = join(folder, "schemathesis.toml");
  try {
    await Deno.writeTextFile(file, JSON.stringify(document));
    await Deno.writeTextFile(settings, SETTINGS);
    const limits = ["--max-time", String(TIME), "--max-examples", "100", "--continue-on-failure"];
    const all = ["--config-file", settings, "run", file, "--url", url, ...limits, ...args];
    const { success, stdout, stderr } = await run(PROGRAM, all, {
      // Else it leaves its database of examples where it was started.
      cwd: folder,
      env: { NO_COLOR: "1", DO_NOT_TRACK: "1" },
    });
    const summary = stdout.slice(Math.max(0, stdout.search(/^=+ SUMMARY =+$/m)));
    // deno-lint-ignore no-console -- a command talks to its user
    console.log(`${name}\n${success ? summary : stdout + stderr}`);
    return success;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function install(): Promise<void> {
  if ((await run(PROGRAM, ["--version"])).stdout.includes(VERSION)) return;
  progress(`Installing Schemathesis ${VERSION} into ${FOLDER}`);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", `schemathesis==${VERSION}`];
  for (const [program, args] of [["python3", ["-m", "venv", FOLDER]], [join(FOLDER, "bin", "python"), pip]] as const) {
    const { success, stderr } = await run(program, args);
    if (!success) throw new Error(`${program} ${args.join(" ")} failed: ${stderr.trim()}`);
  }
}

async function read(url: string): Promise<{ readonly document: unknown; readonly models: readonly string[] }> {
  const document: unknown = await (await fetch(`${url}/openapi.json`)).json();
  const { data }: { data: { id: string }[] } = await (await fetch(`${url}/v1/models`)).json();
  return { document, models: data.map(({ id }) => id) };
}

await install();
const given = Deno.args[0] === "--url" ? Deno.args[1] : undefined;
// The fuzzer has models fail on purpose: that is no news.
const app = createApp({ everything: new Everything(), demo: new DemoChatModel(), echo: new Echo() }, { onError() {} });
const server = given === undefined ? await listen(app, { port: 0 }) : undefined;
const url = server === undefined ? given ?? "" : `http://127.0.0.1:${server.addr.port}`;
const { document, models } = await read(url);
const strict = withSimpleSchemas(withoutModelErrors(withModels(document, models)));
const parts: readonly Part[] = [
  {
    name: "Answers are as declared, and what is wrong is refused",
    document: strict,
    args: ["--checks", "all", "--exclude-checks", "positive_data_acceptance"],
  },
  {
    name: "What is right is taken",
    document: withoutWhatIsSaidInWords(strict),
    args: ["--checks", "all", "--mode", "positive"],
  },
];
let isGood = true;
for (const part of parts) isGood = await fuzz(part, url) && isGood;
server?.shutdown();
await server?.finished;
if (!isGood) Deno.exitCode = 1;
