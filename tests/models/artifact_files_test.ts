import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { collectArtifacts } from "../../models/_artifact_files.ts";
import { ChatModelError, UpstreamError } from "../../mod.ts";
import { makeFolder } from "./_folder.ts";

/** For tests in which no store is asked. */
function resolveNothing(uri: string): Promise<void> {
  return Promise.reject(new Error(`Asked for ${uri}`));
}

Deno.test("collectArtifacts() copies files and folders under their own names", async () => {
  await using source = await makeFolder({
    "prompt.txt": "Be kind",
    "data/one/a.json": "{}",
    "data/b.bin": new Uint8Array([0, 255]),
  });
  await Deno.symlink(join(source.path, "prompt.txt"), join(source.path, "data/link.txt"));
  await using folder = await makeFolder({});
  const prompt = join(source.path, "prompt.txt");
  const data = toFileUrl(join(source.path, "data")).href;
  const entries = await collectArtifacts({ prompt, again: prompt, data }, folder.path, { resolve: resolveNothing });

  assertEquals(entries, {
    prompt: { path: "artifacts/prompt.txt", uri: prompt },
    again: { path: "artifacts/prompt.txt", uri: prompt },
    data: { path: "artifacts/data", uri: data },
  });
  assertEquals(await folder.read("artifacts/prompt.txt"), "Be kind");
  assertEquals(await folder.read("artifacts/data/one/a.json"), "{}");
  assertEquals((await Deno.lstat(join(folder.path, "artifacts/data/link.txt"))).isFile, true);
});

Deno.test("collectArtifacts() gives numbered folders to those of one name, as MLflow does", async () => {
  await using source = await makeFolder({ "a/p.txt": "a", "b/P.txt": "b", "c/p.txt": "c", "0": "zero" });
  await using folder = await makeFolder({});
  const artifacts = {
    a: join(source.path, "a/p.txt"),
    zero: join(source.path, "0"),
    b: join(source.path, "b/P.txt"),
    c: join(source.path, "c/p.txt"),
  };
  const entries = await collectArtifacts(artifacts, folder.path, { resolve: resolveNothing });
  assertEquals(Object.entries(entries).map(([key, { path }]) => `${key} ${path}`), [
    "a artifacts/1/p.txt",
    "zero artifacts/0",
    "b artifacts/2/P.txt",
    "c artifacts/3/p.txt",
  ]);
  for (const [path, text] of [["1/p.txt", "a"], ["0", "zero"], ["2/P.txt", "b"], ["3/p.txt", "c"]]) {
    assertEquals(await folder.read(`artifacts/${path}`), text);
  }
});

Deno.test("collectArtifacts() asks the caller for the URIs of stores", async () => {
  await using folder = await makeFolder({});
  const asked: string[] = [];
  const entries = await collectArtifacts(
    {
      run: "runs:/0123/data/prompt%20one.txt",
      model: "models:/assistant/3",
      alias: "models:/assistant@champion/notes.md",
      whole: "models:/m-0123",
      proxy: "mlflow-artifacts:/0/x/artifacts/vocab",
    },
    folder.path,
    {
      async resolve(uri, destination) {
        asked.push(uri);
        await Deno.writeTextFile(destination, uri);
      },
    },
  );
  assertEquals(Object.values(entries).map(({ path }) => path), [
    "artifacts/prompt one.txt",
    "artifacts/model",
    "artifacts/notes.md",
    "artifacts/whole",
    "artifacts/vocab",
  ]);
  assertEquals(asked, Object.values(entries).map(({ uri }) => uri));
  assertEquals(await folder.read("artifacts/model"), "models:/assistant/3");
});

Deno.test("collectArtifacts() fetches addresses, writes no secret down, and tells a failure", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    return pathname === "/vocab.bin" ? new Response(bytes) : new Response("No", { status: 404 });
  });
  const host = `127.0.0.1:${server.addr.port}`;
  await using folder = await makeFolder({});
  const entries = await collectArtifacts(
    { plain: `http://${host}/vocab.bin?v=1`, signed: `http://me:pass@${host}/vocab.bin?X-Signature=abc` },
    folder.path,
    { resolve: resolveNothing },
  );
  assertEquals(entries.plain, { path: "artifacts/0/vocab.bin", uri: `http://${host}/vocab.bin?v=1` });
  assertEquals(entries.signed, { path: "artifacts/1/vocab.bin", uri: `http://${host}/vocab.bin` });
  assertEquals(await Deno.readFile(join(folder.path, "artifacts/0/vocab.bin")), bytes);

  const error = await assertRejects(
    () => collectArtifacts({ gone: `http://${host}/gone?token=abc` }, folder.path, { resolve: resolveNothing }),
    ChatModelError,
  );
  assertInstanceOf(error, UpstreamError);
  assertEquals(
    error.message,
    `Cannot fetch artifact "gone" from "http://${host}/gone": the server answered 404. Check the address`,
  );
});

Deno.test("collectArtifacts() stops a download with the signal's reason", async () => {
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    return new Response(new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(10)), cancel: leave }));
  });
  await using folder = await makeFolder({});
  const controller = new AbortController();
  const path = join(folder.path, "artifacts/endless");
  const result = collectArtifacts({ a: `http://127.0.0.1:${server.addr.port}/endless` }, folder.path, {
    resolve: resolveNothing,
    signal: controller.signal,
  }).then(() => "done", (error) => error);
  while (!await Deno.stat(path).then(({ size }) => size === 10, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const reason = new Error("Enough");
  controller.abort(reason);
  assertEquals(await result, reason);
  await left;
});

Deno.test("collectArtifacts() names the key and the path when there is no such file, and refuses endless links", async () => {
  await using source = await makeFolder({ "data/a.txt": "a" });
  await Deno.symlink(join(source.path, "data"), join(source.path, "data/again"));
  await using folder = await makeFolder({});
  const failure = (path: string) =>
    assertRejects(
      () => collectArtifacts({ mine: join(source.path, path) }, folder.path, { resolve: resolveNothing }),
      ChatModelError,
    );
  const missing = await failure("nowhere");
  assertEquals(missing.code, "invalid_model_path");
  assertStringIncludes(
    missing.message,
    `Cannot copy artifact "mine" from "${join(source.path, "nowhere")}": there is no`,
  );
  assertStringIncludes((await failure("data")).message, "it is a link to a folder that it lies in");
});
