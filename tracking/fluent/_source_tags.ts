import { fromFileUrl } from "@std/path";
import { readVariable } from "../_environment.ts";
import type { Tags } from "../entities.ts";

/** Variables that may hold the user's name, in the order in which Python, and so MLflow, looks at them. */
const USER_VARIABLES: readonly string[] = ["LOGNAME", "USER", "LNAME", "USERNAME"];

/** Name of the user, as far as the environment may be read; else "unknown". */
export function userName(): string {
  for (const variable of USER_VARIABLES) {
    const name = readVariable(variable);
    if (name !== undefined) return name;
  }
  return "unknown";
}

/** The tags that say who started a run and from what program. */
export function sourceTags(): Tags {
  return { "mlflow.user": userName(), "mlflow.source.name": programName(), "mlflow.source.type": "LOCAL" };
}

function programName(): string {
  const { mainModule } = Deno;
  return mainModule.startsWith("file:") ? fromFileUrl(mainModule) : mainModule;
}
