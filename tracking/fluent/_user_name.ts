import { readVariable } from "../_environment.ts";

/** Variables that may hold the user's name, in the order in which Python, and so MLflow, looks at them. */
const VARIABLES: readonly string[] = ["LOGNAME", "USER", "LNAME", "USERNAME"];

/** Name of the user, as far as the environment may be read; else "unknown". */
export function userName(): string {
  for (const variable of VARIABLES) {
    const name = readVariable(variable);
    if (name !== undefined) return name;
  }
  return "unknown";
}
