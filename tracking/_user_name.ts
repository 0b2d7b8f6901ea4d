import { userInfo } from "node:os";
import { readVariable } from "./_environment.ts";

/** Variables that may hold the user's name, in the order in which Python, and so MLflow, looks at them. */
const VARIABLES: readonly string[] = ["LOGNAME", "USER", "LNAME", "USERNAME"];

/** Name of the user, as far as the environment or the system may be asked; else "unknown". */
export function userName(): string {
  for (const variable of VARIABLES) {
    const name = readVariable(variable);
    if (name !== undefined) return name;
  }
  // As Python does. Not asked for one kind alone: what it needs has changed between versions of Deno.
  if (Deno.permissions.querySync({ name: "sys" }).state !== "granted") return "unknown";
  try {
    return userInfo().username;
  } catch {
    return "unknown"; // A user without an entry, as in some containers.
  }
}
