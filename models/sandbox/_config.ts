import type {
  JsonValue,
  ModelConfig,
  ModelConfigLayer,
  ModelConfigSource,
  ModelConfigValues,
} from "../../model_config.ts";

const SOURCES: readonly ModelConfigSource[] = ["logged", "file", "env", "call"];

/** The layers of a configuration as far as one can see where its values are from: each value in the strongest. */
export function layersOf(config: ModelConfig): ModelConfigLayer[] {
  const values = config.toObject();
  return SOURCES.map((source) => ({ source, values: partOf(values, source, { config, path: "" }) }))
    .filter(({ values }) => Object.keys(values).length > 0);
}

function partOf(
  values: ModelConfigValues,
  source: ModelConfigSource,
  { config, path }: { readonly config: ModelConfig; readonly path: string },
): ModelConfigValues {
  const kept: [string, JsonValue][] = [];
  for (const [key, value] of Object.entries(values)) {
    const here = path === "" ? key : `${path}.${key}`;
    if (isObject(value) && Object.keys(value).length > 0) {
      const part = partOf(value, source, { config, path: here });
      if (Object.keys(part).length > 0) kept.push([key, part]);
    } else if ((config.sourceOf(here) ?? "call") === source) {
      kept.push([key, value]);
    }
  }
  return Object.fromEntries(kept);
}

function isObject(value: JsonValue): value is ModelConfigValues {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
