import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { OllamaClient } from "../../../adapters/ollama/client.ts";
import type { OllamaChatRequest } from "../../../adapters/ollama/wire.ts";
import { ChatModelError, ModelNotFoundError, UpstreamError } from "../../../types/mod.ts";
import { json, startFakeUpstream } from "../../support/fake_upstream.ts";
import {
  readRecording,
  recordedBody,
  type Recording,
  recordingNames,
  type ReplayOptions,
  startReplay,
  type Version,
  VERSIONS,
} from "../../support/replay.ts";

const REQUEST: OllamaChatRequest = { model: "plain", messages: [{ role: "user", content: "<|hello|>" }] };

/** What a call came to. */
type Outcome = { readonly values: unknown[]; readonly error?: ChatModelError };

async function collect<T>(items: AsyncIterable<T> | Promise<AsyncIterable<T>>): Promise<Outcome> {
  const values: unknown[] = [];
  try {
    for await (const item of await items) values.push(item);
  } catch (error) {
    assert(ChatModelError.isInstance(error), `not one of our errors: ${error}`);
    return { values, error };
  }
  return { values };
}

async function settle<T>(promise: Promise<T>): Promise<Outcome> {
  return await collect((async function* () {
    yield await promise;
  })());
}

/** The request to send for a recorded one; whatever is sent, the recorded answer comes. */
function requestOf(recording: Recording): OllamaChatRequest {
  const { body } = recording.request;
  if (typeof body !== "object" || body === null || Array.isArray(body)) return REQUEST;
  return { ...REQUEST, ...body };
}

function isStream(recording: Recording): boolean {
  return recording.response.chunks !== undefined;
}

/** Sends a recorded chat anew to a replay of its answer. */
async function replayChat(recording: Recording, options?: ReplayOptions): Promise<Outcome> {
  await using replay = startReplay([recording], options);
  const client = new OllamaClient({ host: replay.url, retries: 0 });
  const outcome = isStream(recording)
    ? await collect(client.chatStream(requestOf(recording)))
    : await settle(client.chat(requestOf(recording)));
  assertEquals(replay.requests.length, 1);
  return { ...outcome, values: outcome.values.flat() };
}

function lines(recording: Recording): unknown[] {
  return recordedBody(recording).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

function chatRecordings(version: Version): Recording[] {
  return recordingNames(version).map((name) => readRecording(name, version))
    .filter(({ request, response }) => request?.path === "/api/chat" && typeof response?.status === "number");
}

/** Recorded answers with status 200 that are no whole answers all the same. */
const BROKEN: Record<string, string> = {
  repeat_guard: "upstream_incomplete",
  repeat_guard_stream: "upstream_incomplete",
  runner_killed_midstream: "upstream_error",
  server_killed_midstream: "upstream_lost",
  server_sigterm_midstream: "upstream_lost",
  disconnect_midstream: "upstream_lost",
  native_repeat_guard: "upstream_incomplete",
  native_repeat_guard_stream: "upstream_incomplete",
};

function isBroken({ scenario, response }: Recording): boolean {
  // With the newer server the native models have no repeat guard.
  return scenario in BROKEN && !JSON.stringify(response).includes("done_reason");
}

for (const version of VERSIONS) {
  Deno.test(`OllamaClient chats as recorded with ${version}`, async (t) => {
    for (const recording of chatRecordings(version)) {
      const { scenario, response } = recording;
      if (response.status !== 200 || isBroken(recording)) continue;
      await t.step(scenario, async () => {
        const expected = lines(recording);
        const last = expected.at(-1);
        assert(typeof last === "object" && last !== null);
        if ("_debug_info" in last) Object.assign(last, { done: true });
        const outcome = await replayChat(recording);
        assertEquals(outcome, { values: expected });
        assertEquals(await replayChat(recording, { cutEvery: 7 }), outcome);
      });
    }
  });

  Deno.test(`OllamaClient reports answers of ${version} that break off, after the records before`, async (t) => {
    const broken = chatRecordings(version).filter(isBroken);
    assert(broken.length >= 6, "recordings are missing");
    for (const recording of broken) {
      await t.step(recording.scenario, async () => {
        const code = BROKEN[recording.scenario];
        const { values, error } = await replayChat(recording);
        assertEquals(error?.code, code);
        assertEquals(error?.status, 502);
        if (isStream(recording)) {
          const whole = lines(recording).filter((line) => !JSON.stringify(line).startsWith('{"error"'));
          assert(whole.length > 0);
          // A broken connection may swallow what came just before it broke.
          assertEquals(values, whole.slice(0, code === "upstream_lost" ? values.length : undefined));
        } else {
          assertEquals(values, []);
        }
      });
    }
  });

  Deno.test(`OllamaClient makes typed errors of all of ${version}'s refusals`, async (t) => {
    for (const recording of chatRecordings(version)) {
      const { scenario, response } = recording;
      if (response.status < 400) continue;
      await t.step(scenario, async () => {
        await using replay = startReplay([recording]);
        const client = new OllamaClient({ host: replay.url, retries: 0 });
        const request = requestOf(recording);
        const streamed = await collect(client.chatStream(request));
        const { error } = await settle(client.chat(request));
        assert(error !== undefined);
        assertEquals(streamed.error?.message, error.message);
        assertEquals(streamed.values, []);
        const { status, code } = expectedError(recording);
        assertEquals([error.status, error.code], [status, code], error.message);
        assertEquals(error.message.startsWith("Cannot "), true, error.message);
      });
    }
  });

  Deno.test(`OllamaClient reads version, models and loaded models of ${version}`, async () => {
    const names = ["version", "tags", "ps_loaded"] as const;
    await using replay = startReplay(names.map((name) => readRecording(name, version)));
    const client = new OllamaClient({ host: replay.url });
    const [, tags, ps] = names.map((name) => JSON.parse(recordedBody(readRecording(name, version))));
    assertEquals(await client.version(), version === "head" ? "0.33.0-rc2" : "0.24.0");
    assertEquals(await client.list(), tags.models);
    assertEquals(await client.ps(), ps.models);
    assertEquals(replay.requests.map(({ method, path }) => `${method} ${path}`), [
      "GET /api/version",
      "GET /api/tags",
      "GET /api/ps",
    ]);
  });

  Deno.test(`OllamaClient shows every model of ${version}`, async (t) => {
    for (const name of recordingNames(version).filter((name) => name.startsWith("show_"))) {
      const recording = readRecording(name, version);
      await t.step(name, async () => {
        await using replay = startReplay([recording]);
        const client = new OllamaClient({ host: replay.url });
        const { values, error } = await settle(client.show("plain"));
        assertEquals(replay.requests[0]?.body, { model: "plain" });
        if (recording.response.status === 200) assertEquals(values, lines(recording));
        else assertEquals(error?.status, recording.response.status);
        assertEquals(error instanceof ModelNotFoundError, recording.response.status === 404);
      });
    }
  });

  Deno.test(`OllamaClient embeds as recorded with ${version}`, async (t) => {
    for (const name of recordingNames(version)) {
      const recording = readRecording(name, version);
      if (recording.request?.path !== "/api/embed") continue;
      await t.step(name, async () => {
        await using replay = startReplay([recording]);
        const client = new OllamaClient({ host: replay.url });
        const request = { model: "embed", input: ["a", "b"], dimensions: 8 };
        const { values, error } = await settle(client.embed(request));
        assertEquals(replay.requests[0]?.body, request);
        const { status } = recording.response;
        if (status === 200) assertEquals(values, lines(recording));
        else if (status === 404) assert(error instanceof ModelNotFoundError);
        else assertEquals(error?.status, status === 500 ? 502 : 400, error?.message);
      });
    }
  });

  Deno.test(`OllamaClient pulls as recorded with ${version}`, async (t) => {
    for (const name of recordingNames(version).filter((name) => name.startsWith("pull_"))) {
      const recording = readRecording(name, version);
      await t.step(name, async () => {
        for (const options of [{}, { cutEvery: 11 }]) {
          await using replay = startReplay([recording], options);
          const client = new OllamaClient({ host: replay.url });
          const { values, error } = await collect(client.pull("some/model", { insecure: true }));
          assertEquals(replay.requests[0]?.body, { model: "some/model", stream: true, insecure: true });
          const events = lines(recording).filter((line) => !JSON.stringify(line).startsWith('{"error"'));
          assertEquals(values, events);
          const isGood = JSON.stringify(events.at(-1)) === '{"status":"success"}';
          assertEquals(error === undefined, isGood);
          if (error === undefined) continue;
          assertStringIncludes(error.message, 'Cannot pull model "some/model"');
          assertEquals(error.status, recording.response.status === 400 ? 400 : 502);
        }
      });
    }
  });
}

/** Status and code that a recorded refusal should come to. */
function expectedError({ scenario, response }: Recording): { status: number; code: string } {
  const text = recordedBody({ scenario, response, request: { method: "", path: "" } });
  if (response.status === 404) return { status: 404, code: "model_not_found" };
  if (response.status === 503) return { status: 503, code: "overloaded" };
  if (response.status === 403) return { status: 502, code: "upstream_forbidden" };
  if (response.status === 405) return { status: 502, code: "upstream_error" };
  if (/context (length|size)/.test(text)) return { status: 400, code: "context_length_exceeded" };
  if (/does not support|is not supported/.test(text)) return { status: 400, code: "unsupported_feature" };
  if (response.status === 400) return { status: 400, code: "upstream_rejected" };
  if (/^(options|format)_/.test(scenario)) return { status: 400, code: "upstream_rejected" };
  return { status: 502, code: "upstream_error" };
}

Deno.test("OllamaClient says how to get a model that is missing", async () => {
  await using replay = startReplay([readRecording("model_not_found", "head")]);
  const client = new OllamaClient({ host: replay.url });
  const error = await assertRejects(() => client.chat({ ...REQUEST, model: "nope:7b" }), ModelNotFoundError);
  assertEquals(
    error.message,
    `Cannot find model "nope:7b": Ollama at "${replay.url}" does not have it. Get it with 'ollama pull nope:7b'`,
  );
  assertEquals(error.param, "model");
});

Deno.test("OllamaClient hides the server's paths and keeps them in the cause", async () => {
  const secrets = [
    "/usr/share/ollama/.ollama/models/blobs/sha256-abc",
    "C:\\Users\\My Name\\.ollama\\models\\blobs\\sha256-abc",
    "/Users/My Name/.ollama/models/blobs/sha256-abc",
  ];
  for (const secret of secrets) {
    await using upstream = await startFakeUpstream([
      json({ error: `unable to load model: ${secret}` }, { status: 500 }),
    ]);
    const client = new OllamaClient({ host: upstream.url });
    const error = await assertRejects(() => client.chat(REQUEST), UpstreamError, "unable to load model: <path>");
    assert(!error.message.includes("ollama/") && !error.message.includes("Name") && !error.message.includes("sha256"));
    assert(error.cause instanceof Error);
    assertStringIncludes(error.cause.message, secret);
  }
  const harmless = "pull https://example.com/v2/ns/model failed for registry.example/library/plain:latest and/or 1/2";
  await using upstream = await startFakeUpstream([json({ error: harmless }, { status: 500 })]);
  await assertRejects(() => new OllamaClient({ host: upstream.url }).chat(REQUEST), UpstreamError, harmless);
});

Deno.test("OllamaClient.chat() sends the request as it is, but for stream", async () => {
  await using replay = startReplay([readRecording("chat_nonstream", "head")]);
  const client = new OllamaClient({ host: replay.url });
  const request: OllamaChatRequest = {
    ...REQUEST,
    stream: true,
    options: { top_k: 3 },
    think: false,
    keep_alive: "1m",
  };
  await client.chat(request);
  assertEquals(replay.requests[0]?.body, { ...request, stream: false });
  assertEquals(replay.requests[0]?.headers.get("content-type"), "application/json");
});

Deno.test("OllamaClient sends keys and headers where they belong", async () => {
  await using replay = startReplay([readRecording("version", "head")]);
  const bare = replay.url.replace("http://", "");
  const seen = async (options: ConstructorParameters<typeof OllamaClient>[0]) => {
    await new OllamaClient(options).version();
    const headers = replay.requests.at(-1)?.headers;
    return [headers?.get("authorization"), headers?.get("x-own")];
  };
  assertEquals(await seen({ host: replay.url }), [null, null]);
  assertEquals(await seen({ host: replay.url, apiKey: "k" }), ["Bearer k", null]);
  assertEquals(await seen({ host: `http://me:pw@${bare}` }), [`Basic ${btoa("me:pw")}`, null]);
  assertEquals(await seen({ host: bare, apiKey: "k", headers: { "X-Own": "1" } }), ["Bearer k", "1"]);
  assertEquals(await seen({ host: bare, apiKey: "k", headers: { Authorization: "own" } }), ["own", null]);
});

Deno.test("OllamaClient gives the key of the environment to ollama.com only", async () => {
  const keys: (string | null)[] = [];
  const fake: typeof fetch = (_input, init) => {
    keys.push(new Headers(init?.headers).get("authorization"));
    return Promise.resolve(Response.json({ version: "1" }));
  };
  const before = Deno.env.get("OLLAMA_API_KEY");
  Deno.env.set("OLLAMA_API_KEY", "secret");
  try {
    for (const host of ["ollama.com", "http://ollama.com", "https://ollama.com.example.com", "127.0.0.1"]) {
      await new OllamaClient({ host, fetch: fake }).version();
    }
  } finally {
    if (before === undefined) Deno.env.delete("OLLAMA_API_KEY");
    else Deno.env.set("OLLAMA_API_KEY", before);
  }
  assertEquals(keys, ["Bearer secret", null, null, null]);
});

Deno.test("OllamaClient reads OLLAMA_HOST at first use, and tells what was wrong with it", () => {
  const before = Deno.env.get("OLLAMA_HOST");
  try {
    const client = new OllamaClient();
    Deno.env.set("OLLAMA_HOST", "http://example.com:x/ollama");
    assertEquals(client.url, "http://example.com/ollama");
    assertStringIncludes(client.warning ?? "", 'Port "x"');
    Deno.env.delete("OLLAMA_HOST");
    assertEquals(client.url, "http://example.com/ollama");
    assertEquals(new OllamaClient().url, "http://127.0.0.1:11434");
    assertEquals(new OllamaClient().warning, undefined);
  } finally {
    if (before === undefined) Deno.env.delete("OLLAMA_HOST");
    else Deno.env.set("OLLAMA_HOST", before);
  }
});

Deno.test("OllamaClient works without permission for the environment, and names the one for the net", async () => {
  const script = `
    import { OllamaClient } from ${JSON.stringify(import.meta.resolve("../../../adapters/ollama/client.ts"))};
    const client = new OllamaClient();
    console.log(client.url);
    await client.version().catch((error) => console.log(error.code, error.message));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--ext=ts", "-"],
    env: { OLLAMA_HOST: "example.com" },
    cwd: new URL("../../..", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await new Blob([script]).stream().pipeTo(child.stdin);
  const { stdout, stderr } = await child.output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  assertEquals(lines, [
    "http://127.0.0.1:11434",
    `permission_denied Cannot reach Ollama at "http://127.0.0.1:11434": no permission. ` +
    "Run with --allow-net=127.0.0.1:11434",
  ], new TextDecoder().decode(stderr));
});

Deno.test("OllamaClient calls the given fetch with the given client", async () => {
  await using replay = startReplay([readRecording("version", "v0.24")]);
  using http = Deno.createHttpClient({});
  const calls: unknown[] = [];
  const own: typeof fetch = (input, init?: RequestInit & { client?: Deno.HttpClient }) => {
    calls.push(init?.client);
    return fetch(input, init);
  };
  assertEquals(await new OllamaClient({ host: replay.url, fetch: own, client: http }).version(), "0.24.0");
  assertEquals(calls.length, 1);
  assertStrictEquals(calls[0], http);
});
