import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import * as fc from "fast-check";
import { openLocalArtifacts } from "../../tracking/artifacts/mod.ts";
import { TrackingError } from "../../tracking/mod.ts";

const encoder = new TextEncoder();

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream).text();
}

async function assertCode(action: () => Promise<unknown>, code: string): Promise<TrackingError> {
  const error = await assertRejects(action, TrackingError);
  assertEquals(error.errorCode, code, error.message);
  return error;
}

/** All names in a folder, temporary ones too. */
async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

Deno.test("openLocalArtifacts() keeps files and lists them as MLflow does", () =>
  withFolder(async (folder) => {
    const artifacts = openLocalArtifacts(join(folder, "run", "artifacts"));
    assertEquals(await artifacts.list(), []);
    await artifacts.put("b/deep/é ü.txt", encoder.encode("hello"));
    await artifacts.put("b/empty", new Uint8Array());
    await artifacts.put("a.txt", new Blob(["one", "two"]).stream());
    assertEquals(await artifacts.list(), [
      { path: "a.txt", isDirectory: false, fileSize: 6 },
      { path: "b", isDirectory: true },
    ]);
    assertEquals(await artifacts.list("b"), [
      { path: "b/deep", isDirectory: true },
      { path: "b/empty", isDirectory: false, fileSize: 0 },
    ]);
    assertEquals((await artifacts.listAll()).map(({ path }) => path), ["a.txt", "b/deep/é ü.txt", "b/empty"]);
    assertEquals(await artifacts.list("a.txt"), []);
    assertEquals(await artifacts.list("none"), []);
    assertEquals(await textOf(await artifacts.get("b/deep/é ü.txt")), "hello");
    assertEquals(artifacts.localPath, join(folder, "run", "artifacts"));
  }));

Deno.test("openLocalArtifacts() takes paths and file: URIs, and nothing else", () =>
  withFolder(async (folder) => {
    const odd = join(folder, "a b%23");
    await openLocalArtifacts(odd).put("x", encoder.encode("x"));
    for (const uri of [odd, toFileUrl(odd).href, toFileUrl(odd).href.replace("file://", "file://localhost")]) {
      assertEquals((await openLocalArtifacts(uri).list()).length, 1, uri);
    }
    assertEquals(openLocalArtifacts("file:mlruns/0").localPath, join(Deno.cwd(), "mlruns", "0"));
    for (const uri of ["s3://bucket/x", "mlflow-artifacts:/1", "file://elsewhere/x", "", "file:%zz"]) {
      const error = assertThrows(() => openLocalArtifacts(uri), TrackingError);
      assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE", uri);
    }
  }));

Deno.test("put() refuses paths that lead out, also in disguise, and cancels the stream", () =>
  withFolder(async (folder) => {
    const artifacts = openLocalArtifacts(join(folder, "in"));
    const paths = ["", "..", "../x", "a/../../x", "a/./b", "a//b", "/x", "a/", "a\\b", "a\nb", "a\0b", "C:/x", "c:"];
    const encoded = ["%2e%2e/x", "a/%2E%2e/x", "%252e%252e/x", "a%2f..%2fx", "%5c", "a%00b", "file:x"];
    for (const path of [...paths, ...encoded, "a#b", "a%20b"]) {
      let isCancelled = false;
      const content = new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) });
      await assertCode(() => artifacts.put(path, content), "INVALID_PARAMETER_VALUE");
      assert(isCancelled, path);
    }
    for (const path of [...paths, ...encoded].filter((path) => path !== "")) {
      await assertCode(() => artifacts.get(path), "INVALID_PARAMETER_VALUE");
      await assertCode(() => artifacts.list(path), "INVALID_PARAMETER_VALUE");
      await assertCode(() => artifacts.download(path, join(folder, "x")), "INVALID_PARAMETER_VALUE");
    }
    assertEquals(await namesIn(folder), []);
  }));

Deno.test("put() writes nothing outside, whatever the path", () =>
  withFolder(async (folder) => {
    const artifacts = openLocalArtifacts(join(folder, "root"));
    const piece = fc.constantFrom(
      "..",
      ".",
      "a",
      "/",
      "\\",
      "%2e",
      "%2E",
      "%2f",
      "%5c",
      "%25",
      "%",
      "b",
      "\u0000",
      "~",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
        await artifacts.put(pieces.join(""), new Uint8Array(1)).catch((error) => {
          assert(error instanceof TrackingError, String(error));
        });
        assert((await namesIn(folder)).every((name) => name === "root"));
      }),
      { numRuns: 300 },
    );
  }));

Deno.test("put(), get() and list() do not follow links that lead out", () =>
  withFolder(async (folder) => {
    const root = join(folder, "root");
    const outside = join(folder, "outside");
    await Deno.mkdir(root);
    await Deno.mkdir(outside);
    await Deno.writeTextFile(join(outside, "secret"), "secret");
    await Deno.symlink(outside, join(root, "out"));
    await Deno.symlink(join(outside, "secret"), join(root, "file"));
    await Deno.symlink(join(folder, "nowhere"), join(root, "dangling"));
    const artifacts = openLocalArtifacts(root);
    await artifacts.put("real/x", new Uint8Array(2));
    await Deno.symlink(join(root, "real"), join(root, "alias"));
    assertEquals((await artifacts.list()).map(({ path }) => path), ["alias", "real"]);
    assertEquals((await artifacts.listAll()).map(({ path }) => path), ["alias/x", "real/x"]);
    await assertCode(() => artifacts.get("file"), "INVALID_PARAMETER_VALUE");
    await assertCode(() => artifacts.get("out/secret"), "INVALID_PARAMETER_VALUE");
    await assertCode(() => artifacts.list("out"), "INVALID_PARAMETER_VALUE");
    await assertCode(() => artifacts.put("out/new", new Uint8Array(1)), "INVALID_PARAMETER_VALUE");
    await assertCode(() => artifacts.put("out/deep/new", new Uint8Array(1)), "INVALID_PARAMETER_VALUE");
    await assertCode(() => artifacts.put("dangling/new", new Uint8Array(1)), "INVALID_PARAMETER_VALUE");
    assertEquals(await namesIn(outside), ["secret"]);
    // A link in the place of a file is replaced, not written through.
    await artifacts.put("file", encoder.encode("mine"));
    assertEquals(await Deno.readTextFile(join(outside, "secret")), "secret");
    assertEquals(await textOf(await artifacts.get("file")), "mine");
  }));

Deno.test("listAll() ends where links lead in circles, and upload() refuses them", () =>
  withFolder(async (folder) => {
    const root = join(folder, "root");
    const artifacts = openLocalArtifacts(root);
    await artifacts.put("a/x", new Uint8Array(1));
    await Deno.symlink(root, join(root, "a", "again"));
    assertEquals((await artifacts.listAll()).map(({ path }) => path), ["a/x"]);
    const other = openLocalArtifacts(join(folder, "other"));
    await assertCode(() => other.upload(root, ""), "INVALID_PARAMETER_VALUE");
    assertEquals(await other.listAll(), []);
  }));

Deno.test("put() leaves what was there when its stream fails or is aborted", () =>
  withFolder(async (folder) => {
    const artifacts = openLocalArtifacts(folder);
    await artifacts.put("a/file", encoder.encode("first"));
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(encoder.encode("half"));
        controller.error(new Error("no more"));
      },
    });
    const error = await assertCode(() => artifacts.put("a/file", broken), "INTERNAL_ERROR");
    assertEquals(error.cause instanceof Error && error.cause.message, "no more");
    const controller = new AbortController();
    const reason = new Error("enough");
    let reasonSeen: unknown;
    const endless = new ReadableStream<Uint8Array>({
      pull: (stream) => stream.enqueue(new Uint8Array(1000)),
      cancel: (why) => void (reasonSeen = why),
    });
    const put = artifacts.put("a/file", endless, {
      signal: controller.signal,
      onProgress: ({ bytes }) => bytes > 50_000 && controller.abort(reason),
    });
    assertStrictEquals(await assertRejects(() => put), reason);
    assertStrictEquals(reasonSeen, reason);
    assertEquals(await namesIn(join(folder, "a")), ["file"]);
    assertEquals(await Deno.readTextFile(join(folder, "a", "file")), "first");
  }));

Deno.test("list() and listAll() show nothing that is not complete yet", () =>
  withFolder(async (folder) => {
    const artifacts = openLocalArtifacts(folder);
    const { promise: isWaiting, resolve: waits } = Promise.withResolvers<void>();
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const content = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(encoder.encode("half"));
        await mayEnd;
        controller.close();
      },
    });
    const put = artifacts.put("file", content, { onProgress: () => waits() });
    await isWaiting;
    assertEquals((await namesIn(folder)).length, 1);
    assertEquals(await artifacts.list(), []);
    assertEquals(await artifacts.listAll(), []);
    await assertCode(() => artifacts.get("file"), "RESOURCE_DOES_NOT_EXIST");
    end();
    await put;
    assertEquals(await artifacts.list(), [{ path: "file", isDirectory: false, fileSize: 4 }]);
    assertEquals(await namesIn(folder), ["file"]);
  }));

Deno.test("put() refuses a file where a folder is, and a folder where a file is", () =>
  withFolder(async (folder) => {
    const artifacts = openLocalArtifacts(folder);
    await artifacts.put("a/b", new Uint8Array(1));
    await assertCode(() => artifacts.put("a", new Uint8Array(1)), "INVALID_PARAMETER_VALUE");
    await assertCode(() => artifacts.put("a/b/c", new Uint8Array(1)), "INVALID_PARAMETER_VALUE");
    assertEquals((await artifacts.listAll()).map(({ path }) => path), ["a/b"]);
    assertEquals(await namesIn(folder), ["a"]);
  }));

Deno.test("get() tells files that are missing from folders, and stops at an abort", () =>
  withFolder(async (folder) => {
    const artifacts = openLocalArtifacts(folder);
    await artifacts.put("a/b", new Uint8Array(300_000));
    await assertCode(() => artifacts.get("none"), "RESOURCE_DOES_NOT_EXIST");
    await assertCode(() => artifacts.get("a/b/c"), "RESOURCE_DOES_NOT_EXIST");
    await assertCode(() => artifacts.get("a"), "RESOURCE_DOES_NOT_EXIST");
    const controller = new AbortController();
    const reason = new Error("enough");
    const reader = (await artifacts.get("a/b", { signal: controller.signal })).getReader();
    assert(!(await reader.read()).done);
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => reader.read()), reason);
    // One that is not read to its end closes its file, too: the sanitizer sees to it.
    await (await artifacts.get("a/b")).cancel();
  }));

Deno.test("upload() and download() bring files and folders, and tell how far they have come", () =>
  withFolder(async (folder) => {
    const source = join(folder, "source");
    await Deno.mkdir(join(source, "sub"), { recursive: true });
    await Deno.writeFile(join(source, "big"), new Uint8Array(200_000).fill(7));
    await Deno.writeTextFile(join(source, "sub", "small"), "small");
    const artifacts = openLocalArtifacts(join(folder, "store"));
    const seen = new Map<string, [number, number | undefined]>();
    await artifacts.upload(source, "in", { onProgress: ({ path, bytes, total }) => seen.set(path, [bytes, total]) });
    assertEquals([...seen], [["in/big", [200_000, 200_000]], ["in/sub/small", [5, 5]]]);
    await artifacts.upload(join(source, "sub"), "");
    await artifacts.upload(join(source, "big"), "one");
    assertEquals((await artifacts.listAll()).map(({ path }) => path), ["in/big", "in/sub/small", "one", "small"]);
    await assertCode(() => artifacts.upload(join(source, "big"), ""), "INVALID_PARAMETER_VALUE");
    await assertCode(() => artifacts.upload(join(source, "none"), "x"), "RESOURCE_DOES_NOT_EXIST");

    await artifacts.download("in", join(folder, "target", "in"));
    assertEquals(await Deno.readTextFile(join(folder, "target", "in", "sub", "small")), "small");
    assertEquals((await Deno.stat(join(folder, "target", "in", "big"))).size, 200_000);
    await artifacts.download("small", join(folder, "target", "renamed"));
    assertEquals(await namesIn(join(folder, "target")), ["in", "renamed"]);
    await artifacts.download("", join(folder, "all"));
    assertEquals(await namesIn(join(folder, "all")), ["in", "one", "small"]);
    await assertCode(() => artifacts.download("none", join(folder, "none")), "RESOURCE_DOES_NOT_EXIST");
    const controller = new AbortController();
    const reason = new Error("enough");
    const options = { signal: controller.signal, onProgress: () => controller.abort(reason) };
    const stopped = join(folder, "stopped");
    assertStrictEquals(await assertRejects(() => artifacts.download("one", join(stopped, "one"), options)), reason);
    assertEquals(await namesIn(stopped), []);
  }));

Deno.test("upload() stores nothing of a folder with a name that cannot be stored", () =>
  withFolder(async (folder) => {
    const source = join(folder, "source");
    await Deno.mkdir(source);
    await Deno.writeTextFile(join(source, "a"), "a");
    await Deno.writeTextFile(join(source, "b#c"), "b");
    const artifacts = openLocalArtifacts(join(folder, "store"));
    const error = await assertCode(() => artifacts.upload(source, "x"), "INVALID_PARAMETER_VALUE");
    assert(error.message.includes('"x/b#c"'), error.message);
    assertEquals(await artifacts.listAll(), []);
  }));
