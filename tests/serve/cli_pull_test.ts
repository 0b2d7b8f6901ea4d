import { assert, assertEquals, assertMatch } from "@std/assert";
import { readRecording, startReplay, VERSIONS } from "../support/replay.ts";
import { run, start } from "./_command.ts";

const ARGS = ["--port=0", "--model=ollama:nope"];

for (const version of VERSIONS) {
  Deno.test(`serve.ts --pull has Ollama download a model that it lacks, and shows how far it is (${version})`, async () => {
    await using ollama = startReplay(
      ["show_missing", "pull_stream_download"].map((name) => readRecording(name, version)),
    );
    await using running = start([...ARGS, "--pull"], { ollama: ollama.url });
    await running.url();
    assertMatch(running.stderr, /^pulling manifest$/m);
    assertMatch(running.stderr, /^pulling \w+: \d+ % of \d+\.\d MB$/m);
    assertMatch(running.stderr, /: 100 % of /);
    assertMatch(running.stderr, /^success$/m);
    assertEquals(ollama.requests.map(({ path }) => path), ["/api/show", "/api/pull"]);
    assertEquals(ollama.requests[1]?.body, { model: "nope", stream: true });
  });

  Deno.test(`serve.ts without --pull says what is missing, and goes on (${version})`, async () => {
    await using ollama = startReplay([readRecording("show_missing", version)]);
    await using running = start(ARGS, { ollama: ollama.url });
    await running.url();
    assertMatch(running.stderr, /^warning: .*ollama pull nope/m);
    assertEquals(ollama.requests.map(({ path }) => path), ["/api/show"]);
  });

  Deno.test(`serve.ts --pull of a model that there is not fails: exit code 1 (${version})`, async () => {
    const recordings = ["show_missing", "pull_manifest_404_stream"].map((name) => readRecording(name, version));
    await using ollama = startReplay(recordings);
    const { code, stderr } = await run([...ARGS, "--pull"], { ollama: ollama.url });
    assertEquals(code, 1);
    assert(/^error: Cannot load model "ollama:nope": /m.test(stderr), stderr);
    assert(!/\s{4}at /.test(stderr), stderr);
  });
}

Deno.test("serve.ts with a model of Ollama and an OLLAMA_HOST that can never work fails: exit code 1", async () => {
  const { code, stderr } = await run(ARGS, { ollama: "ht!tp://x:y:z" });
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot read Ollama's address: /);
});
