import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { TrackingError } from "../../tracking/mod.ts";
import { RestRegistry } from "../../registry/rest_registry.ts";
import {
  type Answer,
  htmlError,
  json,
  startFakeUpstream,
  text,
  type UpstreamRequest,
} from "../support/fake_upstream.ts";
import { type Exchange, testEnvironment } from "../tracking/_mlflow.ts";

const FILE = new URL("../testdata/mlflow/tracking/registry.jsonl", import.meta.url);
const exchanges: readonly Exchange[] = Deno.readTextFileSync(FILE).trim().split("\n").map((line) => JSON.parse(line));

const MODEL_ID = "m-944e70c337134957a955597f255a4ea4";
const RUN_ID = "21546b5b842844fe881977a42a9a62dd";

function recorded(label: string, pathEnd = ""): Exchange {
  const found = exchanges.find((exchange) => exchange.label === `registry.${label}` && exchange.path.endsWith(pathEnd));
  if (found === undefined) throw new Error(`no recording ${label} ${pathEnd}`);
  return found;
}

function answerOf(label: string, pathEnd = ""): Answer {
  const { status, resp_headers: headers, resp_body: body } = recorded(label, pathEnd);
  return text(body, { status, headers });
}

/** A registry of which the server gives these answers in turn. */
async function withRegistry(
  answers: readonly Answer[],
  run: (registry: RestRegistry, requests: readonly UpstreamRequest[]) => Promise<void>,
): Promise<void> {
  await using upstream = await startFakeUpstream(answers);
  await using registry = new RestRegistry(upstream.url, {
    env: testEnvironment({ MLFLOW_HTTP_REQUEST_MAX_RETRIES: "2" }),
  });
  await run(registry, upstream.requests);
}

/** Asserts that a request was sent as MLflow's client sends it. */
function assertAsRecorded(
  request: UpstreamRequest | undefined,
  { method, path, query, req_body: body }: Exchange,
): void {
  const url = new URL(request?.path ?? "", "http://server");
  assertEquals([request?.method, url.pathname], [method, path]);
  assertEquals([...url.searchParams].sort(), [...new URLSearchParams(query)].sort());
  assertEquals(request?.body ? JSON.parse(request.body) : undefined, body ? JSON.parse(body) : undefined);
}

async function fails(action: () => Promise<unknown>, code: string): Promise<TrackingError> {
  const error = await assertRejects(action, TrackingError);
  assertEquals(error.errorCode, code, error.message);
  return error;
}

const VERSION = {
  name: "chat",
  version: "1",
  creationTimestamp: 1795422137269,
  lastUpdatedTimestamp: 1795422137269,
  description: "",
  userId: "",
  currentStage: "None",
  source: `models:/${MODEL_ID}`,
  runId: RUN_ID,
  modelId: MODEL_ID,
  status: "READY",
  tags: {},
  aliases: ["champion"],
} as const;

Deno.test("createRegisteredModel() and createModelVersion() ask as MLflow's client does", () =>
  withRegistry([
    answerOf("register_model models:/m-", "registered-models/create"),
    answerOf("register_model models:/m-", "model-versions/create"),
  ], async (registry, requests) => {
    assertEquals(await registry.createRegisteredModel("chat"), {
      name: "chat",
      creationTimestamp: 1795422137187,
      lastUpdatedTimestamp: 1795422137187,
      description: "",
      tags: {},
      aliases: {},
      latestVersions: [],
    });
    const version = await registry.createModelVersion({ name: "chat", source: `models:/${MODEL_ID}` });
    assertEquals(version, { ...VERSION, aliases: [] });
    assertAsRecorded(requests[0], recorded("register_model models:/m-", "registered-models/create"));
    assertAsRecorded(requests[1], recorded("register_model models:/m-", "model-versions/create"));
  }));

Deno.test("createRegisteredModel() hands on that a name is taken", () =>
  withRegistry([answerOf("create duplicate")], async (registry) => {
    await fails(() => registry.createRegisteredModel("chat"), "RESOURCE_ALREADY_EXISTS");
  }));

Deno.test("createModelVersion() hands on why a server does not take a source", () =>
  withRegistry([answerOf("create_model_version https")], async (registry) => {
    const source = "https://example.invalid/m";
    const error = await fails(() => registry.createModelVersion({ name: "other", source }), "INVALID_PARAMETER_VALUE");
    assertStringIncludes(error.message, "'https' scheme");
  }));

Deno.test("createModelVersion() is not sent again when the answer is lost", () =>
  withRegistry([["reset"], ["reset"]], async (registry, requests) => {
    await assertRejects(() => registry.createModelVersion({ name: "chat", source: "runs:/0a/m" }), TrackingError);
    assertEquals(requests.length, 1);
  }));

Deno.test("getModelVersionByAlias() reads the version of an alias", () =>
  withRegistry([answerOf("get_by_alias")], async (registry, requests) => {
    assertEquals(await registry.getModelVersionByAlias("chat", "champion"), VERSION);
    assertAsRecorded(requests[0], recorded("get_by_alias"));
  }));

Deno.test("getModelVersionByAlias() makes of MLflow's wrong parameter what it means, with the known aliases", () =>
  withRegistry([answerOf("get_by_alias missing"), answerOf("get")], async (registry) => {
    const error = await fails(() => registry.getModelVersionByAlias("chat", "zzz"), "RESOURCE_DOES_NOT_EXIST");
    assertEquals(error.status, 404);
    assertStringIncludes(error.message, '"champion"');
  }));

Deno.test("getModelVersionByAlias() says that the model is not there when it is not", () =>
  withRegistry([answerOf("get_by_alias missing"), answerOf("delete missing")], async (registry) => {
    const error = await fails(() => registry.getModelVersionByAlias("zzz", "a"), "RESOURCE_DOES_NOT_EXIST");
    assertStringIncludes(error.message, "Registered Model with name=zzz");
  }));

Deno.test("getRegisteredModel() reads aliases, and versions with their tags", () =>
  withRegistry([answerOf("get")], async (registry, requests) => {
    const model = await registry.getRegisteredModel("chat");
    assertEquals([model.name, model.aliases], ["chat", { champion: "1" }]);
    assertEquals(model.latestVersions.map(({ version, tags }) => [version, tags]), [["2", { x: "y" }]]);
    assertAsRecorded(requests[0], recorded("get"));
  }));

Deno.test("getModelVersion() reads a version, and names those that there are", () =>
  withRegistry(
    [answerOf("get_version"), answerOf("get_version missing"), answerOf("search_versions by run")],
    async (registry, requests) => {
      assertEquals(await registry.getModelVersion("chat", 1), VERSION);
      assertAsRecorded(requests[0], recorded("get_version"));
      const error = await fails(() => registry.getModelVersion("chat", "99"), "RESOURCE_DOES_NOT_EXIST");
      assertStringIncludes(error.message, "it has 1, 2");
    },
  ));

Deno.test("searchRegisteredModels() asks as MLflow's client does, and hands on the token", () =>
  withRegistry([answerOf("search p1")], async (registry, requests) => {
    const { items, nextPageToken } = await registry.searchRegisteredModels({
      filter: "tag.`mlflow.prompt.is_prompt` != 'true'",
      maxResults: 1,
    });
    assertEquals([items.map(({ name }) => name), nextPageToken], [["chat"], "eyJvZmZzZXQiOiAxfQ=="]);
    assertAsRecorded(requests[0], recorded("search p1"));
  }));

Deno.test("searchModelVersions() finds the versions of a run", () =>
  withRegistry([answerOf("search_versions by run")], async (registry, requests) => {
    const { items } = await registry.searchModelVersions({ filter: `run_id='${RUN_ID}'`, maxResults: 10_000 });
    assertEquals(items.map(({ name, version }) => `${name} ${version}`), ["other 1", "chat 2", "chat 1"]);
    assertAsRecorded(requests[0], recorded("search_versions by run"));
  }));

Deno.test("setAlias(), getLatestVersions() and the rest send what MLflow's client sends", () =>
  withRegistry(
    ["set_alias", "latest_versions", "transition Staging", "download_uri"].map((label) => answerOf(label)),
    async (registry, requests) => {
      await registry.setAlias("chat", "champion", 1);
      assertEquals((await registry.getLatestVersions("chat")).map(({ version }) => version), ["2"]);
      assertEquals((await registry.transitionModelVersionStage("chat", 1, "Staging")).currentStage, "Staging");
      assertEquals(
        await registry.getModelVersionDownloadUri("chat", 1),
        `mlflow-artifacts:/1/models/${MODEL_ID}/artifacts`,
      );
      for (const [index, label] of ["set_alias", "latest_versions", "transition Staging", "download_uri"].entries()) {
        assertAsRecorded(requests[index], recorded(label));
      }
    },
  ));

Deno.test("RestRegistry reads times as text and versions as numbers, as other servers write them", () =>
  withRegistry([
    json({ model_version: { name: "a", version: 3, creation_timestamp: "17", source: "runs:/0a/m", run_id: "" } }),
  ], async (registry) => {
    const { version, creationTimestamp, runId, modelId } = await registry.getModelVersion("a", 3);
    assertEquals([version, creationTimestamp, runId, modelId], ["3", 17, undefined, undefined]);
  }));

for (
  const [what, body] of [
    ["an empty object", {}],
    ["no name", { registered_model: { creation_timestamp: 1 } }],
    ["tags that are none", { registered_model: { name: "a", tags: { a: "b" } } }],
    ["a name that is no text", { registered_model: { name: 1 } }],
  ] as const
) {
  Deno.test(`RestRegistry refuses answers of another shape: ${what}`, () =>
    withRegistry([json(body)], async (registry) => {
      const error = await assertRejects(() => registry.getRegisteredModel("a"), TrackingError);
      assertStringIncludes(error.message, 'Cannot get registered model "a"');
    }));
}

const CALLS: { readonly [method: string]: (registry: RestRegistry) => Promise<unknown> } = {
  getRegisteredModel: (registry) => registry.getRegisteredModel("chat"),
  getModelVersion: (registry) => registry.getModelVersion("chat", 1),
  getModelVersionByAlias: (registry) => registry.getModelVersionByAlias("chat", "champion"),
  createModelVersion: (registry) => registry.createModelVersion({ name: "chat", source: `models:/${MODEL_ID}` }),
  deleteRegisteredModel: (registry) => registry.deleteRegisteredModel("chat"),
  deleteModelVersion: (registry) => registry.deleteModelVersion("chat", 1),
  searchModelVersions: (registry) => registry.searchModelVersions(),
};

for (const [method, call] of Object.entries(CALLS)) {
  Deno.test(`${method}() does not take a page of another server for a model that is missing`, () =>
    withRegistry([htmlError(404)], async (registry, requests) => {
      const error = await fails(() => call(registry), "ENDPOINT_NOT_FOUND");
      assertStringIncludes(error.message, "MLFLOW_TRACKING_URI");
      // Neither the known versions nor the aliases are asked for.
      assertEquals(requests.length, 1);
    }));

  Deno.test(`${method}() hands on that a server does not permit it`, () =>
    withRegistry(
      [json({ error_code: "PERMISSION_DENIED", message: "Permission denied" }, { status: 403 })],
      async (registry, requests) => {
        const error = await fails(() => call(registry), "PERMISSION_DENIED");
        assertEquals([error.status, requests.length], [403, 1]);
      },
    ));
}

Deno.test("deleteModelVersion() takes a version for removed that is gone when asked again", () =>
  withRegistry([["reset"], answerOf("get_version missing")], async (registry, requests) => {
    await registry.deleteModelVersion("chat", 1);
    assertEquals(requests.map(({ method }) => method), ["DELETE", "DELETE"]);
  }));
