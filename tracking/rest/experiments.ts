import type { Experiment, Page, Tags } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import type { CreateExperimentOptions, SearchExperimentsOptions } from "../tracking_store.ts";
import { goneIsDone, send } from "./call.ts";
import { checkMaxResults } from "./_checks.ts";
import { toExperiment, toPage, toWirePairs, toWireView } from "./_convert.ts";
import { anySchema, experimentIdSchema, experimentSchema, experimentsSchema } from "./_schemas.ts";
import type { LostAnswer, MlflowHttp } from "./http.ts";

/** The server's clock has whole seconds in its answers, and the first try was under way for a while. */
const CLOCK_SLACK = 2_000;

/** Experiments of a tracking server. */
export class RestExperiments {
  readonly #http: MlflowHttp;

  constructor(http: MlflowHttp) {
    this.#http = http;
  }

  async create(options: CreateExperimentOptions): Promise<string> {
    const { name, artifactLocation, tags } = options;
    const answer = await send(this.#http, {
      action: `create experiment "${name}"`,
      path: "experiments/create",
      body: { name, artifact_location: artifactLocation, tags: toWirePairs(tags) },
      schema: experimentIdSchema,
      recover: (error, lost) => this.#recoverCreated(options, error, lost),
    });
    return answer.experiment_id;
  }

  async get(experimentId: string): Promise<Experiment> {
    const answer = await send(this.#http, {
      action: `get experiment "${experimentId}"`,
      method: "GET",
      path: "experiments/get",
      query: { experiment_id: experimentId },
      schema: experimentSchema,
    });
    return toExperiment(answer.experiment);
  }

  async getByName(name: string): Promise<Experiment | undefined> {
    try {
      const answer = await send(this.#http, {
        action: `get experiment "${name}"`,
        method: "GET",
        path: "experiments/get-by-name",
        query: { experiment_name: name },
        schema: experimentSchema,
      });
      return toExperiment(answer.experiment);
    } catch (error) {
      if (error instanceof TrackingError && error.errorCode === "RESOURCE_DOES_NOT_EXIST") return undefined;
      throw error;
    }
  }

  async search(options: SearchExperimentsOptions): Promise<Page<Experiment>> {
    const { filter, orderBy, viewType, maxResults = 1000, pageToken } = options;
    checkMaxResults("search experiments", maxResults);
    const answer = await send(this.#http, {
      action: "search experiments",
      path: "experiments/search",
      body: {
        max_results: maxResults,
        filter,
        order_by: orderBy,
        view_type: toWireView(viewType),
        page_token: pageToken,
      },
      schema: experimentsSchema,
    });
    return toPage(answer.experiments, answer.next_page_token, toExperiment);
  }

  async rename(experimentId: string, newName: string): Promise<void> {
    await send(this.#http, {
      action: `rename experiment "${experimentId}"`,
      path: "experiments/update",
      body: { experiment_id: experimentId, new_name: newName },
      schema: anySchema,
    });
  }

  async delete(experimentId: string): Promise<void> {
    await this.#move("delete", experimentId, "deleted");
  }

  async restore(experimentId: string): Promise<void> {
    await this.#move("restore", experimentId, "active");
  }

  async setTags(experimentId: string, tags: Tags): Promise<void> {
    for (const [key, value] of Object.entries(tags)) {
      await send(this.#http, {
        action: `set tag "${key}" of experiment "${experimentId}"`,
        path: "experiments/set-experiment-tag",
        body: { experiment_id: experimentId, key, value },
        schema: anySchema,
      });
    }
  }

  async deleteTag(experimentId: string, key: string): Promise<void> {
    await send(this.#http, {
      action: `delete tag "${key}" of experiment "${experimentId}"`,
      path: "experiments/delete-experiment-tag",
      body: { experiment_id: experimentId, key },
      schema: anySchema,
      recover: goneIsDone,
    });
  }

  async #move(verb: "delete" | "restore", experimentId: string, stage: "active" | "deleted"): Promise<void> {
    await send(this.#http, {
      action: `${verb} experiment "${experimentId}"`,
      path: `experiments/${verb}`,
      body: { experiment_id: experimentId },
      schema: anySchema,
      recover: async (error) => {
        const { lifecycleStage } = await this.get(experimentId);
        if (lifecycleStage === stage) return {};
        throw error;
      },
    });
  }

  /** An experiment of that name that came into being since is the one that was asked for. */
  async #recoverCreated(options: CreateExperimentOptions, error: TrackingError, lost: LostAnswer): Promise<unknown> {
    if (error.errorCode !== "RESOURCE_ALREADY_EXISTS") throw error;
    const found = await this.getByName(options.name);
    if (found?.creationTime === undefined || found.creationTime < lost.firstSent - CLOCK_SLACK) throw error;
    const isSame = found.lifecycleStage === "active" &&
      Object.entries(options.tags ?? {}).every(([key, value]) => found.tags[key] === value);
    if (!isSame) throw error;
    return { experiment_id: found.experimentId };
  }
}
