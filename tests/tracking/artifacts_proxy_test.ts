import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { type ArtifactRepository, TrackingError } from "../../tracking/mod.ts";
import { RestStore } from "../../tracking/rest/mod.ts";
import { startFakeUpstream, text } from "../support/fake_upstream.ts";
import { answerOf, startArtifactServer, testEnvironment } from "./_mlflow.ts";

const ROOT = "mlflow-artifacts:/1/run/artifacts";
const encoder = new TextEncoder();

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

function open(url: string, variables: Record<string, string> = {}, uri = ROOT): ArtifactRepository {
  return new RestStore(url, { env: testEnvironment(variables) }).artifacts(uri);
}

async function fails(action: () => Promise<unknown>, code: string): Promise<TrackingError> {
  const error = await assertRejects(action, TrackingError);
  assertEquals(error.errorCode, code, error.message);
  return error;
}

/** Bytes that are no one byte many times. */
function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, index) => index % 251);
}

Deno.test("artifacts() stores, lists and reads by the proxy, with paths from the root", async () => {
  await using server = startArtifactServer();
  const artifacts = open(server.url);
  await artifacts.put("dir a/é 1.txt", encoder.encode("hello"));
  await artifacts.put("empty", new Uint8Array());
  assertEquals(await artifacts.list(), [
    { path: "dir a", isDirectory: true },
    { path: "empty", isDirectory: false, fileSize: 0 },
  ]);
  assertEquals(await artifacts.listAll(), [
    { path: "dir a/é 1.txt", isDirectory: false, fileSize: 5 },
    { path: "empty", isDirectory: false, fileSize: 0 },
  ]);
  assertEquals(await artifacts.list("none"), []);
  assertEquals(await new Response(await artifacts.get("dir a/é 1.txt")).text(), "hello");
  assertEquals([...server.files.keys()], ["1/run/artifacts/dir a/é 1.txt", "1/run/artifacts/empty"]);
});

Deno.test("put() and upload() tell the length, as some servers store nothing without it", () =>
  withFolder(async (folder) => {
    await using server = startArtifactServer();
    const artifacts = open(server.url);
    const big = bytesOf(3_000_000);
    await Deno.writeFile(join(folder, "big"), big);
    await Deno.writeFile(join(folder, "empty"), new Uint8Array());
    const seen = new Map<string, number>();
    await artifacts.upload(folder, "up", { onProgress: ({ path, bytes }) => seen.set(path, bytes) });
    await artifacts.put("stream/big", new Blob([big]).stream());
    await artifacts.put("stream/small", new Blob(["a", "b"]).stream());
    await artifacts.put("bytes", big);
    const lengths = [...server.headers].map(([path, headers]) => [
      path.slice("1/run/artifacts/".length),
      headers.get("content-length"),
      headers.get("transfer-encoding"),
    ]);
    assertEquals(lengths, [
      ["up/big", "3000000", null],
      ["up/empty", "0", null],
      ["stream/big", "3000000", null],
      ["stream/small", "2", null],
      ["bytes", "3000000", null],
    ]);
    assertEquals(server.files.get("1/run/artifacts/up/big"), big);
    assertEquals(server.files.get("1/run/artifacts/stream/big"), big);
    assertEquals(seen.get("up/big"), 3_000_000);
  }));

Deno.test("upload() tries again from the beginning of a file", () =>
  withFolder(async (folder) => {
    let count = 0;
    await using server = startArtifactServer(async (request) => {
      if (request.method !== "PUT" || ++count > 2) return undefined;
      await request.body?.cancel();
      return new Response("busy", { status: 503 });
    });
    const content = bytesOf(2_000_000);
    await Deno.writeFile(join(folder, "file"), content);
    await open(server.url).upload(join(folder, "file"), "file");
    assertEquals(server.files.get("1/run/artifacts/file"), content);
    assertEquals(count, 3);
  }));

Deno.test("put() cancels its stream when it is refused, fails or is aborted, and sends nothing of it", async () => {
  await using server = startArtifactServer();
  const artifacts = open(server.url);
  const controller = new AbortController();
  const reason = new Error("enough");
  const cancelled: unknown[] = [];
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(stream) {
        stream.enqueue(new Uint8Array(100_000));
        if (cancelled.length === 1) controller.abort(reason);
      },
      cancel: (why) => void cancelled.push(why),
    });
  await fails(() => artifacts.put("../x", endless()), "INVALID_PARAMETER_VALUE");
  const put = artifacts.put("x", endless(), { signal: controller.signal });
  assertStrictEquals(await assertRejects(() => put), reason);
  assertEquals(cancelled.length, 2);
  const broken = new ReadableStream<Uint8Array>({ pull: (stream) => stream.error(new Error("no more")) });
  assertMatch((await fails(() => artifacts.put("x", broken), "INTERNAL_ERROR")).message, /no more/);
  assertEquals(server.asked, []);
});

Deno.test("get() tells missing files and folders, and its abort ends the reading", async () => {
  await using server = startArtifactServer();
  const artifacts = open(server.url);
  await artifacts.put("a/b", bytesOf(5_000_000));
  await fails(() => artifacts.get("none"), "RESOURCE_DOES_NOT_EXIST");
  assertMatch((await fails(() => artifacts.get("a"), "RESOURCE_DOES_NOT_EXIST")).message, /it is a folder/);
  const controller = new AbortController();
  const reason = new Error("enough");
  const reader = (await artifacts.get("a/b", { signal: controller.signal })).getReader();
  assert(!(await reader.read()).done);
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => reader.read()), reason);
  await (await artifacts.get("a/b")).cancel();
});

Deno.test("get() tells what is not there when the server only fails, as MLflow 2 does", async () => {
  await using server = startArtifactServer((request, path) =>
    request.method === "GET" && path.endsWith(".txt")
      ? Response.json({ error_code: "INTERNAL_ERROR", message: "[Errno 2] No such file: '/srv/none.txt'" }, {
        status: 500,
      })
      : undefined
  );
  const artifacts = open(server.url);
  await artifacts.put("a/there.txt", bytesOf(3));
  for (const path of ["none.txt", "a/none.txt", "b/none.txt"]) {
    const { message } = await fails(() => artifacts.get(path), "RESOURCE_DOES_NOT_EXIST");
    assertEquals(
      message,
      `Cannot read artifact "${path}" of "${ROOT}": there is no such artifact. See what there is by 'list'`,
    );
  }
  await fails(() => artifacts.get("a/there.txt"), "INTERNAL_ERROR");
});

Deno.test("get() tells at once which names MLflow 2 cannot hand out", async () => {
  // It puts the name into a header, and breaks the connection off where that cannot be.
  let count = 0;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      count++;
      await connection.read(new Uint8Array(4096));
      connection.close();
    }
  })();
  const artifacts = open(`http://127.0.0.1:${listener.addr.port}`);
  const error = await fails(() => artifacts.get("a/日.txt"), "TEMPORARILY_UNAVAILABLE");
  assertMatch(error.message, /the connection broke before an answer came.*cannot hand out names/);
  const first = count;
  await fails(() => artifacts.get("日/a.txt"), "TEMPORARILY_UNAVAILABLE");
  assert(count - first > first * 2, `${count} connections`);
  listener.close();
  await serving;
});

Deno.test("download() brings files and folders, complete or not at all", () =>
  withFolder(async (folder) => {
    await using server = startArtifactServer();
    const artifacts = open(server.url);
    const big = bytesOf(2_000_000);
    await artifacts.put("m/MLmodel", encoder.encode("flavors:"));
    await artifacts.put("m/code/big", big);
    await artifacts.download("m", join(folder, "model"));
    assertEquals(await Deno.readFile(join(folder, "model", "code", "big")), big);
    await artifacts.download("m/MLmodel", join(folder, "deep", "renamed"));
    assertEquals(await Deno.readTextFile(join(folder, "deep", "renamed")), "flavors:");
    await fails(() => artifacts.download("none", join(folder, "none")), "RESOURCE_DOES_NOT_EXIST");
    assertEquals(await namesIn(folder), ["deep", "model"]);
  }));

Deno.test("download() leaves nothing of a file of which the connection breaks", () =>
  withFolder(async (folder) => {
    await using upstream = await startFakeUpstream((request) =>
      request.path.includes("?")
        ? text("{}", { headers: { "content-type": "application/json" } })
        : [{ send: "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nhalf" }, "close"]
    );
    const target = join(folder, "target");
    const error = await fails(() => open(upstream.url).download("x", join(target, "x")), "TEMPORARILY_UNAVAILABLE");
    assertMatch(error.message, /broke in the middle/);
    assertEquals(await namesIn(target), []);
  }));

Deno.test("download() and list() refuse what leads out, whatever the server lists", () =>
  withFolder(async (folder) => {
    for (const path of ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "%2e%2e/evil"]) {
      const body = JSON.stringify({ files: [{ path, is_dir: false, file_size: 1 }] });
      await using upstream = await startFakeUpstream([text(body, { headers: { "content-type": "application/json" } })]);
      const artifacts = open(upstream.url);
      await fails(() => artifacts.download("m", join(folder, "m")), "INVALID_PARAMETER_VALUE");
      assertEquals(upstream.requests.length, 1);
    }
    assertEquals(await namesIn(folder), []);
  }));

Deno.test("artifacts() reads what MLflow lists and how it misses", async () => {
  await using upstream = await startFakeUpstream([
    answerOf("raw:artifact list"),
    answerOf("load_model:echo", "artifacts"),
    answerOf("raw:artifact GET missing"),
    answerOf("raw:root UI"),
  ]);
  const artifacts = open(upstream.url);
  assertEquals(await artifacts.list(), [
    { path: "a", isDirectory: true },
    { path: "x.html", isDirectory: false, fileSize: 8 },
  ]);
  assertEquals((await artifacts.list("sub"))[0], { path: "sub/MLmodel", isDirectory: false, fileSize: 4830 });
  await fails(() => artifacts.get("zzz"), "RESOURCE_DOES_NOT_EXIST");
  await fails(() => artifacts.list(), "ENDPOINT_NOT_FOUND");
  assertEquals(
    upstream.requests[1]?.path,
    "/api/2.0/mlflow-artifacts/artifacts?path=1%2Frun%2Fartifacts%2Fsub",
  );
});

Deno.test("artifacts() understands every form of URI, and names what it cannot speak to", async () => {
  await using server = startArtifactServer();
  const { host } = new URL(server.url);
  const proxy = "/api/2.0/mlflow-artifacts/artifacts";
  for (const uri of [ROOT, `mlflow-artifacts://${host}/1/run/artifacts`, `${server.url}${proxy}/1/run/artifacts/`]) {
    await open(server.url, {}, uri).put("x", encoder.encode("x"));
    assertEquals(server.asked.splice(0), [`PUT ${proxy}/1/run/artifacts/x`]);
  }
  for (const uri of ["s3://bucket/x", "gs://bucket", "dbfs:/x", "wasbs://a@b/c", "hdfs://h/x"]) {
    const error = assertThrows(() => open(server.url, {}, uri), TrackingError);
    assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
    assert(error.message.includes(`"${uri.split(":")[0]}:…"`), error.message);
    assert(error.message.includes("--serve-artifacts"), error.message);
  }
  for (const uri of ["mlflow-artifacts://5000/x", "mlflow-artifacts:/../x", "https://example.invalid/x"]) {
    assertThrows(() => open(server.url, {}, uri), TrackingError);
  }
  await withFolder(async (folder) => {
    const artifacts = open(server.url, {}, folder);
    await artifacts.put("x", encoder.encode("local"));
    assertEquals(await Deno.readTextFile(join(folder, "x")), "local");
    assertEquals(artifacts.localPath, folder);
  });
});

const PARTS = {
  MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD: "true",
  MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE: "1000",
  MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE: "400",
  MLFLOW_TRACKING_TOKEN: "geheim",
};

/** A server that takes uploads in parts. */
function startPartsServer(failingPart?: string) {
  const parts = new Map<string, string>();
  const posted: [string, unknown][] = [];
  const secrets: string[] = [];
  const server = startArtifactServer(async (request) => {
    const { pathname, origin } = new URL(request.url);
    if (pathname.startsWith("/part/")) {
      if (request.headers.has("authorization")) secrets.push(pathname);
      const bytes = await request.bytes();
      if (pathname === failingPart) return new Response("<Error/>", { status: 403 });
      parts.set(pathname, `${bytes.length} ${request.headers.get("x-sign")}`);
      return new Response(null, { headers: { etag: `"${pathname}"` } });
    }
    const verb = /\/mpu\/(\w+)\/1\/run\/artifacts\/d$/.exec(pathname)?.[1];
    if (verb === undefined) return undefined;
    const body = await request.json();
    posted.push([verb, body]);
    if (verb !== "create") return Response.json({});
    const credentials = Array.from({ length: body.num_parts }, (_, index) => ({
      url: `${origin}/part/${index + 1}`,
      part_number: index + 1,
      headers: { "x-sign": "s" },
    }));
    return Response.json({ upload_id: "u", credentials });
  });
  return { server, parts, posted, secrets };
}

Deno.test("upload() sends large files in parts where the server offers it, without credentials", () =>
  withFolder(async (folder) => {
    await Deno.writeFile(join(folder, "file"), bytesOf(1001));
    await Deno.writeFile(join(folder, "small"), bytesOf(999));
    const { server, parts, posted, secrets } = startPartsServer();
    await using _ = server;
    await open(server.url, PARTS).upload(folder, "d");
    assertEquals([...parts], [["/part/1", "400 s"], ["/part/2", "400 s"], ["/part/3", "201 s"]]);
    assertEquals(posted.map(([verb]) => verb), ["create", "complete"]);
    assertEquals(posted[1]?.[1], {
      path: "file",
      upload_id: "u",
      parts: [1, 2, 3].map((part_number) => ({
        part_number,
        etag: `"/part/${part_number}"`,
        url: `${server.url}/part/${part_number}`,
      })),
    });
    assertEquals(secrets, []);
    assertEquals([...server.files.keys()], ["1/run/artifacts/d/small"]);
  }));

Deno.test("upload() throws away its parts when one fails", () =>
  withFolder(async (folder) => {
    await Deno.writeFile(join(folder, "file"), bytesOf(1001));
    const { server, posted } = startPartsServer("/part/2");
    await using _ = server;
    await fails(() => open(server.url, PARTS).upload(join(folder, "file"), "d/file"), "PERMISSION_DENIED");
    assertEquals(posted.map(([verb]) => verb), ["create", "abort"]);
  }));

Deno.test("upload() leaves no upload behind when it is offered too few parts, or cannot complete it", () =>
  withFolder(async (folder) => {
    await Deno.writeFile(join(folder, "file"), bytesOf(1001));
    const verbs: string[] = [];
    let offered = 2;
    await using server = startArtifactServer((request) => {
      const [, verb] = /\/mpu\/(\w+)\//.exec(request.url) ?? [];
      if (verb === undefined) return request.url.includes("/part/") ? new Response() : undefined;
      verbs.push(verb);
      if (verb === "complete") return new Response("<h1>Internal Server Error</h1>", { status: 500 });
      if (verb === "abort") return Response.json({});
      const credentials = Array.from({ length: offered }, (_, index) => ({
        url: `${server.url}/part/${index + 1}`,
        part_number: index + 1,
        headers: {},
      }));
      return Response.json({ upload_id: "u", credentials });
    });
    const upload = () => open(server.url, PARTS).upload(join(folder, "file"), "d/file");
    const { message } = await fails(upload, "INTERNAL_ERROR");
    assertMatch(message, /3 parts were asked for, but 2 offered$/);
    assertEquals(verbs.splice(0), ["create", "abort"]);
    offered = 3;
    const refused = await fails(upload, "INTERNAL_ERROR");
    assertMatch(refused.message, /S3 wants parts of at least 5242880 bytes: raise MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE$/);
    assertEquals(verbs, ["create", "complete", "abort"]);
  }));

Deno.test("upload() sends in one piece where the server has no uploads in parts", () =>
  withFolder(async (folder) => {
    await Deno.writeFile(join(folder, "file"), bytesOf(1001));
    const asked: string[] = [];
    await using server = startArtifactServer((request) => {
      const { pathname } = new URL(request.url);
      if (!pathname.includes("/mpu/")) return undefined;
      asked.push(pathname);
      return Response.json({ error_code: "NOT_IMPLEMENTED", message: "Multipart upload is not supported" }, {
        status: 501,
      });
    });
    await open(server.url, PARTS).upload(join(folder, "file"), "d/file");
    assertEquals(server.files.get("1/run/artifacts/d/file")?.length, 1001);
    const { MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD: _, ...unset } = PARTS;
    for (const variables of [{ ...PARTS, MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD: "false" }, unset]) {
      await open(server.url, variables).upload(join(folder, "file"), "d/file");
    }
    assertEquals(asked.length, 1);
  }));
