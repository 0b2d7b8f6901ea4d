import {
  type ModelRegistry,
  type ModelUri,
  type ModelVersion,
  openModelRegistry,
  parseModelUri,
} from "../../registry/mod.ts";
import { RestRegistry } from "../../registry/rest_registry.ts";
import { getRegistryUri, TrackingError } from "../../tracking/mod.ts";
import type { LoadedModel } from "../directory.ts";
import type { LoadSaved } from "./_load_saved.ts";
import type { ModelSource, Sighting, SourceLoadOptions } from "./_source.ts";

/** A URI that stands for another version from time to time. */
export type MovingUri = Extract<ModelUri, { readonly kind: "alias" | "latest" | "stage" }>;

/** What moves of what a URI can name; `undefined` for what always is the same. */
export function movingUri(uri: string): MovingUri | undefined {
  const parsed = parseModelUri(uri);
  return parsed.kind === "alias" || parsed.kind === "latest" || parsed.kind === "stage" ? parsed : undefined;
}

/** Options for {@linkcode RegistrySource}. */
export interface RegistrySourceOptions {
  /** Milliseconds between two looks. */
  readonly interval: number;
  readonly load: LoadSaved;
}

/** An alias, or the latest version, of a registered model. */
export class RegistrySource implements ModelSource {
  readonly interval: number;
  readonly #uri: string;
  readonly #moving: MovingUri;
  readonly #load: LoadSaved;

  constructor(uri: string, moving: MovingUri, { interval, load }: RegistrySourceOptions) {
    this.#uri = uri;
    this.#moving = moving;
    this.interval = interval;
    this.#load = load;
  }

  async look(signal: AbortSignal): Promise<Sighting> {
    // Opened each time: a database may be replaced by another.
    await using registry = openRegistry(signal);
    const { name, version, creationTimestamp } = await this.#find(registry);
    // A number can be given anew when the registered model was removed and made again.
    return { key: `${version} ${creationTimestamp}`, version, uri: `models:/${name}/${version}` };
  }

  async #find(registry: ModelRegistry): Promise<ModelVersion> {
    const { name } = this.#moving;
    if (this.#moving.kind === "alias") return await registry.getModelVersionByAlias(name, this.#moving.alias);
    const stage = this.#moving.kind === "stage" ? this.#moving.stage.toLowerCase() : undefined;
    const versions = (await registry.getLatestVersions(name)).filter(({ currentStage }) =>
      stage === undefined || currentStage.toLowerCase() === stage
    );
    const [latest] = versions.toSorted((one, other) => Number(other.version) - Number(one.version));
    if (latest !== undefined) return latest;
    throw new TrackingError(
      "RESOURCE_DOES_NOT_EXIST",
      `Cannot find a version of model "${this.#uri}": there is none. Register one by registerModel()`,
    );
  }

  async hasMoved({ key }: Sighting, signal: AbortSignal): Promise<boolean> {
    return (await this.look(signal)).key !== key;
  }

  async load({ uri }: Sighting, options: SourceLoadOptions): Promise<LoadedModel> {
    return await this.#load(uri, options);
  }

  close(): void {}
}

/** The registry, asked once: who looks again soon need not try again at once, as others do. */
function openRegistry(signal: AbortSignal): ModelRegistry {
  const uri = getRegistryUri();
  if (!/^https?:/i.test(uri)) return openModelRegistry(uri);
  return new RestRegistry(uri, {
    maxRetries: 0,
    fetch: (input, init = {}) => {
      const signals = init.signal ? [init.signal, signal] : [signal];
      return fetch(input, { ...init, signal: AbortSignal.any(signals) });
    },
  });
}

/** A saved model that is always the same. */
export class FixedSource implements ModelSource {
  readonly #uri: string;
  readonly #load: LoadSaved;

  constructor(uri: string, load: LoadSaved) {
    this.#uri = uri;
    this.#load = load;
  }

  look(): Promise<Sighting> {
    return Promise.resolve({ key: this.#uri, version: this.#uri, uri: this.#uri });
  }

  hasMoved(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async load({ uri }: Sighting, options: SourceLoadOptions): Promise<LoadedModel> {
    return await this.#load(uri, options);
  }

  close(): void {}
}
