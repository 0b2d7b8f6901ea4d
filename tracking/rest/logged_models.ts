import type { LoggedModel, Page, Tags } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import type { CreateLoggedModelOptions, SearchLoggedModelsOptions } from "../tracking_store.ts";
import { goneIsDone, send } from "./call.ts";
import { checkExperimentIds, checkMaxResults, checkParams } from "./_checks.ts";
import { toLoggedModel, toPage, toWirePairs } from "./_convert.ts";
import { anySchema, loggedModelSchema, loggedModelsSchema } from "./_schemas.ts";
import type { MlflowHttp } from "./http.ts";

/** Params that one request may have. */
const BATCH_SIZE = 100;

const STATUSES = { READY: "LOGGED_MODEL_READY", FAILED: "LOGGED_MODEL_UPLOAD_FAILED" } as const;

/** Logged models of a tracking server. One of MLflow 2 has none: all of this rejects with `ENDPOINT_NOT_FOUND`. */
export class RestLoggedModels {
  readonly #http: MlflowHttp;

  constructor(http: MlflowHttp) {
    this.#http = http;
  }

  async create(options: CreateLoggedModelOptions): Promise<LoggedModel> {
    const { experimentId, name, modelType, sourceRunId, params = {}, tags } = options;
    const action = `create logged model "${name ?? ""}" in experiment "${experimentId}"`;
    checkParams(action, params);
    const all = toWirePairs(params);
    const answer = await send(this.#http, {
      action,
      path: "logged-models",
      body: {
        experiment_id: experimentId,
        name,
        model_type: modelType,
        source_run_id: sourceRunId,
        params: all.slice(0, BATCH_SIZE),
        tags: toWirePairs(tags),
      },
      schema: loggedModelSchema,
      idempotent: false,
    });
    const model = toLoggedModel(answer.model);
    if (all.length <= BATCH_SIZE) return model;
    await this.#logParams(model.modelId, all.slice(BATCH_SIZE));
    return await this.get(model.modelId);
  }

  async finalize(modelId: string, status: "READY" | "FAILED"): Promise<LoggedModel> {
    const action = `finalize logged model "${modelId}"`;
    // The server takes any word, and forgets the status where it does not know it.
    if (!Object.hasOwn(STATUSES, status)) {
      throw new TrackingError(
        "INVALID_PARAMETER_VALUE",
        `Cannot ${action}: the status must be "READY" or "FAILED", but is "${status}"`,
      );
    }
    const answer = await send(this.#http, {
      action,
      method: "PATCH",
      path: pathOf(modelId),
      body: { model_id: modelId, status: STATUSES[status] },
      schema: loggedModelSchema,
    });
    return toLoggedModel(answer.model);
  }

  async get(modelId: string): Promise<LoggedModel> {
    const answer = await send(this.#http, {
      action: `get logged model "${modelId}"`,
      method: "GET",
      path: pathOf(modelId),
      schema: loggedModelSchema,
    });
    return toLoggedModel(answer.model);
  }

  async delete(modelId: string): Promise<void> {
    await send(this.#http, {
      action: `delete logged model "${modelId}"`,
      method: "DELETE",
      path: pathOf(modelId),
      body: { model_id: modelId },
      schema: anySchema,
      recover: goneIsDone,
    });
  }

  async search(options: SearchLoggedModelsOptions): Promise<Page<LoggedModel>> {
    const { experimentIds, filter, orderBy = [], maxResults = 100, pageToken } = options;
    const action = "search logged models";
    checkExperimentIds(action, experimentIds);
    checkMaxResults(action, maxResults);
    const answer = await send(this.#http, {
      action,
      path: "logged-models/search",
      body: {
        experiment_ids: experimentIds,
        filter,
        max_results: maxResults,
        order_by: orderBy.map(({ fieldName, ascending = true }) => ({ field_name: fieldName, ascending })),
        page_token: pageToken,
      },
      schema: loggedModelsSchema,
    });
    return toPage(answer.models, answer.next_page_token, toLoggedModel);
  }

  async setTags(modelId: string, tags: Tags): Promise<void> {
    await send(this.#http, {
      action: `set tags of logged model "${modelId}"`,
      method: "PATCH",
      path: `${pathOf(modelId)}/tags`,
      body: { tags: toWirePairs(tags) },
      schema: anySchema,
    });
  }

  async deleteTag(modelId: string, key: string): Promise<void> {
    const action = `delete tag "${key}" of logged model "${modelId}"`;
    try {
      await send(this.#http, {
        action,
        method: "DELETE",
        path: `${pathOf(modelId)}/tags/${encodeURIComponent(key)}`,
        schema: anySchema,
        recover: goneIsDone,
      });
    } catch (error) {
      const isUnroutable = error instanceof TrackingError && error.errorCode === "ENDPOINT_NOT_FOUND" &&
        key.includes("/");
      if (!isUnroutable) throw error;
      throw new TrackingError(
        "NOT_IMPLEMENTED",
        `Cannot ${action}: MLflow's server cannot remove a tag with a slash in its name. Set it to "" instead`,
        { cause: error },
      );
    }
  }

  async logParams(modelId: string, params: Tags): Promise<void> {
    checkParams(`log params of logged model "${modelId}"`, params);
    await this.#logParams(modelId, toWirePairs(params));
  }

  async #logParams(modelId: string, params: readonly { key: string; value: string }[]): Promise<void> {
    for (let start = 0; start < params.length; start += BATCH_SIZE) {
      await send(this.#http, {
        action: `log params of logged model "${modelId}"`,
        path: `${pathOf(modelId)}/params`,
        body: { model_id: modelId, params: params.slice(start, start + BATCH_SIZE) },
        schema: anySchema,
      });
    }
  }
}

function pathOf(modelId: string): string {
  // An id that is a path of its own would reach another route.
  if (modelId === "" || modelId === "." || modelId === "..") {
    throw new TrackingError("INVALID_PARAMETER_VALUE", `Cannot use "${modelId}" as the id of a logged model`);
  }
  return `logged-models/${encodeURIComponent(modelId)}`;
}
