import { OllamaClient } from "../adapters/ollama/mod.ts";
import { CommandError } from "../_command_error.ts";
import { openModelRegistry } from "../registry/mod.ts";
import {
  getRegistryUri,
  getTrackingUri,
  openTrackingStore,
  setTrackingUri,
  TrackingError,
  type TrackingStore,
} from "../tracking/mod.ts";
import { ChatModelError } from "../types/mod.ts";
import type { Command } from "./command.ts";
import { print, printJson } from "./_output.ts";
import { inCommands } from "./_remedies.ts";

/** Milliseconds in which a server has to show that it is there. */
const PROBE_TIMEOUT = 5_000;

/** MLflow's variables for one try of a few seconds. */
const ONE_TRY = { MLFLOW_HTTP_REQUEST_MAX_RETRIES: "0", MLFLOW_HTTP_REQUEST_TIMEOUT: "5" };

/** The oldest Deno that this package is tested with. */
const LEAST_DENO = [2, 9] as const;

/** What was looked at, how it is, and what to do about it. */
interface Finding {
  readonly check: string;
  readonly status: "ok" | "warning" | "error";
  readonly detail: string;
  readonly remedy?: string;
}

/** `doctor`. */
export const doctor: Command = {
  words: ["doctor"],
  summary: "Look at Deno, permissions, Ollama and the tracking store: what is right, what is wrong, how to mend it",
  positionals: [],
  flags: {},
  async run(input) {
    setTrackingUri(input.text("tracking-uri") ?? "");
    // A server that is not there is not waited for: that is what is to be told.
    for (const [name, value] of Object.entries(ONE_TRY)) if (!Deno.env.get(name)) Deno.env.set(name, value);
    const findings: Finding[] = [];
    for (const check of [checkDeno, checkPermissions, checkOllama, checkTracking, checkRegistry]) {
      const found = [await check()].flat();
      findings.push(...found);
      // As they come: the next may take a while.
      if (!input.json) { for (const finding of found) print(lineOf(finding)); }
    }
    if (input.json) printJson(findings);
    const errors = findings.filter(({ status }) => status === "error").length;
    if (errors > 0) throw new CommandError(errors === 1 ? "One thing is wrong" : `${errors} things are wrong`, 1);
  },
};

function lineOf({ check, status, detail, remedy }: Finding): string {
  const line = `${status.padEnd(7)}  ${check.padEnd(12)}  ${detail}`;
  return remedy === undefined ? line : `${line}\n${" ".repeat(23)}→ ${remedy}`;
}

function checkDeno(): Finding {
  const { deno } = Deno.version;
  const [major = 0, minor = 0] = deno.split(".").map(Number);
  const fits = major > LEAST_DENO[0] || (major === LEAST_DENO[0] && minor >= LEAST_DENO[1]);
  return {
    check: "Deno",
    status: fits ? "ok" : "warning",
    detail: `${deno} at ${Deno.build.target}`,
    ...(!fits && { remedy: `This package is tested with ${LEAST_DENO.join(".")} and later. Run 'deno upgrade'` }),
  };
}

/** What each permission is needed for. */
const PERMISSIONS: readonly (readonly [name: "env" | "net" | "read" | "write" | "run", purpose: string])[] = [
  ["env", "MLflow's and Ollama's variables"],
  ["net", "Ollama, tracking servers, serving"],
  ["read", "model files"],
  ["write", "logging models, the embedded store"],
  ["run", "logging models: 'deno info' finds what their code imports"],
];

async function checkPermissions(): Promise<Finding[]> {
  return await Promise.all(PERMISSIONS.map(async ([name, purpose]): Promise<Finding> => {
    const { state, partial } = await Deno.permissions.query({ name });
    const given = state === "granted";
    return {
      check: `--allow-${name}`,
      status: given ? "ok" : "warning",
      detail: given ? partial ? "given for some" : "given" : `not given; it is for ${purpose}`,
      ...(!given && { remedy: `Run with --allow-${name}, or -A` }),
    };
  }));
}

async function checkOllama(): Promise<Finding> {
  const check = "Ollama";
  try {
    const client = new OllamaClient();
    const version = await client.version({ timeout: PROBE_TIMEOUT });
    const models = await client.list({ timeout: PROBE_TIMEOUT });
    if (models.length > 0) {
      return { check, status: "ok", detail: `${version} at ${client.url}, ${models.length} models` };
    }
    return {
      check,
      status: "warning",
      detail: `${version} at ${client.url} has no models`,
      remedy: "Run 'ollama pull llama3.2:1b'",
    };
  } catch (error) {
    // No error: a model need not be Ollama's.
    return { check, status: "warning", ...split(error) };
  }
}

async function checkTracking(): Promise<Finding> {
  const check = "Tracking";
  try {
    const uri = getTrackingUri();
    // A look must not make a database where there is none.
    const path = /^sqlite:\/\/\/(.+)$/.exec(uri)?.[1];
    if (path !== undefined && !await exists(path)) {
      return { check, status: "ok", detail: `${uri} is not there yet: the first run or model makes it` };
    }
    await using store = openTrackingStore(uri);
    const { items, nextPageToken } = await store.searchExperiments({ maxResults: 100 });
    const count = nextPageToken === undefined ? `${items.length}` : `over ${items.length}`;
    const detail = `${store.uri} answers, ${counted(count, "experiment")}`;
    const why = path === undefined ? undefined : await whyReadOnly(store);
    if (why === undefined) return { check, status: "ok", detail };
    const { remedy } = split(why);
    return { check, status: "warning", detail: `${detail}, but it may only be read`, ...(remedy && { remedy }) };
  } catch (error) {
    return { check, status: "error", ...split(error) };
  }
}

/** Why a database takes no changes: asked by one that is refused anyway, as there is no such run. */
async function whyReadOnly(store: TrackingStore): Promise<TrackingError | undefined> {
  try {
    await store.restoreRun("doctor");
  } catch (error) {
    if (!(error instanceof TrackingError)) throw error;
    if (error.errorCode === "PERMISSION_DENIED") return error;
  }
  return undefined;
}

async function checkRegistry(): Promise<Finding> {
  const check = "Registry";
  try {
    const uri = getRegistryUri();
    const path = /^sqlite:\/\/\/(.+)$/.exec(uri)?.[1];
    if (path !== undefined && !await exists(path)) return { check, status: "ok", detail: `${uri} is not there yet` };
    await using registry = openModelRegistry(uri);
    const { items, nextPageToken } = await registry.searchRegisteredModels({ maxResults: 100 });
    const count = nextPageToken === undefined ? `${items.length}` : `over ${items.length}`;
    return { check, status: "ok", detail: `${registry.uri} answers, ${counted(count, "registered model")}` };
  } catch (error) {
    return { check, status: "error", ...split(error) };
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Messages of this package end in what to do. */
function split(error: unknown): { readonly detail: string; readonly remedy?: string } {
  if (!ChatModelError.isInstance(error) && !(error instanceof Deno.errors.NotCapable)) throw error;
  const message = inCommands(error.message);
  const [, detail, remedy] = /^(.*?)\. ([A-Z'].*)$/s.exec(message) ?? [];
  return detail === undefined || remedy === undefined ? { detail: message } : { detail, remedy };
}

function counted(count: string, thing: string): string {
  return `${count} ${thing}${count === "1" ? "" : "s"}`;
}
