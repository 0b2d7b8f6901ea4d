import { TrackingError } from "../tracking/mod.ts";

/** What a URI of a model names. */
export type ModelUri =
  /** A version of a registered model. */
  | { readonly kind: "version"; readonly name: string; readonly version: string }
  /** The latest version of a registered model. */
  | { readonly kind: "latest"; readonly name: string }
  /** The latest version in a stage. */
  | { readonly kind: "stage"; readonly name: string; readonly stage: string }
  /** The version that an alias stands for. */
  | { readonly kind: "alias"; readonly name: string; readonly alias: string }
  /** A logged model. */
  | { readonly kind: "logged"; readonly modelId: string }
  /** Artifacts of a run. */
  | { readonly kind: "run"; readonly runId: string; readonly path: string }
  /** Files: `mlflow-artifacts:`, `file:`, a path, or another scheme. */
  | { readonly kind: "artifacts"; readonly uri: string };

/**
 * Takes a URI of a model apart, as MLflow does.
 *
 * @example Usage
 * ```ts
 * import { parseModelUri } from "@chatmodel/chat-model/registry";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseModelUri("models:/assistant@champion"), { kind: "alias", name: "assistant", alias: "champion" });
 * ```
 *
 * @param uri `models:/name/3`, `models:/name/latest`, `models:/name/Production`, `models:/name@alias`, `models:/m-…`,
 * `runs:/id/path`, or a place of files.
 * @returns What it names.
 * @throws {TrackingError} `INVALID_PARAMETER_VALUE` if it is none.
 */
export function parseModelUri(uri: string): ModelUri {
  if (uri.startsWith("models:")) return parseModels(uri);
  if (!uri.startsWith("runs:")) return { kind: "artifacts", uri };
  const [, runId, path] = /^runs:\/([^/]+)\/(.+?)\/*$/.exec(uri) ?? [];
  if (runId !== undefined && path !== undefined) return { kind: "run", runId, path };
  throw invalid(uri, 'write it as "runs:/RUN_ID/PATH"');
}

function parseModels(uri: string): ModelUri {
  if (/^models:\/\//.test(uri)) throw invalid(uri, "profiles of Databricks are not supported");
  const [, path] = /^models:\/(.+)$/.exec(uri) ?? [];
  const parts = path?.split("/") ?? [];
  const [first = "", second] = parts;
  if (path === undefined || parts.length > 2 || first.trim() === "") throw invalidModel(uri);
  if (second === undefined) {
    const at = first.lastIndexOf("@");
    if (at < 0) return { kind: "logged", modelId: first };
    const [name, alias] = [first.slice(0, at), first.slice(at + 1)];
    if (alias.trim() === "") throw invalidModel(uri);
    return { kind: "alias", name, alias };
  }
  if (second.trim() === "") throw invalidModel(uri);
  if (/^\d+$/.test(second)) return { kind: "version", name: first, version: second.replace(/^0+(?=\d)/, "") };
  if (second.toLowerCase() === "latest") return { kind: "latest", name: first };
  return { kind: "stage", name: first, stage: second };
}

function invalidModel(uri: string): TrackingError {
  return invalid(
    uri,
    'write it as "models:/NAME@ALIAS", "models:/NAME/VERSION", "models:/NAME/latest" or "models:/MODEL_ID"',
  );
}

function invalid(uri: string, why: string): TrackingError {
  return new TrackingError("INVALID_PARAMETER_VALUE", `Cannot read model URI "${uri}": ${why}`, { param: "model_uri" });
}
