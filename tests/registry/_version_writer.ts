/**
 * A process that makes versions of the model "shared", and tells the number of each in a line of its own.
 *
 * @module
 */
import { SqliteRegistry } from "../../registry/sqlite_registry.ts";

const [uri = "", source = "", count = "0"] = Deno.args;
const encoder = new TextEncoder();
const registry = SqliteRegistry.open(uri);
for (let made = 0; made < Number(count); made++) {
  const { version } = await registry.createModelVersion({ name: "shared", source });
  Deno.stdout.writeSync(encoder.encode(`${version}\n`));
}
await registry[Symbol.asyncDispose]();
