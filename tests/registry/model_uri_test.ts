import { assertEquals, assertThrows } from "@std/assert";
import { type ModelUri, parseModelUri } from "@chatmodel/chat-model/registry";
import { TrackingError } from "@chatmodel/chat-model/tracking";

/** As genuine MLflow 3.17.2 reads them. */
const URIS: readonly (readonly [uri: string, parsed: ModelUri])[] = [
  ["models:/a/1", { kind: "version", name: "a", version: "1" }],
  ["models:/a/007", { kind: "version", name: "a", version: "7" }],
  ["models:/a/LATEST", { kind: "latest", name: "a" }],
  ["models:/a/Prod", { kind: "stage", name: "a", stage: "Prod" }],
  ["models:/a@b", { kind: "alias", name: "a", alias: "b" }],
  ["models:/a@b@c", { kind: "alias", name: "a@b", alias: "c" }],
  ["models:/@x", { kind: "alias", name: "", alias: "x" }],
  ["models:/m-1", { kind: "logged", modelId: "m-1" }],
  ["models:/abc", { kind: "logged", modelId: "abc" }],
  ["runs:/0a/model", { kind: "run", runId: "0a", path: "model" }],
  ["runs:/0a/models/deep/", { kind: "run", runId: "0a", path: "models/deep" }],
  ["mlflow-artifacts:/1/a", { kind: "artifacts", uri: "mlflow-artifacts:/1/a" }],
  ["mlflow-artifacts://host:1/a", { kind: "artifacts", uri: "mlflow-artifacts://host:1/a" }],
  ["file:///a", { kind: "artifacts", uri: "file:///a" }],
  ["s3://bucket/a", { kind: "artifacts", uri: "s3://bucket/a" }],
  ["./a/b", { kind: "artifacts", uri: "./a/b" }],
];

for (const [uri, parsed] of URIS) {
  Deno.test(`parseModelUri() reads ${uri}`, () => assertEquals(parseModelUri(uri), parsed));
}

for (
  const uri of [
    "models:/",
    "models:a/1",
    "models:/a/b/c",
    "models:/a/",
    "models:/a/ ",
    "models:/a@",
    "models://profile/a/1",
    "runs:/",
    "runs:/0a",
    "runs:/0a/",
    "runs:0a/model",
  ]
) {
  Deno.test(`parseModelUri() refuses ${uri} and says what would be right`, () => {
    const error = assertThrows(() => parseModelUri(uri), TrackingError, uri);
    assertEquals([error.errorCode, error.status, error.param], ["INVALID_PARAMETER_VALUE", 400, "model_uri"]);
  });
}
