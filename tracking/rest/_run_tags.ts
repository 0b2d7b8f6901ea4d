import { fromFileUrl } from "@std/path";
import type { Tags } from "../entities.ts";

/**
 * The tags of a run with those that MLflow's page needs: a run without them breaks it.
 *
 * @param tags Tags that are given; they win.
 * @param userId Who starts the run; "" if that is not known.
 * @returns All tags.
 */
export function withRunTags(tags: Tags, userId: string): Tags {
  return {
    "mlflow.user": userId === "" ? "unknown" : userId,
    "mlflow.source.name": programName(),
    "mlflow.source.type": "LOCAL",
    ...tags,
  };
}

function programName(): string {
  const { mainModule } = Deno;
  return mainModule.startsWith("file:") ? fromFileUrl(mainModule) : mainModule;
}
