import type { Command } from "./command.ts";
import { print, printJson } from "./_output.ts";
import { withStores } from "./_stores.ts";

/** `alias set`. */
export const aliasSet: Command = {
  words: ["alias", "set"],
  summary: "Let an alias stand for a version of a registered model",
  positionals: ["NAME", "ALIAS", "VERSION"],
  flags: {},
  async run(input) {
    const [name = "", alias = "", version = ""] = input.positionals;
    await withStores(input, ({ registry }) => registry.setAlias(name, alias, version));
    if (input.json) return printJson({ name, alias, version });
    print(`models:/${name}@${alias} is version ${version} now`);
  },
};

/** `alias remove`. */
export const aliasRemove: Command = {
  words: ["alias", "remove"],
  summary: "Remove an alias of a registered model",
  positionals: ["NAME", "ALIAS"],
  flags: {},
  async run(input) {
    const [name = "", alias = ""] = input.positionals;
    await withStores(input, ({ registry }) => registry.deleteAlias(name, alias));
    if (input.json) return printJson({ name, alias });
    print(`models:/${name}@${alias} is no more`);
  },
};
