import { join } from "@std/path";
import { downloadModel, getModelInfo } from "../../models/mod.ts";
import { LoadedCustomModel } from "../../loaded_custom_model.ts";
import { parseChatRequest } from "../../types/mod.ts";
import type { LoadedModel } from "../directory.ts";

/**
 * Has a model answer its input example.
 *
 * @param model The model.
 * @param uri What it was loaded by; files of code have no example, and are left alone.
 * @param signal Gives up.
 */
export async function warmModel(model: LoadedModel, uri: string, signal: AbortSignal): Promise<void> {
  if (/\.[mc]?[jt]sx?$/i.test(uri)) return;
  const { inputExample } = await getModelInfo(uri);
  if (inputExample === undefined) return;
  const folder = await downloadModel(uri, { signal });
  const example: unknown = JSON.parse(await Deno.readTextFile(join(folder, inputExample.path)));
  if (!LoadedCustomModel.isInstance(model)) {
    await model.predict(parseChatRequest(example), { signal });
  } else if (inputExample.hasParams && isObject(example)) {
    await model.predict(example["inputs"], isObject(example["params"]) ? example["params"] : {}, { signal });
  } else await model.predict(example, {}, { signal });
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
