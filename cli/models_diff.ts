import { createTwoFilesPatch } from "diff";
import { join } from "@std/path";
import { downloadModel, getModelInfo, type ModelInfo } from "../models/mod.ts";
import type { Command } from "./command.ts";
import { interruptible } from "./_interruption.ts";
import { print, printJson } from "./_output.ts";
import { withStores } from "./_stores.ts";

/** How one thing differs between two models. */
interface Difference {
  /** What differs: a file's path, or a part of the model's description. */
  readonly what: string;
  /** The difference as a unified diff. */
  readonly diff: string;
}

/** `models diff`. */
export const modelsDiff: Command = {
  words: ["models", "diff"],
  summary: "Compare two models: code, signature, configuration",
  positionals: ["MODEL_URI", "OTHER_URI"],
  flags: {},
  async run(input) {
    const [one = "", other = ""] = input.positionals;
    const differences = await interruptible((signal) =>
      withStores(input, async () => {
        const [oneInfo, otherInfo] = [await getModelInfo(one), await getModelInfo(other)];
        return [
          ...compareText("signature", textOf(oneInfo.signature), textOf(otherInfo.signature)),
          ...compareText("config", textOf(oneInfo.modelConfig), textOf(otherInfo.modelConfig)),
          ...compareText("permissions", textOf(oneInfo.permissions), textOf(otherInfo.permissions)),
          ...compareText("metadata", textOf(oneInfo.metadata), textOf(otherInfo.metadata)),
          ...await compareCode({ uri: one, info: oneInfo }, { uri: other, info: otherInfo }, signal),
        ];
      })
    );
    if (input.json) return printJson(differences);
    if (differences.length === 0) return print("The models do not differ in code, signature or configuration");
    print(differences.map(({ diff }) => diff.replace(/^=+\n/, "").trimEnd()).join("\n"));
  },
};

interface Side {
  readonly uri: string;
  readonly info: ModelInfo;
}

async function compareCode(one: Side, other: Side, signal: AbortSignal): Promise<Difference[]> {
  const [oneCode, otherCode] = [await readCode(one, signal), await readCode(other, signal)];
  const paths = [...new Set([...oneCode.keys(), ...otherCode.keys()])].toSorted();
  return paths.flatMap((path) => compareText(path, oneCode.get(path) ?? "", otherCode.get(path) ?? ""));
}

async function readCode({ uri, info }: Side, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const folder = await downloadModel(uri, { signal });
  const code = (info.files ?? []).filter(({ path }) => path.startsWith("src/"));
  return new Map(
    await Promise.all(
      code.map(async ({ path }): Promise<[string, string]> => [path, await Deno.readTextFile(join(folder, path))]),
    ),
  );
}

function compareText(what: string, one: string, other: string): Difference[] {
  if (one === other) return [];
  return [{
    what,
    diff: createTwoFilesPatch(`a/${what}`, `b/${what}`, one, other, undefined, undefined, { context: 3 }),
  }];
}

function textOf(value: object | undefined): string {
  return value === undefined ? "" : `${JSON.stringify(value, null, 2)}\n`;
}
