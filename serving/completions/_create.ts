/** `POST /v1/completions`. */
import { createId } from "../../streaming/_ids.ts";
import { encodeFrames } from "../../streaming/encode_sse.ts";
import { ChatCompletionStream } from "../../streaming/mod.ts";
import { estimateTokens } from "../limits/mod.ts";
import type { LoadedChatModel } from "../../loaded_chat_model.ts";
import { type ChatRouteOptions, eventStreamResponse, findModel, firstBatch, openStream } from "../_chat_completions.ts";
import { readJson } from "../_body.ts";
import type { RequestScope } from "../_request_scope.ts";
import { type AnswerHeaders, jsonResponse } from "../_respond.ts";
import { toCompletion } from "./_completion.ts";
import { MergedAnswers } from "./_merged_answers.ts";
import { type CompletionRequest, parseCompletionRequest } from "./_parse_request.ts";
import { runBounded } from "./_run_bounded.ts";
import { TextFrames } from "./_text_frames.ts";

/** Prompts of one request that are answered at a time: what is behind a model serves others, too. */
const AT_A_TIME = 4;

/** Answers prompts by a chat model: each is a conversation of one message. */
export async function createCompletion(
  request: Request,
  scope: RequestScope,
  headers: AnswerHeaders,
  options: ChatRouteOptions,
): Promise<Response> {
  const parsed = parseCompletionRequest(
    await readJson(request, options.bodies, { example: '{"prompt": "Hello"}' }),
  );
  const id = createId("cmpl-");
  const [first, second] = parsed.requests;
  const found = findModel(first, { scope, headers }, options, () => tokensOf(parsed));
  if (parsed.stream) {
    const stream = second === undefined
      ? await openStream(found, first, scope, options)
      : await openSeveral(found, parsed, scope, options);
    const toErrorObject = (error: unknown) => options.report(error, scope).toErrorObject();
    const writer = new TextFrames({ id, request: parsed, toErrorObject });
    const { keepAliveInterval } = options;
    const body = encodeFrames(stream, writer, { keepAliveInterval, onClose: () => scope.end() });
    return eventStreamResponse(body, scope, headers);
  }
  const model = found instanceof Promise ? await found : found;
  const { signal, requestId, observer, requestContext } = scope;
  const answers = second === undefined
    ? [await model.predict(first, scope)]
    : await runBounded(parsed.requests, (request, signal) =>
      model.predict(request, { signal, requestId, observer, requestContext }), {
      limit: AT_A_TIME,
      signal,
    });
  return jsonResponse(JSON.stringify(toCompletion(id, parsed, answers)), 200, headers);
}

async function openSeveral(
  model: LoadedChatModel | Promise<LoadedChatModel>,
  { requests, count }: CompletionRequest,
  { signal, requestId, observer, requestContext }: RequestScope,
  { statusWait, admission }: ChatRouteOptions,
): Promise<ChatCompletionStream> {
  const call = { signal, requestId, observer, requestContext };
  const found = admission === undefined ? model : await model;
  const stream = new ChatCompletionStream(new MergedAnswers({ model: found, requests, count, limit: AT_A_TIME, call }));
  await firstBatch(stream, statusWait);
  return stream;
}

function tokensOf({ requests }: CompletionRequest): number {
  return requests.reduce((sum, request) => sum + estimateTokens(request), 0);
}
