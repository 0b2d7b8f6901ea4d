import * as v from "valibot";
import { type Page, type Tags, TrackingError } from "../tracking/mod.ts";
import { type Call, goneIsDone, send } from "../tracking/rest/call.ts";
import { MlflowHttp, type MlflowHttpOptions } from "../tracking/rest/http.ts";
import type { ModelStage, ModelVersion, RegisteredModel } from "./entities.ts";
import type { CreateModelVersionOptions, ModelRegistry, SearchRegistryOptions } from "./model_registry.ts";
import { toModelVersion, toRegisteredModel, versionSchema, wireModel } from "./_rest_wire.ts";
import { checkAlias, checkName } from "./names.ts";
import { checkStage, checkVersion } from "./_rules.ts";

/** Registered models of an MLflow tracking server. */
export class RestRegistry implements ModelRegistry {
  readonly #http: MlflowHttp;

  /**
   * Opens a registry; nothing is sent yet.
   *
   * @param uri The address of the server: `http:` or `https:`.
   * @param options How to send requests.
   * @throws {TrackingError} With `INVALID_PARAMETER_VALUE` if the URI is no such one.
   */
  constructor(uri: string, options: MlflowHttpOptions = {}) {
    this.#http = new MlflowHttp(uri, options);
  }

  get uri(): string {
    return this.#http.uri;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#http[Symbol.dispose]();
    return Promise.resolve();
  }

  async createRegisteredModel(
    name: string,
    options: { readonly description?: string; readonly tags?: Tags } = {},
  ): Promise<RegisteredModel> {
    const action = `create registered model "${name}"`;
    checkName(action, name);
    const { description, tags } = options;
    return await this.#model({
      action,
      path: "registered-models/create",
      body: { name, description, tags: pairs(tags) },
      idempotent: false,
    });
  }

  async getRegisteredModel(name: string): Promise<RegisteredModel> {
    const query = { name };
    return await this.#model({
      action: `get registered model "${name}"`,
      method: "GET",
      path: "registered-models/get",
      query,
    });
  }

  async updateRegisteredModel(name: string, description: string): Promise<RegisteredModel> {
    return await this.#model({
      action: `update registered model "${name}"`,
      method: "PATCH",
      path: "registered-models/update",
      body: { name, description },
    });
  }

  async renameRegisteredModel(name: string, newName: string): Promise<RegisteredModel> {
    const action = `rename registered model "${name}" to "${newName}"`;
    checkName(action, newName);
    return await this.#model({
      action,
      path: "registered-models/rename",
      body: { name, new_name: newName },
      // The second time there is none of the old name.
      idempotent: false,
    });
  }

  async deleteRegisteredModel(name: string): Promise<void> {
    await this.#do({
      action: `delete registered model "${name}"`,
      method: "DELETE",
      path: "registered-models/delete",
      body: { name },
      recover: goneIsDone,
    });
  }

  async searchRegisteredModels(options: SearchRegistryOptions = {}): Promise<Page<RegisteredModel>> {
    const { registered_models: models, next_page_token: token } = await send(this.#http, {
      action: "search registered models",
      method: "GET",
      path: "registered-models/search",
      query: searchQuery(options),
      schema: v.object({ registered_models: v.nullish(v.array(wireModel)), next_page_token: v.nullish(v.string()) }),
    });
    return { items: (models ?? []).map(toRegisteredModel), ...(token && { nextPageToken: token }) };
  }

  async getLatestVersions(name: string, stages?: readonly ModelStage[]): Promise<readonly ModelVersion[]> {
    const action = `get the latest versions of model "${name}"`;
    const wanted = stages?.map((stage) => checkStage(action, stage));
    const { model_versions: versions } = await send(this.#http, {
      action,
      path: "registered-models/get-latest-versions",
      body: { name, ...(wanted !== undefined && wanted.length > 0 && { stages: wanted }) },
      schema: v.object({ model_versions: v.nullish(v.array(versionSchema)) }),
    });
    return (versions ?? []).map(toModelVersion);
  }

  async setRegisteredModelTag(name: string, key: string, value: string): Promise<void> {
    await this.#do({
      action: `tag registered model "${name}"`,
      path: "registered-models/set-tag",
      body: { name, key, value },
    });
  }

  async deleteRegisteredModelTag(name: string, key: string): Promise<void> {
    await this.#do({
      action: `delete tag "${key}" of registered model "${name}"`,
      method: "DELETE",
      path: "registered-models/delete-tag",
      body: { name, key },
    });
  }

  async setAlias(name: string, alias: string, version: string | number): Promise<void> {
    const action = `set alias "${alias}" of model "${name}"`;
    checkAlias(action, alias);
    await this.#do({
      action,
      path: "registered-models/alias",
      body: { name, alias, version: String(checkVersion(action, version)) },
    });
  }

  async deleteAlias(name: string, alias: string): Promise<void> {
    await this.#do({
      action: `delete alias "${alias}" of model "${name}"`,
      method: "DELETE",
      path: "registered-models/alias",
      body: { name, alias },
    });
  }

  async getModelVersionByAlias(name: string, alias: string): Promise<ModelVersion> {
    const action = `get the version of alias "${alias}" of model "${name}"`;
    try {
      return await this.#version({ action, method: "GET", path: "registered-models/alias", query: { name, alias } });
    } catch (cause) {
      // MLflow answers an unknown alias as a wrong parameter.
      if (!(cause instanceof TrackingError) || cause.errorCode !== "INVALID_PARAMETER_VALUE") throw cause;
      const { aliases } = await this.getRegisteredModel(name);
      const known = Object.keys(aliases).map((alias) => `"${alias}"`).join(", ");
      throw new TrackingError(
        "RESOURCE_DOES_NOT_EXIST",
        `Cannot ${action}: there is no such alias${known === "" ? ": it has none" : `: it has ${known}`}`,
        { cause },
      );
    }
  }

  async createModelVersion(options: CreateModelVersionOptions): Promise<ModelVersion> {
    const { name, source, runId, modelId = /^models:\/(m-[^/@]+)$/.exec(source)?.[1], description, tags } = options;
    return await this.#version({
      action: `create a version of model "${name}"`,
      path: "model-versions/create",
      body: { name, source, run_id: runId, model_id: modelId, description, tags: pairs(tags) },
      // Twice would make two versions.
      idempotent: false,
    });
  }

  async getModelVersion(name: string, version: string | number): Promise<ModelVersion> {
    const action = `get version ${version} of model "${name}"`;
    const query = { name, version: String(checkVersion(action, version)) };
    try {
      return await this.#version({ action, method: "GET", path: "model-versions/get", query });
    } catch (cause) {
      if (!(cause instanceof TrackingError) || cause.errorCode !== "RESOURCE_DOES_NOT_EXIST") throw cause;
      const known = await this.#versionsOf(name);
      throw new TrackingError(
        "RESOURCE_DOES_NOT_EXIST",
        `Cannot ${action}: there is no such version: ${
          known.length === 0 ? "it has none" : `it has ${known.join(", ")}`
        }`,
        { cause },
      );
    }
  }

  async updateModelVersion(name: string, version: string | number, description: string): Promise<ModelVersion> {
    const action = `update version ${version} of model "${name}"`;
    const body = { name, version: String(checkVersion(action, version)), description };
    return await this.#version({ action, method: "PATCH", path: "model-versions/update", body });
  }

  async deleteModelVersion(name: string, version: string | number): Promise<void> {
    const action = `delete version ${version} of model "${name}"`;
    const body = { name, version: String(checkVersion(action, version)) };
    await this.#do({ action, method: "DELETE", path: "model-versions/delete", body, recover: goneIsDone });
  }

  async searchModelVersions(options: SearchRegistryOptions = {}): Promise<Page<ModelVersion>> {
    const { model_versions: versions, next_page_token: token } = await send(this.#http, {
      action: "search versions of models",
      method: "GET",
      path: "model-versions/search",
      query: searchQuery(options),
      schema: v.object({ model_versions: v.nullish(v.array(versionSchema)), next_page_token: v.nullish(v.string()) }),
    });
    return { items: (versions ?? []).map(toModelVersion), ...(token && { nextPageToken: token }) };
  }

  async getModelVersionDownloadUri(name: string, version: string | number): Promise<string> {
    const action = `find the files of version ${version} of model "${name}"`;
    const { artifact_uri: uri } = await send(this.#http, {
      action,
      method: "GET",
      path: "model-versions/get-download-uri",
      query: { name, version: String(checkVersion(action, version)) },
      schema: v.object({ artifact_uri: v.string() }),
    });
    return uri;
  }

  async setModelVersionTag(name: string, version: string | number, key: string, value: string): Promise<void> {
    const action = `tag version ${version} of model "${name}"`;
    const body = { name, version: String(checkVersion(action, version)), key, value };
    await this.#do({ action, path: "model-versions/set-tag", body });
  }

  async deleteModelVersionTag(name: string, version: string | number, key: string): Promise<void> {
    const action = `delete tag "${key}" of version ${version} of model "${name}"`;
    const body = { name, version: String(checkVersion(action, version)), key };
    await this.#do({ action, method: "DELETE", path: "model-versions/delete-tag", body });
  }

  async transitionModelVersionStage(
    name: string,
    version: string | number,
    stage: ModelStage,
  ): Promise<ModelVersion> {
    const action = `move version ${version} of model "${name}"`;
    const number = String(checkVersion(action, version));
    return await this.#version({
      action,
      path: "model-versions/transition-stage",
      body: { name, version: number, stage: checkStage(action, stage), archive_existing_versions: false },
    });
  }

  /** Numbers of versions, for errors: the latest ones where there are many. */
  async #versionsOf(name: string): Promise<readonly string[]> {
    // MLflow's filters have no way to write a quote within quotes.
    if (name.includes("'")) return (await this.getLatestVersions(name)).map(({ version }) => version);
    const { items } = await this.searchModelVersions({
      filter: `name = '${name}'`,
      orderBy: ["version_number DESC"],
      maxResults: 20,
    });
    return items.map(({ version }) => version).reverse();
  }

  async #model(call: Omit<Call<unknown>, "schema">): Promise<RegisteredModel> {
    const { registered_model: model } = await send(this.#http, {
      ...call,
      schema: v.object({ registered_model: wireModel }),
    });
    return toRegisteredModel(model);
  }

  async #version(call: Omit<Call<unknown>, "schema">): Promise<ModelVersion> {
    const { model_version: version } = await send(this.#http, {
      ...call,
      schema: v.object({ model_version: versionSchema }),
    });
    return toModelVersion(version);
  }

  async #do(call: Omit<Call<unknown>, "schema">): Promise<void> {
    await send(this.#http, { ...call, schema: v.unknown() });
  }
}

function searchQuery({ filter, orderBy, maxResults = 100, pageToken }: SearchRegistryOptions) {
  return { filter, order_by: orderBy, max_results: maxResults, page_token: pageToken };
}

function pairs(tags: Tags | undefined): { readonly key: string; readonly value: string }[] | undefined {
  return tags && Object.entries(tags).map(([key, value]) => ({ key, value }));
}
