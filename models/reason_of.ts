import { ChatModelError } from "../types/mod.ts";

/** The author's own files are of interest, not those that load and serve them. */
const OWN = [
  "./",
  "../serving/",
  "../cli/",
  "../cli.ts",
  "../chat_model.ts",
  "../loaded_chat_model.ts",
  "../_call.ts",
  "../streaming/",
].map((path) => new URL(path, import.meta.url).href);

/**
 * What an author's file failed with, in one line, and where: without the stack.
 *
 * @param error What was thrown.
 * @returns The line.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Ours: it says by itself what is wrong, and no line of the author's is to blame.
  if (ChatModelError.isInstance(error)) return error.message;
  // What follows the first line is the code, as Deno shows it.
  const [line = ""] = error.message.split("\n", 1);
  const places = `${error.message}\n${error.stack}`.match(/file:\/\/[^\s()]+:\d+:\d+/g) ?? [];
  const place = places.find((place) => !OWN.some((own) => place.startsWith(own)));
  const reason = line.replace(/\.$/, "");
  return place === undefined || reason.includes(place) ? reason : `${reason} (at ${place})`;
}
