import { userName } from "./_user_name.ts";
import type { Tags } from "./entities.ts";
import { withRunTags } from "./_run_tags.ts";

/**
 * Tags that say who and what made a thing: `mlflow.user`, `mlflow.source.name`, `mlflow.source.type`.
 *
 * @returns The tags, as far as they may be known.
 */
export function contextTags(): Tags {
  return withRunTags({}, userName());
}
