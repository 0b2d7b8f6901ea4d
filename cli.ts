/**
 * The command line: logs, registers, tries and serves chat models.
 *
 * Run it: `deno run -A cli.ts --help`. It is a program, and exports nothing.
 *
 * @module
 */
import { main } from "./cli/main.ts";

if (import.meta.main) await main(Deno.args);
