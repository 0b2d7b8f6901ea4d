/** Errors of requests that ask for what there is not. */
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import { CustomModel } from "../../../mod.ts";
import { json } from "../../support/fake_upstream.ts";
import { plain, post as wirePost } from "../_wire.ts";
import { invocation } from "./_form_scenarios.ts";
import { post, type Scenario } from "./_scenario.ts";
import { serve, type Served, serveOllama } from "./_served.ts";

const start = () => serve({ demo: DemoChatModel });
const ollama = () => serveOllama({ whole: ["close"] });
const refused = (error: string, status = 400) => () => serveOllama({ whole: json({ error }, { status }) });

/** Answers what is no conversation. */
class Doubler extends CustomModel {
  override predict(): string {
    return "twice";
  }
}

function image(url: string): Readonly<Record<string, unknown>> {
  return { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }] };
}

function respond(body: Readonly<Record<string, unknown>>): string {
  return wirePost("/v1/responses", JSON.stringify(body));
}

/** Makes a response that is kept. */
async function keptId(served: Served): Promise<string> {
  return JSON.parse((await post(served, "/v1/responses", { input: "Hello" })).body).id;
}

/** By code, and by what leads to it. */
export const REQUEST_SCENARIOS: readonly Scenario[] = [
  {
    code: "invalid_value",
    when: "a field has a wrong value",
    param: "temperature",
    start,
    chat: { temperature: "hot" },
  },
  { code: "invalid_value", when: "a response lacks its input", param: "input", start, wire: respond({}) },
  {
    code: "invalid_value",
    when: "a page's limit is too high",
    param: "limit",
    start,
    wire: plain("GET /v1/chat/completions?limit=1000"),
  },
  {
    code: "invalid_input",
    when: "two inputs come at once",
    start,
    wire: invocation('{"inputs":[{},{}]}'),
    mlflow: true,
  },
  {
    code: "invalid_image_url",
    when: "an image is none",
    param: "messages.0.content.0.image_url.url",
    start: ollama,
    chat: image("data:image/png;base64,AAAA"),
    responses: false,
  },
  {
    code: "unsupported_value",
    when: "an image lies where nothing may be fetched",
    param: "messages.0.content.0.image_url.url",
    start: ollama,
    chat: image("https://images.test/cat.png"),
    responses: false,
  },
  {
    code: "unsupported_value",
    when: "a field asks for what Ollama cannot do",
    param: "logit_bias",
    start: ollama,
    chat: { logit_bias: { "1": 5 } },
    responses: false,
  },
  {
    code: "unsupported_value",
    when: "a kept response is to be streamed",
    param: "stream",
    start,
    wire: async (served) => plain(`GET /v1/responses/${await keptId(served)}?stream=true`),
  },
  {
    code: "unsupported_feature",
    when: "the model cannot call tools",
    start: refused("x does not support tools"),
    chat: {},
  },
  {
    code: "unsupported_model",
    when: "a custom model is to chat",
    param: "model",
    start: () => serve({ doubler: Doubler }),
    wire: wirePost("/v1/chat/completions", '{"messages":[{"role":"user","content":"Hi"}]}'),
  },
  {
    code: "unsupported_endpoint",
    when: "a route of OpenAI's alone is asked",
    start,
    wire: wirePost("/v1/responses/compact", "{}"),
  },
  {
    code: "context_length_exceeded",
    when: "the conversation is too long",
    param: "messages",
    start: refused("input length exceeds the context length"),
    chat: {},
  },
  { code: "model_not_found", when: "no such model is served", param: "model", start, chat: { model: "none" } },
  {
    code: "model_not_found",
    when: "Ollama lacks the model",
    param: "model",
    start: refused("model 'plain' not found", 404),
    chat: {},
  },
  { code: "model_not_found", when: "a model is looked up", param: "model", start, wire: plain("GET /v1/models/none") },
  {
    code: "model_not_deletable",
    when: "a model is to be deleted",
    param: "model",
    start,
    wire: plain("DELETE /v1/models/demo"),
  },
  {
    code: "previous_response_not_found",
    when: "a response follows none",
    param: "previous_response_id",
    start,
    wire: respond({ input: "Hi", previous_response_id: "resp_none" }),
  },
  { code: "response_not_found", when: "a response is looked up", start, wire: plain("GET /v1/responses/resp_none") },
  {
    code: "completion_not_found",
    when: "a chat completion is looked up",
    start,
    wire: plain("GET /v1/chat/completions/chatcmpl-none"),
  },
  {
    code: "response_not_in_background",
    when: "a response that is done is to be cancelled",
    start,
    wire: async (served) => plain(`POST /v1/responses/${await keptId(served)}/cancel`),
  },
  {
    code: "tool_output_not_found",
    when: "no output answers a tool's call",
    param: "input",
    start,
    wire: respond({ input: [{ type: "function_call", call_id: "call_1", name: "f", arguments: "{}" }] }),
  },
  {
    code: "item_not_found",
    when: "an item is referred to that is not there",
    param: "input.0.id",
    start,
    wire: respond({ input: [{ type: "item_reference", id: "msg_none" }] }),
  },
];
