/** Reads a variable if that is allowed already: no one is asked. */
export function readEnv(variable: string): string | undefined {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted" ? Deno.env.get(variable) : undefined;
}
