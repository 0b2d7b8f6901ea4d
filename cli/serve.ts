import { main } from "../serving/main.ts";
import type { Command } from "./command.ts";

/** `serve`: the same as `serve.ts`. */
export const serve: Command = {
  words: ["serve"],
  summary: "Serve models, as serve.ts does: see 'cli.ts serve --help'",
  positionals: [],
  flags: {},
  run: () => main([]),
  forward: main,
};
