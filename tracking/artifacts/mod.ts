/**
 * Artifact repositories: folders of this machine, and the proxy of an MLflow tracking server.
 *
 * @module
 */
export { openLocalArtifacts } from "./local.ts";
export { openProxyArtifacts } from "./proxy.ts";
