import { toFileUrl } from "@std/path";
import { closeTracking, getTrackingStore, setTrackingUri } from "../../../tracking/fluent/mod.ts";
import type { Run, TrackingStore } from "@chatmodel/chat-model/tracking";
import { ROOT } from "../../support/command.ts";

/** A new database that the functions write to. */
export interface Tracking extends AsyncDisposable {
  readonly folder: string;
  readonly uri: string;
  readonly store: TrackingStore;
  /** All runs of an experiment, the first one first. */
  runs(experimentId?: string): Promise<readonly Run[]>;
}

/** Makes the functions write to a new database, until it is disposed of. */
export async function newTracking(): Promise<Tracking> {
  const folder = await Deno.makeTempDir();
  const uri = `sqlite:///${folder}/mlflow.db`;
  setTrackingUri(uri);
  return {
    folder,
    uri,
    get store() {
      return getTrackingStore();
    },
    async runs(experimentId = "0") {
      const orderBy = ["start_time ASC"];
      return (await getTrackingStore().searchRuns({ experimentIds: [experimentId], orderBy })).items;
    },
    async [Symbol.asyncDispose]() {
      await closeTracking();
      setTrackingUri("");
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** How a program ended. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program is run with. */
export interface ProgramOptions {
  /** Working directory. */
  readonly folder: string;
  /** Its whole environment. */
  readonly env?: Record<string, string>;
  /** @default {["--allow-all"]} */
  readonly permissions?: readonly string[];
}

/** Runs a program of its own, which sees the functions as `mlflow`. */
export async function runProgram(source: string, options: ProgramOptions): Promise<ProgramResult> {
  const { folder, env = {}, permissions = ["--allow-all"] } = options;
  const file = `${folder}/${crypto.randomUUID()}.ts`;
  const module = new URL("tracking/fluent/mod.ts", toFileUrl(ROOT + "/")).href;
  await Deno.writeTextFile(file, `import * as mlflow from "${module}";\n${source}`);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--config", `${ROOT}deno.json`, ...permissions, file],
    cwd: folder,
    clearEnv: true,
    env: { ...inherited(), ...env, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout).trim(), stderr: text.decode(stderr) };
}

/** What Deno itself needs to find its cache. */
function inherited(): Record<string, string> {
  const names = ["HOME", "DENO_DIR", "PATH", "SystemRoot", "LOCALAPPDATA", "USERPROFILE", "TMPDIR"];
  return Object.fromEntries(names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}
