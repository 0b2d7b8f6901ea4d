/**
 * MLflow's tracking server by its REST API.
 *
 * @module
 */
export {
  type LostAnswer,
  MlflowHttp,
  type MlflowHttpOptions,
  type MlflowRequest,
  type OpenBody,
  type Query,
  type TransferRequest,
  type UploadBody,
} from "./http.ts";
export { RestStore, type RestStoreOptions } from "./rest_store.ts";
