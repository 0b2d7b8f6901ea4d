import type { ModelRegistry } from "../registry/mod.ts";
import { versionOfAlias } from "./_evaluate_models.ts";

/** What became of an alias that was to be moved. */
export interface Promotion {
  /** Name of the registered model. */
  readonly name: string;
  /** The alias. */
  readonly alias: string;
  /** The version that was evaluated. */
  readonly version: string;
  /** The version that the alias stood for when the evaluation began; absent if there was no such alias. */
  readonly from?: string;
  /** Whether it stands for the evaluated version now. */
  readonly promoted: boolean;
  /** What was done, or why it was not. */
  readonly reason: string;
}

/** What is to be promoted. */
export interface Promoted {
  readonly name: string;
  readonly alias: string;
  readonly version: string;
  /** What the alias stood for when the evaluation began. */
  readonly from: string | undefined;
}

/**
 * Moves the alias if the gate holds, unless it was moved meanwhile: then the comparison was with another version. No
 * registry can look and move in one step, so two that promote in the same instant may both do so.
 *
 * @param registry Where models are registered.
 * @param promoted What is to be promoted.
 * @param holds Whether the gate holds.
 * @returns What became of it.
 */
export async function promoteVersion(
  registry: ModelRegistry,
  promoted: Promoted,
  holds: boolean,
): Promise<Promotion> {
  const { name, alias, version, from } = promoted;
  const about = { name, alias, version, ...(from !== undefined && { from }) };
  const uri = `models:/${name}@${alias}`;
  const stays = from === undefined ? `${uri} is not made` : `${uri} stays version ${from}`;
  if (!holds) return { ...about, promoted: false, reason: `${stays}: the gate is not passed` };
  const now = await versionOfAlias(registry, { name, alias });
  if (now !== from) {
    const [before, after] = [from, now].map((version) => version === undefined ? "not there" : `version ${version}`);
    return {
      ...about,
      promoted: false,
      reason: `${uri} is left alone: it was ${before} when the evaluation began, and is ${after} now. Evaluate again`,
    };
  }
  if (now === version) return { ...about, promoted: true, reason: `${uri} is version ${version} already` };
  await registry.setAlias(name, alias, version);
  const was = from === undefined ? "" : `, and was version ${from}`;
  return { ...about, promoted: true, reason: `${uri} is version ${version} now${was}` };
}
