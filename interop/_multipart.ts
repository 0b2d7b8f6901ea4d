import { join } from "@std/path";
import type { Python } from "./_python.ts";
import { type Context, runChecks, runDeno } from "./_scripts.ts";
import { startMlflow, startServer } from "./_server.ts";

/** The least that S3 takes for all parts but the last. */
const CHUNK_SIZE = String(5 * 1_048_576);
const BUCKET = "interop";

/** A server that keeps its artifacts in S3, for which moto stands, and lets large files be sent there in parts. */
export async function checkMultipart(context: Context, python: Python): Promise<void> {
  const { report } = context;
  const cwd = await Deno.makeTempDir({ prefix: "interop-multipart-" });
  await using storage = await startServer(
    join(python.python, "../moto_server"),
    (port) => ["-H", "127.0.0.1", "-p", String(port)],
    { cwd, ready: "/moto-api/" },
  );
  const response = await fetch(`${storage.url}/${BUCKET}`, { method: "PUT" });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`No bucket could be made: ${response.status}`);
  const ofStorage = {
    MLFLOW_S3_ENDPOINT_URL: storage.url,
    AWS_ACCESS_KEY_ID: "anyone",
    AWS_SECRET_ACCESS_KEY: "anything",
    AWS_DEFAULT_REGION: "us-east-1",
  };
  await using server = await startMlflow(python, (port) => [
    ...["server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1"],
    ...["--backend-store-uri", `sqlite:///${join(cwd, "server.db")}`],
    ...["--artifacts-destination", `s3://${BUCKET}/root`],
  ], { cwd, env: { ...ofStorage, MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD: "true" }, ready: "/health" });
  const where = `multipart ${python.version}`;
  const uploads = {
    MLFLOW_TRACKING_URI: server.url,
    MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE: CHUNK_SIZE,
    MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE: CHUNK_SIZE,
  };
  // Deno knows nothing of the storage but what the server tells.
  const made = await report.check(
    `${where}: a file of several parts goes up and down; given up, nothing is stored`,
    () => runDeno("multipart.ts", { cwd, env: uploads, args: [CHUNK_SIZE] }),
  );
  if (made === undefined) return;
  await runChecks(context, `${where}: Python`, {
    python,
    script: "multipart_checks.py",
    cwd,
    env: { ...ofStorage, MLFLOW_TRACKING_URI: server.url },
    args: [made, BUCKET],
  });
}
