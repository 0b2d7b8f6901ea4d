import { AsyncLocalStorage } from "node:async_hooks";
import { basename, extname, resolve, toFileUrl } from "@std/path";
import type { ChatModel } from "../chat_model.ts";
import type { CustomModel } from "../custom_model.ts";
import { takeModel, toModel } from "../set_model.ts";
import { ChatModelError } from "../types/mod.ts";
import { importHint } from "./_import_hint.ts";
import { reasonOf } from "./reason_of.ts";

/** Imports run one after the other, so that what a file names by `setModel` is not taken for another's. */
let queue: Promise<unknown> = Promise.resolve();

/**
 * Deno calls handlers of `Deno.serve`, and all else that the system calls, in the context of the latest import: they
 * would find themselves in the run in which a model was logged or loaded. So files are imported in the context that this
 * one was.
 */
const outsideOfRuns = AsyncLocalStorage.snapshot();

/** Name that the model of a file is served under: the file's, without its extension. */
export function modelFileName(path: string): string {
  return basename(path, extname(path));
}

/** Options for {@linkcode importModelFile}. */
export interface ImportOptions {
  /**
   * Whether to run the file anew, so that two that load it do not share a model.
   *
   * @default {false}
   */
  readonly isolated?: boolean;
  /** Path to show in errors. Default: the file's. */
  readonly shownAs?: string;
}

/**
 * The model of a file: its default export, a class or an instance, or what it named by `setModel`.
 *
 * Files are imported one after the other, so one that waits for another model while it is imported itself waits for
 * ever: that is what `loadContext` is for.
 *
 * @param path The file.
 * @param options Options.
 * @returns The model.
 * @throws {ChatModelError} With code `invalid_model_file` if the file is missing, cannot be imported, or has no model.
 */
export function importModelFile(path: string, options: ImportOptions = {}): Promise<ChatModel | CustomModel> {
  const result = queue.then(() => importNow(path, options));
  queue = result.catch(() => {}); // Reported to whoever asked for that file; the next one is still to be imported.
  return result;
}

/** What files named by `setModel`, by address: a file that is served twice runs only once. */
const namedModels = new Map<string, ChatModel | CustomModel>();

let imports = 0;

async function importNow(file: string, options: ImportOptions): Promise<ChatModel | CustomModel> {
  const { isolated = false, shownAs: path = file } = options;
  await checkFile(file, path);
  takeModel();
  const { href } = toFileUrl(resolve(file));
  const url = isolated ? `${href}?load=${++imports}` : href;
  const module = await importModule(path, url);
  const named = takeModel() ?? namedModels.get(url);
  if (named !== undefined && !isolated) namedModels.set(url, named);
  let model: ChatModel | CustomModel | undefined;
  try {
    model = toModel(module.default);
  } catch (error) {
    throw failed(path, "the constructor of its model fails", error);
  }
  const found = model ?? named;
  if (found !== undefined) return found;
  if ("default" in module) {
    throw invalidFile(
      `Cannot load model "${path}": it has no model: its default export is neither a ChatModel (or CustomModel) nor a class of them. Write "class … extends ChatModel"`,
    );
  }
  const exported = Object.keys(module).map((name) => `"${name}"`).join(", ");
  throw invalidFile(
    `Cannot load model "${path}": it has no model${
      exported === "" ? "" : ` (it exports ${exported})`
    }. Export a class or an instance of ChatModel as default, or call setModel`,
  );
}

async function checkFile(file: string, path: string): Promise<void> {
  try {
    const { isFile } = await Deno.stat(file);
    if (!isFile) {
      throw invalidFile(`Cannot load model "${path}": it is not a file. Name the .ts or .js file of the model`);
    }
  } catch (error) {
    if (ChatModelError.isInstance(error)) throw error;
    if (error instanceof Deno.errors.NotFound) {
      throw invalidFile(
        `Cannot load model "${path}": there is no such file. A model of Ollama is written ollama:NAME, the demo model "demo"`,
        error,
      );
    }
    if (error instanceof Deno.errors.NotCapable) {
      throw invalidFile(`Cannot read model "${path}": permission is missing. Run with --allow-read`, error);
    }
    throw failed(path, "it cannot be read", error);
  }
}

async function importModule(path: string, url: string): Promise<Record<string, unknown>> {
  try {
    const module: Record<string, unknown> = await outsideOfRuns(() => import(url));
    return module;
  } catch (error) {
    const hint = await importHint(path, error);
    throw failed(path, "it cannot be imported", error, hint);
  }
}

function failed(path: string, what: string, error: unknown, hint?: string): ChatModelError {
  const end = hint === undefined ? "" : `. ${hint}`;
  return invalidFile(`Cannot load model "${path}": ${what}: ${reasonOf(error)}${end}`, error);
}

function invalidFile(message: string, ...cause: [] | [unknown]): ChatModelError {
  return new ChatModelError(message, { code: "invalid_model_file", ...(cause.length > 0 && { cause: cause[0] }) });
}
