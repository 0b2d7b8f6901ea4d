/** `POST /v1/responses`. */
import { type ChatCompletionResponse, ChatModelError } from "../../types/mod.ts";
import { createId } from "../../streaming/_ids.ts";
import { encodeFrames } from "../../streaming/encode_sse.ts";
import { type ChatRouteOptions, eventStreamResponse, findModel, openStream } from "../_chat_completions.ts";
import { readJson } from "../_body.ts";
import type { RequestScope } from "../_request_scope.ts";
import { type AnswerHeaders, jsonResponse } from "../_respond.ts";
import { gatherItems } from "./_context.ts";
import { EventWriter } from "./_event_writer.ts";
import { inResponsesTerms } from "./_field_paths.ts";
import { keepResponse } from "./_keep.ts";
import { toOutput } from "./_output_items.ts";
import { parseResponseRequest, type ResponseRequest } from "./_parse_request.ts";
import { ResponseEvents } from "./_response_events.ts";
import { makeResponse, statusOf, wantsSummary } from "./_response_object.ts";
import { toChatRequest } from "./_to_chat_request.ts";
import type { ResponseObject } from "./_wire.ts";

/** Answers a request of the Responses API. */
export async function createResponse(
  request: Request,
  scope: RequestScope,
  headers: AnswerHeaders,
  options: ChatRouteOptions,
): Promise<Response> {
  const responseRequest = parseResponseRequest(
    await readJson(request, options.bodies, { example: '{"input": "Hello"}' }),
  );
  const store = options.storeOf(scope);
  const items = await gatherItems(responseRequest, store);
  const chatRequest = toChatRequest(responseRequest, items);
  const found = findModel(chatRequest, { scope, headers }, options);
  const keep = (response: ResponseObject) => keepResponse(response, responseRequest, items, store);
  if (responseRequest.stream) {
    let name = chatRequest.model;
    // If it cannot be found, the stream tells.
    if (found instanceof Promise) found.then((model) => name ??= model.name, () => {});
    else name ??= found.name;
    const stream = await inResponsesTerms(() => openStream(found, chatRequest, scope, options));
    const head = { id: createId("resp_"), created: Math.floor(Date.now() / 1000), request: responseRequest };
    const events = new ResponseEvents(head, name ?? "");
    const writer = new EventWriter(events, { keep, toError: (error) => options.report(error, scope) });
    const { keepAliveInterval } = options;
    const body = encodeFrames(stream, writer, { keepAliveInterval, onClose: () => scope.end() });
    return eventStreamResponse(body, scope, headers);
  }
  const model = await found;
  const answer = await inResponsesTerms(() => model.predict(chatRequest, scope));
  const response = toResponse(answer, responseRequest);
  await keep(response);
  return jsonResponse(JSON.stringify(response), 200, headers);
}

/** The response that a model's answer makes. */
function toResponse(answer: ChatCompletionResponse, request: ResponseRequest): ResponseObject {
  const { created, model, choices: [choice], usage, service_tier: serviceTier, custom_outputs: customOutputs } = answer;
  if (choice === undefined) throw noChoice();
  const { finish_reason: finishReason } = choice;
  const id = createId("resp_");
  const output = toOutput(choice, id, wantsSummary(request));
  const status = statusOf(finishReason);
  return makeResponse(
    { id, created, request },
    { status, model, output, finishReason, usage, serviceTier, customOutputs },
  );
}

function noChoice(): ChatModelError {
  return new ChatModelError("Cannot read the model's output: it has no choices", { code: "invalid_model_output" });
}
