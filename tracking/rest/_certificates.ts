import { TrackingError } from "../errors.ts";
import type { ReadEnvironment } from "./_environment.ts";

/**
 * Makes the client that trusts `MLFLOW_TRACKING_SERVER_CERT_PATH` and shows `MLFLOW_TRACKING_CLIENT_CERT_PATH` (one
 * file with certificate and key).
 *
 * @param env Reads the environment.
 * @param options More for the client.
 * @returns The client, which is to be closed; `undefined` where neither is set.
 * @throws {TrackingError} With `INVALID_PARAMETER_VALUE` if a file cannot be used.
 */
export async function makeCertifiedClient(
  env: ReadEnvironment,
  options: Deno.CreateHttpClientOptions = {},
): Promise<Deno.HttpClient | undefined> {
  const serverPath = env("MLFLOW_TRACKING_SERVER_CERT_PATH");
  const clientPath = env("MLFLOW_TRACKING_CLIENT_CERT_PATH");
  if (!serverPath && !clientPath) return undefined;
  const caCerts = serverPath ? [await readPem(serverPath, "MLFLOW_TRACKING_SERVER_CERT_PATH")] : undefined;
  const own = clientPath ? await readPem(clientPath, "MLFLOW_TRACKING_CLIENT_CERT_PATH") : undefined;
  const cert = own && blocksOf(own, /CERTIFICATE/);
  const key = own && blocksOf(own, /PRIVATE KEY/);
  if (own !== undefined && (!cert || !key)) {
    throw unusable("MLFLOW_TRACKING_CLIENT_CERT_PATH", `"${clientPath}" must hold a certificate and its key`);
  }
  try {
    const trusted = caCerts === undefined ? options : { ...options, caCerts };
    return cert && key ? Deno.createHttpClient({ ...trusted, cert, key }) : Deno.createHttpClient(trusted);
  } catch (error) {
    throw unusable("the certificates", error instanceof Error ? error.message : String(error), error);
  }
}

async function readPem(path: string, variable: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw unusable(variable, `"${path}" cannot be read: ${error instanceof Error ? error.message : error}`, error);
  }
  if (text.includes("-----BEGIN ")) return text;
  throw unusable(variable, `"${path}" is no PEM file`);
}

function blocksOf(pem: string, label: RegExp): string {
  const blocks = pem.match(/-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----/gs) ?? [];
  return blocks.filter((block) => label.test(block.slice(0, block.indexOf("\n")))).join("\n");
}

function unusable(what: string, fault: string, cause?: unknown): TrackingError {
  return new TrackingError("INVALID_PARAMETER_VALUE", `Cannot use ${what}: ${fault}`, { cause });
}
