/** What the tests of the REST store share: recorded answers, and a server that keeps what it is sent. */
import { type Answer, text } from "../support/fake_upstream.ts";

/** One recorded exchange. */
export interface Exchange {
  readonly label: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly req_body: string | null;
  readonly status: number;
  readonly resp_headers: Record<string, string>;
  readonly resp_body: string;
}

const FILE = new URL("../testdata/mlflow/tracking/exchanges.jsonl", import.meta.url);
const exchanges: readonly Exchange[] = Deno.readTextFileSync(FILE).trim().split("\n").map((line) => JSON.parse(line));

/** The exchange of a label, and of an end of its path where a label has several. */
export function recorded(label: string, pathEnd = ""): Exchange {
  const found = exchanges.find((exchange) => exchange.label === label && exchange.path.endsWith(pathEnd));
  if (found === undefined) throw new Error(`no recording ${label} ${pathEnd}`);
  return found;
}

/** A recorded answer, for a fake upstream. */
export function answerOf(label: string, pathEnd = ""): Answer {
  const { status, resp_headers: headers, resp_body: body } = recorded(label, pathEnd);
  return text(body, { status, headers });
}

/** Environment for stores in tests: no waiting between tries, and nothing of this machine. */
export function testEnvironment(variables: Record<string, string> = {}): (name: string) => string | undefined {
  const all: Record<string, string> = {
    MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: "0",
    MLFLOW_HTTP_REQUEST_BACKOFF_JITTER: "0",
    MLFLOW_HTTP_REQUEST_TIMEOUT: "20",
    ...variables,
  };
  return (name) => all[name];
}

/** A running server with MLflow's routes for artifacts. */
export interface ArtifactServer extends AsyncDisposable {
  /** Its address. */
  readonly url: string;
  /** What it keeps, by path. */
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  /** What it was asked, in order: method and path, decoded. */
  readonly asked: string[];
  /** Headers of the uploads, by path. */
  readonly headers: Map<string, Headers>;
}

const ROUTE = "/api/2.0/mlflow-artifacts/artifacts";

/**
 * Starts a server that keeps artifacts as MLflow's does.
 *
 * @param intercept Answers in its place, where it returns something.
 */
export function startArtifactServer(
  intercept: (request: Request, path: string) => Promise<Response | undefined> | Response | undefined = () => undefined,
): ArtifactServer {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const asked: string[] = [];
  const headers = new Map<string, Headers>();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const url = new URL(request.url);
    const path = decodeURIComponent(url.pathname.slice(ROUTE.length + 1));
    asked.push(`${request.method} ${decodeURIComponent(url.pathname)}`);
    const other = await intercept(request, path);
    if (other !== undefined) return other;
    if (!url.pathname.startsWith(ROUTE)) {
      return new Response("<h1>Not Found</h1>", { status: 404, headers: { "content-type": "text/html" } });
    }
    if (url.pathname === ROUTE) return Response.json(listed(files, url.searchParams.get("path") ?? ""));
    if (request.method === "PUT") {
      headers.set(path, request.headers);
      files.set(path, await request.bytes());
      return new Response(null);
    }
    const found = files.get(path);
    if (found !== undefined) return new Response(found);
    const isFolder = [...files.keys()].some((name) => name.startsWith(`${path}/`));
    return isFolder
      ? Response.json({ error_code: "BAD_REQUEST", message: "It is a directory" }, { status: 400 })
      : Response.json({ error_code: "RESOURCE_DOES_NOT_EXIST", message: `No such artifact: '${path}'` }, {
        status: 404,
      });
  });
  const { port } = server.addr;
  return { url: `http://127.0.0.1:${port}`, files, asked, headers, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** As MLflow lists: paths from the folder that was asked for, no size for files without bytes. */
function listed(files: ReadonlyMap<string, Uint8Array>, folder: string): unknown {
  const found = new Map<string, unknown>();
  for (const [path, bytes] of files) {
    if (!path.startsWith(`${folder}/`)) continue;
    const [name = "", ...rest] = path.slice(folder.length + 1).split("/");
    if (rest.length > 0) found.set(name, { path: name, is_dir: true });
    else found.set(name, { path: name, is_dir: false, ...(bytes.length > 0 && { file_size: bytes.length }) });
  }
  return found.size === 0 ? {} : { files: [...found.values()] };
}
