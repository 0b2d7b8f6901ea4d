import { join } from "@std/path";
import type { TransferOptions } from "../tracking/mod.ts";
import { ChatModelError } from "../types/mod.ts";
import { checkOptions } from "./_check_options.ts";
import { abortSignal, callback } from "./_option_checks.ts";
import { isStoreUri, locateModel, withRepository } from "./locate_model.ts";
import { MLMODEL, parseMlmodel } from "./mlmodel_file.ts";
import { type ModelInfo, toModelInfo } from "./model_info.ts";

/**
 * What is known of a saved model without running it, one of MLflow's Python models too. Of a model in a store only its
 * `MLmodel` is fetched.
 *
 * @param uri What `loadModel` takes, but for files of code.
 * @returns What its `MLmodel` says.
 * @throws {ChatModelError} With code `invalid_mlmodel` if there is none, or it cannot be read.
 * @throws {TrackingError} If there is no such model, or the store cannot be reached.
 */
export async function getModelInfo(uri: string): Promise<ModelInfo> {
  if (isStoreUri(uri)) {
    return await withRepository(uri, async (repository, { modelId, runId }) => {
      const text = await new Response(await repository.get(MLMODEL)).text();
      // Who wrote it may not have known.
      const known = { ...(modelId !== undefined && { modelId }), ...(runId !== undefined && { runId }) };
      return { ...known, ...toModelInfo(uri, parseMlmodel(text, uri)) };
    });
  }
  const { kind, path } = await locateModel(uri);
  if (kind === "file") {
    throw new ChatModelError(
      `Cannot tell of model "${uri}": it was not saved. Save it by saveModel(), or log it by logModel()`,
      { code: "invalid_mlmodel" },
    );
  }
  let text: string;
  try {
    text = await Deno.readTextFile(join(path, MLMODEL));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new ChatModelError(`Cannot tell of model "${uri}": it has no file "${MLMODEL}"`, {
      code: "invalid_mlmodel",
      cause,
    });
  }
  return toModelInfo(uri, parseMlmodel(text, uri));
}

/**
 * Brings the files of a model to this machine, unless they are there.
 *
 * @param uri What `loadModel` takes, but for files of code.
 * @param options Cancelling and progress.
 * @returns The folder. It may be the store's own, or shared with others: read from it only.
 * @throws {ValidationError} If an option is none.
 * @throws {TrackingError} If there is no such model, or the store cannot be reached.
 */
export async function downloadModel(uri: string, options: TransferOptions = {}): Promise<string> {
  const given = checkOptions("download model", options, { signal: abortSignal, onProgress: callback });
  return (await locateModel(uri, given)).path;
}
