import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import type { ArtifactRepository, FileInfo, OnProgress } from "@chatmodel/chat-model/tracking";
import { assertRefused, type Fixture, type Suite, testStore } from "./support.ts";

/** Paths that lead out of the root, or that some system would read otherwise. */
const BAD_PATHS: readonly string[] = [
  "../b",
  "a/../../b",
  "/etc/passwd",
  "a\\b",
  "a\u0000b",
  "a\nb",
  "%2e%2e/b",
  "a//b",
  "./a",
];

/** Files of runs and of logged models. */
export function artifactTests(suite: Suite): void {
  testStore(suite, "artifacts() puts, lists and gets files of a run", async (fixture) => {
    const artifacts = await artifactsOf(fixture);
    assertEquals(await artifacts.list(), []);
    await artifacts.put("b.txt", bytes("text"));
    await artifacts.put("folder/deep/a.txt", bytes("é"));
    await artifacts.put("folder/empty.txt", bytes(""));
    assertEquals(await listed(artifacts), ["b.txt 4", "folder/"]);
    assertEquals(await listed(artifacts, "folder"), ["folder/deep/", "folder/empty.txt 0"]);
    assertEquals((await artifacts.listAll()).map(({ path }) => path), [
      "b.txt",
      "folder/deep/a.txt",
      "folder/empty.txt",
    ]);
    assertEquals((await artifacts.listAll("folder")).map(({ path }) => path), [
      "folder/deep/a.txt",
      "folder/empty.txt",
    ]);
    assertEquals(await artifacts.list("none"), []);
    assertEquals(await read(artifacts, "b.txt"), "text");
    assertEquals(await read(artifacts, "folder/deep/a.txt"), "é");
    assertEquals(await read(artifacts, "folder/empty.txt"), "");
  });

  testStore(suite, "artifacts() keeps files of a logged model", async (fixture) => {
    const { store, experimentId } = fixture;
    const { artifactLocation } = await store.createLoggedModel({ experimentId });
    await store.artifacts(artifactLocation).put("MLmodel", bytes("flavors: {}\n"));
    assertEquals(await read(store.artifacts(artifactLocation), "MLmodel"), "flavors: {}\n");
  });

  testStore(suite, "artifacts() refuses storage that it cannot speak to", async ({ store }) => {
    await assertRefused(() => Promise.try(() => store.artifacts("s3://bucket/run").list()), "INVALID_PARAMETER_VALUE");
  });

  testStore(suite, "put() replaces a file", async (fixture) => {
    const artifacts = await artifactsOf(fixture);
    await artifacts.put("a.txt", bytes("a longer text"));
    await artifacts.put("a.txt", bytes("short"));
    assertEquals(await read(artifacts, "a.txt"), "short");
    assertEquals(await listed(artifacts), ["a.txt 5"]);
  });

  testStore(suite, "put() and get() keep every byte of a stream", async (fixture) => {
    const artifacts = await artifactsOf(fixture);
    const content = new Uint8Array(1_500_000).map((_, index) => (index * 31 + (index >> 8)) & 255);
    await artifacts.put("a.bin", ReadableStream.from([content.subarray(0, 7), content.subarray(7)]));
    const found = new Uint8Array(await new Response(await artifacts.get("a.bin")).arrayBuffer());
    assertEquals(found.length, content.length);
    assert(found.every((byte, index) => byte === content[index]));
  });

  testStore(suite, "put() leaves nothing when its stream fails", async (fixture) => {
    const artifacts = await artifactsOf(fixture);
    const failure = new Error("The disk is on fire");
    const content = ReadableStream.from((async function* () {
      yield bytes("begun");
      await Promise.resolve();
      throw failure;
    })());
    await assertRejects(() => artifacts.put("a.txt", content));
    assertEquals(await artifacts.list(), []);
  });

  testStore(suite, "put() leaves nothing when it is given up half way", async (fixture) => {
    const artifacts = await artifactsOf(fixture);
    const reason = new Error("No longer wanted");
    const controller = new AbortController();
    const content = new ReadableStream<Uint8Array>({
      start: (stream) => stream.enqueue(bytes("begun")),
      pull: () => controller.abort(reason),
    }, { highWaterMark: 0 });
    assertEquals(await rejection(artifacts.put("a.txt", content, { signal: controller.signal })), reason);
    assertEquals(await artifacts.list(), []);
  });

  testStore(suite, "put(), upload(), get() and download() tell how far they have come", async (fixture) => {
    const artifacts = await artifactsOf(fixture);
    await using folder = await temporaryFolder();
    const file = join(folder.path, "a.bin");
    await Deno.writeFile(file, new Uint8Array(300_000));
    const told = new Map<string, number>();
    const onProgress: OnProgress = ({ path, bytes, total }) => {
      assert(bytes >= (told.get(path) ?? 0));
      assert(total === undefined || bytes <= total);
      told.set(path, bytes);
    };
    const tellsAll = async (path: string, transfer: () => Promise<unknown>) => {
      told.clear();
      await transfer();
      assertEquals([...told], [[path, 300_000]]);
    };
    await tellsAll("put.bin", () => artifacts.put("put.bin", new Uint8Array(300_000), { onProgress }));
    await tellsAll("up/a.bin", () => artifacts.upload(file, "up/a.bin", { onProgress }));
    await tellsAll("put.bin", async () => {
      await new Response(await artifacts.get("put.bin", { onProgress })).arrayBuffer();
    });
    await tellsAll("up/a.bin", () => artifacts.download("up", join(folder.path, "down"), { onProgress }));
  });

  testStore(suite, "put() takes odd names as they are", async (fixture) => {
    const artifacts = await artifactsOf(fixture);
    const names = ["a b.txt", "é日.txt", "a+b&c=d.txt", "~'!().txt", ".hidden", "a,b;c@d$.txt"];
    for (const name of names) await artifacts.put(`odd/${name}`, bytes(name));
    for (const name of names) assertEquals(await read(artifacts, `odd/${name}`), name);
    assertEquals(
      (await artifacts.list("odd")).map(({ path }) => path).sort(),
      names.map((name) => `odd/${name}`).sort(),
    );
  });

  testStore(suite, "get() tells that there is no such file", async (fixture) => {
    const artifacts = await artifactsOf(fixture);
    await artifacts.put("folder/a.txt", bytes("a"));
    await assertRefused(() => artifacts.get("none.txt"), "RESOURCE_DOES_NOT_EXIST");
    await assertRefused(() => artifacts.get("folder/none.txt"), "RESOURCE_DOES_NOT_EXIST");
  });

  testStore(suite, "Paths that lead out of the artifacts are refused", async (fixture) => {
    const artifacts = await artifactsOf(fixture);
    for (const path of BAD_PATHS) {
      await assertRefused(() => artifacts.put(path, bytes("x")), "INVALID_PARAMETER_VALUE");
      await assertRefused(() => artifacts.get(path), "INVALID_PARAMETER_VALUE");
      await assertRefused(() => artifacts.list(path), "INVALID_PARAMETER_VALUE");
      await assertRefused(() => artifacts.download(path, "unused"), "INVALID_PARAMETER_VALUE");
    }
    await assertRefused(() => artifacts.put("", bytes("x")), "INVALID_PARAMETER_VALUE");
    assertEquals(await artifacts.list(), []);
  });

  testStore(suite, "upload() and download() bring folders there and back", async (fixture) => {
    const artifacts = await artifactsOf(fixture);
    await using folder = await temporaryFolder();
    const from = join(folder.path, "from");
    await Deno.mkdir(join(from, "deep"), { recursive: true });
    await Deno.writeTextFile(join(from, "a.txt"), "a");
    await Deno.writeTextFile(join(from, "deep", "b.txt"), "bb");
    await artifacts.upload(from, "sub/name");
    await artifacts.upload(from, "");
    await artifacts.upload(join(from, "a.txt"), "single/renamed.txt");
    assertEquals((await artifacts.listAll()).map(({ path }) => path), [
      "a.txt",
      "deep/b.txt",
      "single/renamed.txt",
      "sub/name/a.txt",
      "sub/name/deep/b.txt",
    ]);
    await artifacts.download("sub", join(folder.path, "to"));
    assertEquals(await Deno.readTextFile(join(folder.path, "to", "name", "deep", "b.txt")), "bb");
    await artifacts.download("deep/b.txt", join(folder.path, "new", "file.txt"));
    assertEquals(await Deno.readTextFile(join(folder.path, "new", "file.txt")), "bb");
    await artifacts.download("", join(folder.path, "all"));
    assertEquals(await Deno.readTextFile(join(folder.path, "all", "single", "renamed.txt")), "a");
  });

  testStore(suite, "download() tells that there is nothing, and leaves nothing", async (fixture) => {
    const artifacts = await artifactsOf(fixture);
    await using folder = await temporaryFolder();
    const target = join(folder.path, "target");
    await assertRefused(() => artifacts.download("none", target), "RESOURCE_DOES_NOT_EXIST");
    await assertRejects(() => Deno.stat(target), Deno.errors.NotFound);
  });

  testStore(suite, "put() and get() rethrow the reason of an abort", async (fixture) => {
    const artifacts = await artifactsOf(fixture);
    await artifacts.put("a.txt", bytes("a"));
    const reason = new Error("No longer wanted");
    const signal = AbortSignal.abort(reason);
    assertEquals(await rejection(artifacts.put("b.txt", bytes("b"), { signal })), reason);
    assertEquals(await rejection(artifacts.get("a.txt", { signal })), reason);
    assertEquals(await listed(artifacts), ["a.txt 1"]);
  });
}

async function artifactsOf({ store, run }: Fixture): Promise<ArtifactRepository> {
  return store.artifacts((await run()).info.artifactUri);
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function read(artifacts: ArtifactRepository, path: string): Promise<string> {
  return await new Response(await artifacts.get(path)).text();
}

async function listed(artifacts: ArtifactRepository, path?: string): Promise<readonly string[]> {
  return (await artifacts.list(path)).map(describe);
}

function describe({ path, isDirectory, fileSize }: FileInfo): string {
  return isDirectory ? `${path}/` : `${path} ${fileSize}`;
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(() => undefined, (error) => error);
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
