import type { OpenAIClient } from "../adapters/openai/mod.ts";
import { CommandError } from "../_command_error.ts";
import { type CallLimits, loadChatModel, type LoadedChatModel } from "../loaded_chat_model.ts";
import { ChatModelError } from "../types/mod.ts";

/** What `openai:NAME@URL,URL` says. */
export interface OpenAISpec {
  /** Name of the model, as the upstream knows it. */
  readonly model: string;
  /** Base URLs; none if the environment tells. */
  readonly urls: readonly URL[];
}

const OPENAI_ORIGIN = "https://api.openai.com";
const KEY_VARIABLE = "CHATMODEL_UPSTREAM_API_KEY";

/** Milliseconds in which an upstream has to show that it has a model. */
const PROBE_TIMEOUT = 3_000;

/**
 * Reads a spec.
 *
 * @throws {CommandError} If it is none.
 */
export function parseOpenAISpec(spec: string): OpenAISpec {
  const text = spec.slice("openai:".length);
  // Names of models may hold "@" themselves, URLs may hold commas.
  const at = text.search(/@(?=[a-z]+:\/\/)/i);
  const model = at < 0 ? text : text.slice(0, at);
  if (model === "") throw wrong(spec, "the name of the model is missing");
  const urls = at < 0 ? [] : text.slice(at + 1).split(/,(?=[a-z]+:\/\/)/i).map((url) => parseUrl(url, spec));
  return { model, urls };
}

function parseUrl(text: string, spec: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw wrong(spec, "what follows the @ is no URL");
  if (url.username !== "" || url.password !== "") {
    throw wrong(spec, `user and password must not stand in it. Set ${KEY_VARIABLE}`);
  }
  if (/[?#]/.test(text)) throw wrong(spec, "a URL must not have a query or a fragment");
  // Nearly all have their API there, and few think of it.
  if (url.pathname === "/") url.pathname = "/v1";
  return url;
}

function wrong(spec: string, fault: string): CommandError {
  // Without the URL, in which passwords may stand.
  const shown = spec.replace(/@[a-z]+:\/\/.*$/is, "@…");
  return new CommandError(
    `Cannot load model "${shown}": ${fault}. Write it as in openai:NAME@http://127.0.0.1:8080`,
    2,
  );
}

/** Makes the model ready. */
export async function loadOpenAI(
  spec: string,
  options: CallLimits & { readonly name?: string },
): Promise<LoadedChatModel> {
  const { model } = parseOpenAISpec(spec);
  const { OpenAIChatModel } = await openAI();
  const client = await makeClient(spec);
  try {
    void client.url; // Says now what cannot be, rather than at the first call.
  } catch (error) {
    if (!ChatModelError.isInstance(error)) throw error;
    throw new CommandError(error.message, 1, { cause: error });
  }
  return await loadChatModel(new OpenAIChatModel({ model, client }), options);
}

/** Not imported before it is asked for, as few do. */
function openAI(): Promise<typeof import("../adapters/openai/mod.ts")> {
  return import("../adapters/openai/mod.ts");
}

async function makeClient(spec: string): Promise<OpenAIClient> {
  const { urls } = parseOpenAISpec(spec);
  const { OpenAIClient } = await openAI();
  const keys = readUpstreamKeys();
  const upstreams = urls.map((url) => {
    // OpenAI's own key is the client's business, which gives it to no one else.
    const apiKey = url.origin === OPENAI_ORIGIN ? undefined : keys.of(url.origin);
    return { baseUrl: url.href, ...(apiKey !== undefined && { apiKey }) };
  });
  const [first, ...others] = upstreams;
  if (first === undefined) return new OpenAIClient();
  return new OpenAIClient(others.length === 0 ? first : { upstreams });
}

/**
 * Checks that the key for upstreams is for one of them only: `--model` may name servers of different owners, and none of
 * them may see the key of another.
 *
 * @throws {CommandError} If it is not clear whose it is.
 */
export function checkUpstreamKey(specs: readonly string[]): void {
  const groups = specs.filter((spec) => spec.startsWith("openai:"))
    .map((spec) => parseOpenAISpec(spec).urls.map(({ origin }) => origin).filter((origin) => origin !== OPENAI_ORIGIN))
    .filter((origins) => origins.length > 0);
  if (groups.length === 0 || !readUpstreamKeys().isForAll) return;
  const all = new Set(groups.flat());
  // The upstreams of one spec are one service: whoever writes them so means the key for all of them.
  if (groups.every((group) => new Set(group).size === all.size)) return;
  throw new CommandError(
    `${KEY_VARIABLE} holds one key, but --model names the upstreams ${[...all].join(", ")}: say whose it is, ` +
      `as in ${[...all][0]}=KEY, with spaces between several`,
    2,
  );
}

interface UpstreamKeys {
  /** Whether it is one key without the name of a server. */
  readonly isForAll: boolean;
  /** The key for a server. */
  readonly of: (origin: string) => string | undefined;
}

/** Reads `KEY`, or `ORIGIN=KEY` with spaces between. Without permission there is none: the check tells. */
function readUpstreamKeys(): UpstreamKeys {
  const text = mayRead(KEY_VARIABLE) ? Deno.env.get(KEY_VARIABLE)?.trim() ?? "" : "";
  if (text === "") return { isForAll: false, of: () => undefined };
  if (!/^https?:\/\//i.test(text)) return { isForAll: true, of: () => text };
  const keys = new Map(
    text.split(/\s+/).map((pair, i): [string, string] => {
      const [, url = "", key = ""] = /^(https?:\/\/[^=]+)=(.+)$/i.exec(pair) ?? [];
      const origin = URL.parse(url)?.origin;
      if (origin === undefined) {
        throw new CommandError(
          `${KEY_VARIABLE}: entry ${i + 1} must be a server and its key, as in https://host:8000=KEY`,
          2,
        );
      }
      return [origin, key];
    }),
  );
  return { isForAll: false, of: (origin) => keys.get(origin) };
}

function mayRead(variable: string): boolean {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted";
}

/** What is likely to go wrong with a model; `undefined` if nothing is. */
export async function checkOpenAI(spec: string): Promise<string | undefined> {
  const { model, urls } = parseOpenAISpec(spec);
  const isOpenAIs = urls.length === 0 || urls.some(({ origin }) => origin === OPENAI_ORIGIN);
  const variable = isOpenAIs ? "OPENAI_API_KEY" : KEY_VARIABLE;
  using client = await makeClient(spec);
  try {
    const models = await client.list({ timeout: PROBE_TIMEOUT });
    if (models.length === 0 || models.some(({ id }) => id === model)) return undefined;
    return `Cannot find model "${model}" among those of "${client.url}": it may be refused when it is asked`;
  } catch (error) {
    if (!ChatModelError.isInstance(error)) throw error;
    if (error.code !== "upstream_authentication" && error.code !== "upstream_forbidden") return error.message;
    const remedy = mayRead(variable)
      ? `Set ${variable} to a key that is good there`
      : `Set ${variable}, and run with --allow-env=${variable}`;
    return `Cannot list the models of "${client.url}": it refuses who asks. ${remedy}`;
  }
}
