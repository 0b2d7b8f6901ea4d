import { CommandError } from "../_command_error.ts";
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
    if (!/^[1-9]\d{0,8}$/.test(version)) {
      throw new CommandError(`VERSION must be the number of a version, such as 3, but is "${version}"`, 2);
    }
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
    const removed = await withStores(input, async ({ registry }) => {
      const { aliases } = await registry.getRegisteredModel(name);
      await registry.deleteAlias(name, alias);
      return Object.hasOwn(aliases, alias);
    });
    // Not a failure: it is as it was to be, and MLflow's client takes it so.
    if (input.json) return printJson({ name, alias, removed });
    print(removed ? `models:/${name}@${alias} is no more` : `There was no alias "${alias}" of "${name}"`);
  },
};
