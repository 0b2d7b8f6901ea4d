import * as v from "valibot";
import { errorOfShape } from "./_errors.ts";
import type { MlflowHttp, MlflowRequest } from "./http.ts";

/** A request and the shape of its answer. */
export interface Call<Output> extends MlflowRequest {
  /** What is to be done, as it stands behind "Cannot". */
  readonly action: string;
  /** HTTP method. @default {"POST"} */
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  /** Path below `/api/2.0/mlflow/`. */
  readonly path: string;
  /** Shape of the answer. */
  readonly schema: v.GenericSchema<unknown, Output>;
}

/**
 * Sends a request. What MLflow's API has is safe to do twice, but for what is told to be otherwise.
 *
 * @param http What to send by.
 * @param call The request.
 * @returns The answer, checked.
 */
export async function send<Output>(http: MlflowHttp, call: Call<Output>): Promise<Output> {
  const { method = "POST", path, schema, idempotent = true, ...request } = call;
  const value = await http.request(method, path, { ...request, idempotent });
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw errorOfShape(
    call.action,
    result.issues.map((issue) => `"${v.getDotPath(issue) ?? ""}": expected ${issue.expected ?? "something else"}`),
  );
}

/** What to make of an error after an answer that was lost: a thing that is gone is what a removal wanted. */
export async function goneIsDone(error: unknown): Promise<unknown> {
  await Promise.resolve();
  if (error instanceof Error && "errorCode" in error && error.errorCode === "RESOURCE_DOES_NOT_EXIST") return {};
  throw error;
}
