import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { TrackingError } from "../../tracking/mod.ts";
import { MlflowHttp } from "../../tracking/rest/mod.ts";
import { type Answer, garbage, htmlError, json, startFakeUpstream, text } from "../support/fake_upstream.ts";
import { answerOf, testEnvironment } from "./_mlflow.ts";

const CREATED = json({ experiment_id: "7" });

function http(url: string, variables: Record<string, string> = {}): MlflowHttp {
  return new MlflowHttp(url, { env: testEnvironment(variables) });
}

async function fails(action: () => Promise<unknown>, code: string): Promise<TrackingError> {
  const error = await assertRejects(action, TrackingError);
  assertEquals(error.errorCode, code, error.message);
  return error;
}

Deno.test("request() sends JSON and a query, below the path of the tracking URI", async () => {
  await using upstream = await startFakeUpstream([json({ a: [1] }), text("")]);
  using mlflow = http(`${upstream.url}/prefix//`);
  assertEquals(mlflow.uri, `${upstream.url}/prefix`);
  const query = { a: "x y&z", list: ["1", "2"], none: undefined, flag: true };
  assertEquals(await mlflow.request("GET", "runs/get", { query }), { a: [1] });
  assertEquals(await mlflow.request("POST", "/api/3.0/mlflow/traces", { body: { name: "é", gone: undefined } }), {});
  const [get, post] = upstream.requests;
  assertEquals(get?.path, "/prefix/api/2.0/mlflow/runs/get?a=x+y%26z&list=1&list=2&flag=true");
  assertEquals(post?.path, "/prefix/api/3.0/mlflow/traces");
  assertEquals(post?.body, '{"name":"é"}');
  assertEquals(post?.headers.get("content-type"), "application/json");
  for (const name of ["authorization", "x-mlflow-workspace"]) assertEquals(post?.headers.has(name), false, name);
});

Deno.test("MlflowHttp() refuses URIs that are no server's, and shows no password", () => {
  for (const uri of ["sqlite:///x.db", "mlruns", "postgresql://me:geheim@host/db", ""]) {
    const error = assertThrows(() => new MlflowHttp(uri), TrackingError);
    assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
    assert(!error.message.includes("geheim"), error.message);
  }
  using mlflow = new MlflowHttp("https://me:geheim@host:8080/x/?a=geheim#geheim");
  assertEquals(mlflow.uri, "https://host:8080/x");
});

const TRANSIENT: readonly [string, Answer][] = [
  ...[408, 429, 500, 502, 503, 504].map((status): [string, Answer] => [`status ${status}`, htmlError(status)]),
  ["MLflow's own 500", json({ error_code: "INTERNAL_ERROR", message: "x" }, { status: 500 })],
  ["a reset connection", ["reset"]],
  ["a closed connection", ["close"]],
  ["no HTTP", garbage()],
  ["Retry-After", text("", { status: 429, headers: { "retry-after": "0" } })],
];
for (const [name, answer] of TRANSIENT) {
  Deno.test(`request() tries again after ${name}`, async () => {
    await using upstream = await startFakeUpstream([answer, answer, CREATED]);
    using mlflow = http(upstream.url);
    assertEquals(await mlflow.request("GET", "x"), { experiment_id: "7" });
    assertEquals(upstream.requests.length, 3);
  });
}

Deno.test("request() gives up after as many tries as MLFLOW_HTTP_REQUEST_MAX_RETRIES says", async () => {
  await using upstream = await startFakeUpstream([htmlError(502)]);
  using mlflow = http(upstream.url, { MLFLOW_HTTP_REQUEST_MAX_RETRIES: "2" });
  const error = await fails(() => mlflow.request("GET", "x"), "TEMPORARILY_UNAVAILABLE");
  assertEquals([error.status, error.retryable, upstream.requests.length], [502, true, 3]);
  using wrong = http(upstream.url, { MLFLOW_HTTP_REQUEST_MAX_RETRIES: "10" });
  const refusal = await fails(() => wrong.request("GET", "x"), "INVALID_PARAMETER_VALUE");
  assert(refusal.message.includes("MLFLOW_HTTP_REQUEST_MAX_RETRIES"), refusal.message);
  assertEquals(upstream.requests.length, 3);
});

Deno.test("request() does not wait as long as a server wants where that is too long", async () => {
  await using upstream = await startFakeUpstream([text("", { status: 503, headers: { "retry-after": "86400" } })]);
  using mlflow = http(upstream.url);
  const error = await fails(() => mlflow.request("GET", "x"), "TEMPORARILY_UNAVAILABLE");
  assertEquals([error.retryAfter, upstream.requests.length], [86_400_000, 1]);
});

Deno.test("request() does not try again what will not get better", async () => {
  const answers = [
    json({ error_code: "INVALID_PARAMETER_VALUE", message: "no" }, { status: 400 }),
    answerOf("raw:workspace header"),
    htmlError(404),
  ];
  await using upstream = await startFakeUpstream(answers);
  using mlflow = http(upstream.url);
  for (const code of ["INVALID_PARAMETER_VALUE", "FEATURE_DISABLED", "ENDPOINT_NOT_FOUND"]) {
    await fails(() => mlflow.request("GET", "x"), code);
  }
  assertEquals(upstream.requests.length, 3);
});

Deno.test("request() does not double what is not idempotent, but tries again where it was not done", async () => {
  for (const answer of [["reset"], ["close"], htmlError(500), htmlError(502), htmlError(504)] as const) {
    await using upstream = await startFakeUpstream([answer, CREATED]);
    using mlflow = http(upstream.url);
    await assertRejects(() => mlflow.request("POST", "runs/create", { body: {} }), TrackingError);
    assertEquals(upstream.requests.length, 1);
  }
  // Nor by a connection that was kept from a request before.
  for (const answer of [["reset"], ["close"]] as const) {
    await using upstream = await startFakeUpstream([CREATED, answer, CREATED]);
    using mlflow = http(upstream.url);
    await mlflow.request("GET", "x");
    await assertRejects(() => mlflow.request("POST", "runs/create", { body: {} }), TrackingError);
    assertEquals(upstream.requests.length, 2);
  }
  for (const status of [429, 503]) {
    await using upstream = await startFakeUpstream([htmlError(status), CREATED]);
    using mlflow = http(upstream.url);
    assertEquals(await mlflow.request("POST", "runs/create", { body: {} }), { experiment_id: "7" });
    assertEquals(upstream.requests.length, 2);
  }
});

Deno.test("request() asks 'recover' what became of a lost answer, and only then", async () => {
  const taken = json({ error_code: "RESOURCE_ALREADY_EXISTS", message: "taken" }, {
    status: 400,
    headers: { date: "Thu, 01 Jan 2026 00:00:10 GMT" },
  });
  await using upstream = await startFakeUpstream([taken, ["reset"], taken, htmlError(503), taken]);
  using mlflow = http(upstream.url);
  const sent: number[] = [];
  const request = () =>
    mlflow.request("POST", "x", {
      body: {},
      idempotent: true,
      recover: (error, { firstSent }) => {
        assertEquals(error.errorCode, "RESOURCE_ALREADY_EXISTS");
        sent.push(firstSent);
        return Promise.resolve({ recovered: true });
      },
    });
  await fails(request, "RESOURCE_ALREADY_EXISTS");
  assertEquals(await request(), { recovered: true });
  // Told by the server's clock.
  const [at = 0] = sent;
  assert(at <= Date.UTC(2026, 0, 1, 0, 0, 10) && at > Date.UTC(2026, 0, 1, 0, 0, 0), String(at));
  await fails(request, "RESOURCE_ALREADY_EXISTS");
  assertEquals(sent.length, 1);
});

Deno.test("request() reads errors in all forms that MLflow has", async () => {
  const cases: readonly [Answer, string, number, RegExp][] = [
    [answerOf("run.get missing"), "RESOURCE_DOES_NOT_EXIST", 404, /Run with id=f+ not found$/],
    [answerOf("raw:otlp empty"), "BAD_REQUEST", 400, /answers: Invalid OpenTelemetry format - no spans found$/],
    [answerOf("raw:otlp pb no experiment header"), "BAD_REQUEST", 422, /x-mlflow-experiment-id.*Field required/],
    [answerOf("raw:gateway chat"), "RESOURCE_DOES_NOT_EXIST", 404, /answers: GatewayEndpoint not found/],
    [answerOf("raw:unknown api"), "ENDPOINT_NOT_FOUND", 404, /Not Found .*no MLflow tracking server.*too old/],
    [answerOf("raw:wrong method"), "ENDPOINT_NOT_FOUND", 405, /Method Not Allowed/],
    [answerOf("raw:Host evil"), "PERMISSION_DENIED", 403, /--allowed-hosts "127\.0\.0\.1:\d+".*ALLOWED_HOSTS/],
    [answerOf("raw:exp create JSON array"), "INTERNAL_ERROR", 500, /Internal Server Error/],
    [answerOf("raw:root UI"), "ENDPOINT_NOT_FOUND", 404, /other than JSON \(text\/html.*check MLFLOW_TRACKING_URI/],
    [json([1]), "ENDPOINT_NOT_FOUND", 404, /other than JSON/],
    [json({ error_code: "STRANGE", message: "x." }, { status: 418 }), "STRANGE", 418, /answers: x$/],
    [text("", { status: 409 }), "RESOURCE_CONFLICT", 409, /answers: status 409$/],
  ];
  for (const [answer, code, status, message] of cases) {
    await using upstream = await startFakeUpstream([answer]);
    using mlflow = new MlflowHttp(upstream.url, { env: testEnvironment(), maxRetries: 0 });
    const error = await fails(() => mlflow.request("GET", "x", { action: "do it" }), code);
    assertEquals(error.status, status, error.message);
    assertMatch(error.message, message);
    assert(error.message.startsWith("Cannot do it: "), error.message);
    assert(!error.message.endsWith("."), error.message);
  }
});

Deno.test("request() leaves out the statement that a database error quotes", async () => {
  await using upstream = await startFakeUpstream([answerOf("experiment.create duplicate")]);
  using mlflow = http(upstream.url);
  const error = await fails(() => mlflow.request("POST", "experiments/create"), "RESOURCE_ALREADY_EXISTS");
  assertMatch(error.message, /already exists/);
  assert(!/INSERT|parameters/.test(error.message), error.message);
});

Deno.test("request() says which variables to set where credentials are missing or wrong", async () => {
  const cases: readonly [Record<string, string>, RegExp][] = [
    [{}, /Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.*credentials.*--allow-env/],
    [{ MLFLOW_TRACKING_USERNAME: "", MLFLOW_TRACKING_PASSWORD: "" }, /Set MLFLOW_TRACKING_USERNAME and/],
    [{ MLFLOW_TRACKING_USERNAME: "me" }, /Set MLFLOW_TRACKING_PASSWORD, too$/],
    [{ MLFLOW_TRACKING_PASSWORD: "geheim" }, /Set MLFLOW_TRACKING_USERNAME, too$/],
    [{ MLFLOW_TRACKING_TOKEN: "geheim" }, /Check MLFLOW_TRACKING_TOKEN/],
    [{ MLFLOW_TRACKING_USERNAME: "me", MLFLOW_TRACKING_PASSWORD: "geheim" }, /Check MLFLOW_TRACKING_USERNAME and/],
    [{ MLFLOW_TRACKING_AUTH: "kubernetes" }, /MLFLOW_TRACKING_AUTH is set, but the plugins of Python/],
  ];
  const answers = [answerOf("basic_auth: no auth GET experiments/get")];
  await using upstream = await startFakeUpstream(answers);
  for (const [variables, hint] of cases) {
    using mlflow = http(upstream.url, variables);
    const error = await fails(() => mlflow.request("GET", "x"), "UNAUTHENTICATED");
    assertEquals(error.status, 401);
    assertMatch(error.message, hint);
    assert(!error.message.includes("geheim"), error.message);
  }
  await using other = await startFakeUpstream([answerOf("basic_auth: bob (no permission) delete experiment 0")]);
  using mlflow = http(other.url);
  assertMatch((await fails(() => mlflow.request("GET", "x"), "PERMISSION_DENIED")).message, /Permission denied/);
});

Deno.test("request() names the file and the URI where credentials from there are refused", async () => {
  await using upstream = await startFakeUpstream([answerOf("basic_auth: no auth GET experiments/get")]);
  const home = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(home, ".mlflow"));
    await Deno.writeTextFile(
      join(home, ".mlflow", "credentials"),
      "[mlflow]\nmlflow_tracking_username = me\nmlflow_tracking_password = geheim\n",
    );
    const uri = upstream.url.replace("//", "//me:geheim@");
    const cases: readonly [string, Record<string, string>][] = [
      [upstream.url, { HOME: home }],
      [upstream.url, { HOME: home, MLFLOW_TRACKING_USERNAME: "other" }],
      [uri, {}],
    ];
    for (const [url, variables] of cases) {
      using mlflow = http(url, variables);
      const { message } = await fails(() => mlflow.request("GET", "x"), "UNAUTHENTICATED");
      assertMatch(message, /Check the name and the password in ~\/.mlflow\/credentials, or in the tracking URI/);
      assert(!message.includes("geheim"), message);
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("request() hints that a server without workspaces wants MLFLOW_WORKSPACE unset", async () => {
  await using upstream = await startFakeUpstream([answerOf("raw:workspace header")]);
  using mlflow = http(upstream.url, { MLFLOW_WORKSPACE: "team" });
  const error = await fails(() => mlflow.request("GET", "x"), "FEATURE_DISABLED");
  assertMatch(error.message, /Unset MLFLOW_WORKSPACE/);
  assertEquals(upstream.requests[0]?.headers.get("x-mlflow-workspace"), "team");
  await assertRejects(() => mlflow.request("GET", "/api/3.0/mlflow/workspaces"));
  assertEquals(upstream.requests[1]?.headers.has("x-mlflow-workspace"), false);
});

Deno.test("request() takes credentials from URI, environment, file and token, in that order", async () => {
  const home = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(home, ".mlflow"));
    await Deno.writeTextFile(
      join(home, ".mlflow", "credentials"),
      "; mine\n[other]\nmlflow_tracking_username = no\n[mlflow]\nMLFLOW_tracking_username = filed\nmlflow_tracking_password: pass:wort%%=é\n",
    );
    await using upstream = await startFakeUpstream([CREATED]);
    const basic = (username: string, password: string) =>
      `Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`;
    const env = { MLFLOW_TRACKING_USERNAME: "env", MLFLOW_TRACKING_PASSWORD: "env pass" };
    const withUser = upstream.url.replace("//", "//u%20ri:p%40ss@");
    const cases: readonly [string, Record<string, string>, string | undefined][] = [
      [upstream.url, { HOME: join(home, "none") }, undefined],
      [upstream.url, { MLFLOW_TRACKING_TOKEN: "tok" }, "Bearer tok"],
      [upstream.url, { ...env, MLFLOW_TRACKING_TOKEN: "tok" }, basic("env", "env pass")],
      [upstream.url, { HOME: home, MLFLOW_TRACKING_TOKEN: "tok" }, basic("filed", "pass:wort%=é")],
      [upstream.url, { HOME: home, MLFLOW_TRACKING_USERNAME: "env" }, basic("env", "pass:wort%=é")],
      [upstream.url, { HOME: home, ...env }, basic("env", "env pass")],
      [withUser, { HOME: home, ...env }, basic("u ri", "p@ss")],
    ];
    for (const [url, variables, expected] of cases) {
      using mlflow = http(url, variables);
      await mlflow.request("GET", "x");
      assertEquals(upstream.requests.at(-1)?.headers.get("authorization") ?? undefined, expected);
      assertEquals(mlflow.uri, upstream.url);
    }
    const headers = { authorization: "Mine", "x-extra": "1" };
    using mlflow = new MlflowHttp(upstream.url, { env: testEnvironment(env), headers });
    await mlflow.request("GET", "x");
    assertEquals(upstream.requests.at(-1)?.headers.get("authorization"), "Mine");
    assertEquals(upstream.requests.at(-1)?.headers.get("x-extra"), "1");
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("at() takes credentials along to the same host only", async () => {
  await using upstream = await startFakeUpstream([CREATED]);
  const env = testEnvironment({ MLFLOW_TRACKING_TOKEN: "geheim" });
  const options = { env, headers: { "x-key": "geheim" } };
  using same = new MlflowHttp(upstream.url, options).at(`${upstream.url}/other`);
  await same.request("GET", "x");
  assertEquals(upstream.requests[0]?.headers.get("authorization"), "Bearer geheim");
  assertEquals(upstream.requests[0]?.headers.get("x-key"), "geheim");
  using foreign = new MlflowHttp("http://me:geheim@tracking.invalid", options).at(upstream.url);
  await foreign.request("GET", "x");
  const seen = [...upstream.requests[1]?.headers ?? []];
  assert(seen.length > 0 && !seen.some(([, value]) => value.includes("geheim")), JSON.stringify(seen));
  using withUser = new MlflowHttp(upstream.url.replace("//", "//a:b@"), { env }).at(`${upstream.url}/y`);
  await withUser.request("GET", "x");
  assertEquals(upstream.requests[2]?.headers.get("authorization"), "Basic YTpi");
});

Deno.test("request() follows redirects of a GET, and says where a POST is redirected to", async () => {
  await using target = await startFakeUpstream([CREATED]);
  const headers = { location: `${target.url}/there?token=geheim` };
  await using upstream = await startFakeUpstream([text("", { status: 302, headers })]);
  using mlflow = http(upstream.url, { MLFLOW_TRACKING_TOKEN: "geheim" });
  assertEquals(await mlflow.request("GET", "x"), { experiment_id: "7" });
  assertEquals(target.requests[0]?.headers.has("authorization"), false);
  const error = await fails(() => mlflow.request("POST", "x", { body: {} }), "ENDPOINT_NOT_FOUND");
  assert(error.message.includes(`redirects to "${target.url}/there". Set MLFLOW_TRACKING_URI`), error.message);
  assertEquals(target.requests.length, 1);
  using strict = http(upstream.url, { MLFLOW_ALLOW_HTTP_REDIRECTS: "false" });
  await fails(() => strict.request("GET", "x"), "ENDPOINT_NOT_FOUND");
});

Deno.test("request() says what to do where no one listens", async () => {
  const upstream = await startFakeUpstream([]);
  await upstream[Symbol.asyncDispose]();
  using mlflow = new MlflowHttp(upstream.url, { env: testEnvironment(), maxRetries: 1 });
  const error = await fails(() => mlflow.request("POST", "x"), "TEMPORARILY_UNAVAILABLE");
  assertMatch(error.message, /connection refused. Start it with 'mlflow server', or check MLFLOW_TRACKING_URI$/);
  assertEquals([error.retryable, error.code], [true, "upstream_unreachable"]);
  using nowhere = new MlflowHttp("http://nowhere.invalid:5000", { env: testEnvironment(), maxRetries: 0 });
  assertMatch((await fails(() => nowhere.request("GET", "x"), "TEMPORARILY_UNAVAILABLE")).message, /no such host/);
});

Deno.test("request() rethrows the reason of an abort: before, while it waits, while it reads and between tries", async () => {
  const half: Answer = [{ send: "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{" }, "stall"];
  const later = text("", { status: 503, headers: { "retry-after": "60" } });
  for (const answer of [["stall"], half, later] as const) {
    await using upstream = await startFakeUpstream([answer]);
    using mlflow = http(upstream.url);
    const controller = new AbortController();
    const reason = new Error("enough");
    const request = mlflow.request("GET", "x", { signal: controller.signal });
    await upstream.requested(1);
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => request), reason);
    assertStrictEquals(
      await assertRejects(() => mlflow.request("GET", "x", { signal: controller.signal })),
      reason,
    );
    assertEquals(upstream.requests.length, 1);
  }
});

Deno.test("request() ends when nothing comes for too long, and goes on while something comes", async () => {
  const half: Answer = [{ send: "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{" }, "stall"];
  for (const answer of [["stall"], half] as const) {
    await using upstream = await startFakeUpstream([answer]);
    using mlflow = new MlflowHttp(upstream.url, { env: testEnvironment(), timeout: 50, maxRetries: 0 });
    const error = await fails(() => mlflow.request("GET", "x"), "DEADLINE_EXCEEDED");
    assertMatch(error.message, /for 50 ms\. Raise 'timeout' or MLFLOW_HTTP_REQUEST_TIMEOUT$/);
    await upstream.allClosed();
  }
});

Deno.test("request() tells of a connection that breaks in the middle of an answer", async () => {
  await using upstream = await startFakeUpstream([[
    { send: 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":' },
    "close",
  ]]);
  using mlflow = http(upstream.url);
  const error = await fails(() => mlflow.request("GET", "x"), "TEMPORARILY_UNAVAILABLE");
  assertMatch(error.message, /broke in the middle of the answer$/);
});

Deno.test("request() trusts the authority of MLFLOW_TRACKING_SERVER_CERT_PATH, and says so where one is missing", async () => {
  const folder = fromFileUrl(new URL("../testdata/tls/", import.meta.url));
  const [cert, key] = [await Deno.readTextFile(`${folder}cert.pem`), await Deno.readTextFile(`${folder}key.pem`)];
  const options = { port: 0, hostname: "127.0.0.1", cert, key, onListen() {} };
  const server = Deno.serve(options, () => Response.json({ experiment_id: "7" }));
  const url = `https://127.0.0.1:${server.addr.port}`;
  const both = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(both, `${key}${cert}`);
    using trusting = http(url, {
      MLFLOW_TRACKING_SERVER_CERT_PATH: `${folder}ca.pem`,
      MLFLOW_TRACKING_CLIENT_CERT_PATH: both,
    });
    assertEquals(await trusting.request("GET", "x"), { experiment_id: "7" });
    using plain = http(url, { MLFLOW_TRACKING_INSECURE_TLS: "true" });
    const error = await fails(() => plain.request("GET", "x"), "TEMPORARILY_UNAVAILABLE");
    assertMatch(error.message, /Set MLFLOW_TRACKING_SERVER_CERT_PATH .*INSECURE_TLS does not help.*--unsafely-ignore/);
    const wrongs: Record<string, string>[] = [
      { MLFLOW_TRACKING_SERVER_CERT_PATH: `${folder}none.pem` },
      { MLFLOW_TRACKING_SERVER_CERT_PATH: `${folder}README.md` },
      { MLFLOW_TRACKING_CLIENT_CERT_PATH: `${folder}cert.pem` },
    ];
    for (const variables of wrongs) {
      using wrong = http(url, variables);
      await fails(() => wrong.request("GET", "x"), "INVALID_PARAMETER_VALUE");
    }
  } finally {
    await Deno.remove(both);
    await server.shutdown();
  }
});
