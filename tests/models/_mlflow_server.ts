/** A server that does as much of MLflow's as logging and loading a model takes. */

import { type ArtifactServer, startArtifactServer } from "../tracking/_mlflow.ts";

type Values = Record<string, unknown>;

/** Options for {@linkcode startMlflowServer}. */
export interface MlflowServerOptions {
  /** Whether it knows logged models, which MLflow 2 does not. @default {true} */
  readonly hasLoggedModels?: boolean;
}

/** A running server. */
export interface MlflowServer extends ArtifactServer {
  /** Bodies that it was sent, by method and path. */
  readonly bodies: Map<string, Values>;
}

const API = "/api/2.0/mlflow/";
/** The one run that the server makes. */
export const RUN_ID = "0123456789abcdef0123456789abcdef";
/** The one logged model that the server makes. */
export const MODEL_ID = "m-fedcba9876543210fedcba9876543210";
const RUN = {
  info: {
    run_id: RUN_ID,
    run_name: "brave-run-1",
    experiment_id: "0",
    user_id: "",
    status: "RUNNING",
    start_time: 1,
    lifecycle_stage: "active",
    artifact_uri: `mlflow-artifacts:/0/${RUN_ID}/artifacts`,
  },
  data: { params: [{ key: "seed", value: "7" }] },
};

/** Starts a server. */
export function startMlflowServer({ hasLoggedModels = true }: MlflowServerOptions = {}): MlflowServer {
  const bodies = new Map<string, Values>();
  let model: Values = {};
  const server = startArtifactServer(async (request) => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(API)) return undefined;
    const route = `${request.method} ${pathname.slice(API.length)}`;
    const text = await request.text();
    const body: Values = text === "" ? {} : JSON.parse(text);
    bodies.set(route, body);
    if (/^\w+ logged-models/.test(route)) {
      if (!hasLoggedModels) return undefined;
      const status = route.startsWith("PATCH") ? body["status"] : "LOGGED_MODEL_PENDING";
      model = {
        model_id: MODEL_ID,
        experiment_id: "0",
        artifact_uri: `mlflow-artifacts:/0/models/${MODEL_ID}/artifacts`,
        ...model,
        ...(route === "POST logged-models" && { name: body["name"], source_run_id: body["source_run_id"] }),
        ...(!route.startsWith("GET") && { status }),
      };
      return Response.json({ model: { info: model } });
    }
    if (route === "POST runs/create" || route === "GET runs/get") return Response.json({ run: RUN });
    if (route === "POST runs/update") return Response.json({ run_info: { ...RUN.info, status: "FINISHED" } });
    if (route === "POST runs/log-batch" || route === "POST runs/outputs") return Response.json({});
    return undefined;
  });
  return { ...server, bodies };
}
