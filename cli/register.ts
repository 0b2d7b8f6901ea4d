import { registerModel } from "../registry/mod.ts";
import { checkAlias } from "../registry/names.ts";
import type { Command } from "./command.ts";
import { pairsOf } from "./_flags.ts";
import { interruptible } from "./_interruption.ts";
import { print, printJson } from "./_output.ts";
import { withStores } from "./_stores.ts";

/** `register`. */
export const register: Command = {
  words: ["register"],
  summary: "Register a logged model as the next version of a name",
  positionals: ["MODEL_URI", "NAME"],
  flags: {
    "description": { value: "TEXT", help: "What is special about this version" },
    "tag": { value: "NAME=VALUE", repeated: true, help: "Tag of the version" },
    "alias": { value: "ALIAS", help: "Alias that is to stand for it" },
  },
  async run(input) {
    const [modelUri = "", name = ""] = input.positionals;
    const description = input.text("description");
    const alias = input.text("alias");
    const tags = pairsOf("tag", input.texts("tag"));
    // Before there is a version that lacks it.
    if (alias !== undefined) checkAlias(`register model "${modelUri}"`, alias);
    const { version } = await interruptible((signal) =>
      withStores(input, async ({ store, registry }) => {
        const registered = await registerModel(modelUri, name, {
          store,
          registry,
          tags,
          signal,
          ...(description !== undefined && { description }),
        });
        if (alias !== undefined) await registry.setAlias(name, alias, registered.version);
        return registered;
      })
    );
    if (input.json) return printJson({ name, version, ...(alias !== undefined && { alias }) });
    print(`Registered models:/${name}/${version}${alias === undefined ? "" : `, alias "${alias}"`}`);
  },
};
