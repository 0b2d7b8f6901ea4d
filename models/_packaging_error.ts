import { ChatModelError } from "../types/mod.ts";

/** What can go wrong with a model's folder, for programs. */
export type PackagingErrorCode =
  /** The author's file, or one that it imports, is missing or wrong. */
  | "invalid_model_file"
  /** A file or folder that was to go with the model is missing or has no place. */
  | "invalid_model_path"
  /** The folder to write holds something. */
  | "folder_not_empty"
  /** The code is not what was saved. */
  | "model_changed"
  /** Deno needs a permission that it was not given. */
  | "permission_denied";

/** The error of everything that packs and checks a model's folder. */
export function packagingError(
  code: PackagingErrorCode,
  message: string,
  ...cause: [] | [unknown]
): ChatModelError {
  return new ChatModelError(message, { code, ...(cause.length > 0 && { cause: cause[0] }) });
}

/** What the system said, in one line and without a full stop. */
export function systemReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [line = ""] = message.split("\n", 1);
  return line.replace(/\.$/, "");
}
