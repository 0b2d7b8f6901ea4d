import { TrackingError } from "../errors.ts";

/** Where the proxy of artifacts is below the address of a server. */
export const PROXY_PATH = "/api/2.0/mlflow-artifacts/artifacts";

/** A place among the artifacts of a server. */
export interface ProxyPlace {
  /** Address of the server. */
  readonly base: string;
  /** Path below the root of all its artifacts, without slashes at its ends. */
  readonly root: string;
}

/**
 * Finds out which server an artifact URI means: `mlflow-artifacts:/path` the tracking server,
 * `mlflow-artifacts://host:port/path` another one, `http://host/api/2.0/mlflow-artifacts/artifacts/path` as well.
 *
 * @param uri The artifact URI.
 * @param trackingUri Address of the tracking server.
 * @returns The place.
 * @throws {TrackingError} With `INVALID_PARAMETER_VALUE` if it means none.
 */
export function parseProxyUri(uri: string, trackingUri: string): ProxyPlace {
  const [, scheme = "", host, path = ""] = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/]*))?(.*)$/is.exec(uri) ?? [];
  const kind = scheme.toLowerCase();
  if (kind === "http" || kind === "https") return parseHttp(uri, `${kind}://${host}`, path);
  if (host === undefined || host === "") return { base: trackingUri, root: trim(path) };
  const { protocol, pathname } = new URL(trackingUri);
  const other = URL.parse(`${protocol}//${host}`);
  if (other === null || host.includes("@") || /^\d+$/.test(host)) {
    throw new TrackingError(
      "INVALID_PARAMETER_VALUE",
      `Cannot open artifacts at an "mlflow-artifacts:" URI: it must be written mlflow-artifacts:/path or ` +
        "mlflow-artifacts://host:port/path, without a name or password",
    );
  }
  return { base: `${other.origin}${pathname.replace(/\/+$/, "")}`, root: trim(path) };
}

function parseHttp(uri: string, origin: string, path: string): ProxyPlace {
  const index = path.indexOf(PROXY_PATH);
  if (index >= 0 && URL.canParse(uri)) {
    return { base: `${origin}${path.slice(0, index)}`, root: trim(path.slice(index + PROXY_PATH.length)) };
  }
  throw new TrackingError(
    "INVALID_PARAMETER_VALUE",
    `Cannot open artifacts at an "http:" URI: only those of MLflow's proxy (…${PROXY_PATH}/…) are known`,
  );
}

/** A path for a URL, each of its segments percent-encoded. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function trim(path: string): string {
  return path.replace(/\/+/g, "/").replace(/^\/|\/$/g, "");
}
