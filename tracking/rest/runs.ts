import type { DatasetInput, Metric, ModelOutput, Page, Run, RunInfo } from "../entities.ts";
import { LIMITS } from "../limits.ts";
import { withRunTags } from "../_run_tags.ts";
import type { Batch, CreateRunOptions, PageOptions, RunChanges, SearchRunsOptions } from "../tracking_store.ts";
import { goneIsDone, send } from "./call.ts";
import { checkBatch, checkExperimentIds, checkMaxResults, checkRunChanges } from "./_checks.ts";
import { toMetric, toPage, toRun, toRunInfo, toWireMetric, toWirePairs, toWireView } from "./_convert.ts";
import { anySchema, metricsSchema, runInfoSchema, runSchema, runsSchema } from "./_schemas.ts";
import type { MlflowHttp } from "./http.ts";

/** Runs of a tracking server. */
export class RestRuns {
  readonly #http: MlflowHttp;

  constructor(http: MlflowHttp) {
    this.#http = http;
  }

  async create(options: CreateRunOptions): Promise<Run> {
    // Without a time, the server takes 1970.
    const { experimentId, runName, startTime = Date.now(), userId = "", tags = {} } = options;
    const named = runName === undefined ? tags : { "mlflow.runName": runName, ...tags };
    const answer = await send(this.#http, {
      action: `create a run in experiment "${experimentId}"`,
      path: "runs/create",
      body: {
        experiment_id: experimentId,
        user_id: userId,
        run_name: runName ?? tags["mlflow.runName"],
        start_time: startTime,
        tags: toWirePairs(withRunTags(named, userId)),
      },
      schema: runSchema,
      idempotent: false,
    });
    return toRun(answer.run);
  }

  async get(runId: string): Promise<Run> {
    const answer = await send(this.#http, {
      action: `get run "${runId}"`,
      method: "GET",
      path: "runs/get",
      query: { run_id: runId },
      schema: runSchema,
    });
    return toRun(answer.run);
  }

  async update(runId: string, changes: RunChanges): Promise<RunInfo> {
    checkRunChanges(runId, changes);
    const { status, endTime, runName } = changes;
    const answer = await send(this.#http, {
      action: `update run "${runId}"`,
      path: "runs/update",
      body: { run_id: runId, status, end_time: endTime, run_name: runName },
      schema: runInfoSchema,
    });
    return toRunInfo(answer.run_info);
  }

  async search(options: SearchRunsOptions): Promise<Page<Run>> {
    const { experimentIds, filter, orderBy, viewType, maxResults = 1000, pageToken } = options;
    checkExperimentIds("search runs", experimentIds);
    checkMaxResults("search runs", maxResults);
    const answer = await send(this.#http, {
      action: "search runs",
      path: "runs/search",
      body: {
        experiment_ids: experimentIds,
        filter,
        run_view_type: toWireView(viewType),
        max_results: maxResults,
        order_by: orderBy,
        page_token: pageToken,
      },
      schema: runsSchema,
    });
    return toPage(answer.runs, answer.next_page_token, toRun);
  }

  async delete(runId: string): Promise<void> {
    await this.#move("delete", runId, "deleted");
  }

  async restore(runId: string): Promise<void> {
    await this.#move("restore", runId, "active");
  }

  async logBatch(runId: string, batch: Batch): Promise<void> {
    checkBatch(runId, batch);
    const { metrics = [], params, tags } = batch;
    await send(this.#http, {
      action: `log to run "${runId}"`,
      path: "runs/log-batch",
      body: {
        run_id: runId,
        metrics: metrics.map((metric) => toWireMetric(metric)),
        params: toWirePairs(params),
        tags: toWirePairs(tags),
      },
      schema: anySchema,
    });
  }

  async deleteTag(runId: string, key: string): Promise<void> {
    await send(this.#http, {
      action: `delete tag "${key}" of run "${runId}"`,
      path: "runs/delete-tag",
      body: { run_id: runId, key },
      schema: anySchema,
      recover: goneIsDone,
    });
  }

  async getMetricHistory(runId: string, key: string, options: PageOptions): Promise<Page<Metric>> {
    const { maxResults, pageToken } = options;
    const action = `get the history of metric "${key}" of run "${runId}"`;
    if (maxResults !== undefined) checkMaxResults(action, maxResults);
    const items: Metric[] = [];
    let token = pageToken;
    do {
      const answer = await send(this.#http, {
        action,
        method: "GET",
        path: "metrics/get-history",
        // Some servers take no number for none.
        query: { run_id: runId, metric_key: key, max_results: maxResults ?? LIMITS.pageSize, page_token: token },
        schema: metricsSchema,
      });
      const page = toPage(answer.metrics, answer.next_page_token, toMetric);
      if (maxResults !== undefined) return page;
      items.push(...page.items);
      token = page.nextPageToken;
    } while (token !== undefined);
    return { items };
  }

  async logInputs(
    runId: string,
    inputs: { readonly datasets?: readonly DatasetInput[]; readonly modelIds?: readonly string[] },
  ): Promise<void> {
    const { datasets = [], modelIds = [] } = inputs;
    await send(this.#http, {
      action: `log inputs of run "${runId}"`,
      path: "runs/log-inputs",
      body: {
        run_id: runId,
        datasets: datasets.map(({ dataset, tags }) => ({
          tags: toWirePairs(tags),
          dataset: {
            name: dataset.name,
            digest: dataset.digest,
            source_type: dataset.sourceType,
            source: dataset.source,
            schema: dataset.schema,
            profile: dataset.profile,
          },
        })),
        models: modelIds.map((modelId) => ({ model_id: modelId })),
      },
      schema: anySchema,
      recover: async (error) => {
        const { inputs: found } = await this.get(runId);
        const names = new Set(found.datasets.map(({ dataset }) => `${dataset.name}\n${dataset.digest}`));
        const isDone = modelIds.every((modelId) => found.modelIds.includes(modelId)) &&
          datasets.every(({ dataset }) => names.has(`${dataset.name}\n${dataset.digest}`));
        if (isDone) return {};
        throw error;
      },
    });
  }

  async logOutputs(runId: string, models: readonly ModelOutput[]): Promise<void> {
    await send(this.#http, {
      action: `log outputs of run "${runId}"`,
      path: "runs/outputs",
      body: { run_id: runId, models: models.map(({ modelId, step }) => ({ model_id: modelId, step })) },
      schema: anySchema,
      // The server refuses to note an output twice.
      recover: async (error) => {
        const { outputs } = await this.get(runId);
        const found = new Set(outputs.models.map(({ modelId }) => modelId));
        if (models.every(({ modelId }) => found.has(modelId))) return {};
        throw error;
      },
    });
  }

  async #move(verb: "delete" | "restore", runId: string, stage: "active" | "deleted"): Promise<void> {
    await send(this.#http, {
      action: `${verb} run "${runId}"`,
      path: `runs/${verb}`,
      body: { run_id: runId },
      schema: anySchema,
      recover: async (error) => {
        const { info } = await this.get(runId);
        if (info.lifecycleStage === stage) return {};
        throw error;
      },
    });
  }
}
