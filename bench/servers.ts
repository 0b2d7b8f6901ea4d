/**
 * The servers that `run.ts` compares, one process each: `deno run -A bench/servers.ts NAME [UPSTREAM_URL]`.
 * Prints its port.
 */
import { DemoChatModel } from "../adapters/demo/mod.ts";
import { OllamaChatModel, OllamaClient } from "../adapters/ollama/mod.ts";
import { ChatModel } from "../chat_model.ts";
import { createApp, listen } from "../serve.ts";
import { FRAMES } from "./frames.ts";

type Handler = (request: Request) => Response | Promise<Response>;

const encoder = new TextEncoder();
const [name = "", upstream = ""] = Deno.args;

/** The answer of the demo model to the prompt of `run.ts`, built by hand with nothing around. */
async function bare(request: Request): Promise<Response> {
  const { model, messages } = await request.json();
  const words = messages[0].content.split(" ").length;
  const body = JSON.stringify({
    id: `chatcmpl-${crypto.randomUUID()}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model,
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: `This is the demo model of chat-model: it does not think, it echoes. You said: ${messages[0].content}`,
        refusal: null,
      },
      logprobs: null,
      finish_reason: "stop",
    }],
    usage: { prompt_tokens: words, completion_tokens: words + 15, total_tokens: words * 2 + 15 },
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

/** A stream of {@linkcode FRAMES} frames, one enqueue each, with nothing around. */
async function bareSse(request: Request): Promise<Response> {
  const { model } = await request.json();
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent++ < FRAMES) {
        const chunk = {
          id: "chatcmpl-1",
          object: "chat.completion.chunk",
          created: 1_700_000_000,
          model,
          choices: [{ index: 0, delta: { content: "word " }, logprobs: null, finish_reason: null }],
        };
        controller.enqueue(encoder.encode(`data: ${JSON.stringify(chunk)}\n\n`));
      } else {
        controller.enqueue(encoder.encode("data: [DONE]\n\n"));
        controller.close();
      }
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

/** Hands a body on to the upstream and its answer back. */
async function bareProxy(request: Request): Promise<Response> {
  const response = await fetch(`${upstream}/api/chat`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: await request.text(),
  });
  return new Response(response.body, { headers: { "content-type": "application/json" } });
}

/** Does by hand what the adapter does at the least: takes OpenAI's request apart, asks, makes OpenAI's answer. */
async function bareTranslator(request: Request): Promise<Response> {
  const { model, messages } = await request.json();
  const response = await fetch(`${upstream}/api/chat`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, messages, stream: false }),
    signal: request.signal,
  });
  const { message, done_reason, prompt_eval_count, eval_count } = await response.json();
  const body = JSON.stringify({
    id: `chatcmpl-${crypto.randomUUID()}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model,
    choices: [{
      index: 0,
      message: { role: "assistant", content: message.content, refusal: null },
      logprobs: null,
      finish_reason: done_reason,
    }],
    usage: {
      prompt_tokens: prompt_eval_count,
      completion_tokens: eval_count,
      total_tokens: prompt_eval_count + eval_count,
    },
  });
  return new Response(body, { headers: { "content-type": "application/json", "x-request-id": crypto.randomUUID() } });
}

/** Answers as Ollama does, at once. */
async function fakeOllama(request: Request): Promise<Response> {
  const { stream } = await request.json();
  if (stream) return new Response(NDJSON, { headers: { "content-type": "application/x-ndjson" } });
  return new Response(RECORD, { headers: { "content-type": "application/json; charset=utf-8" } });
}

const METRICS =
  '"done":true,"done_reason":"stop","total_duration":42569155,"load_duration":2159845,"prompt_eval_count":2,"prompt_eval_duration":1552350,"eval_count":19,"eval_duration":37149186}';
const RECORD =
  `{"model":"plain","created_at":"2026-11-23T08:46:51.576922986Z","message":{"role":"assistant","content":"Hello from a scripted model. How can I help you today?"},${METRICS}`;
const NDJSON =
  '{"model":"plain","created_at":"2026-11-23T08:46:51.5Z","message":{"role":"assistant","content":"word "},"done":false}\n'
    .repeat(FRAMES) +
  `{"model":"plain","created_at":"2026-11-23T08:46:51.5Z","message":{"role":"assistant","content":""},${METRICS}\n`;

class SyncWords extends ChatModel {
  override *predictStream(): Generator<string> {
    for (let i = 0; i < FRAMES; i++) yield "word ";
  }
}

class AsyncWords extends ChatModel {
  override async *predictStream(): AsyncGenerator<string> {
    for (let i = 0; i < FRAMES; i++) yield "word ";
  }
}

const handlers: { readonly [name: string]: () => Handler } = {
  "bare": () => bare,
  "bare-sse": () => bareSse,
  "bare-proxy": () => bareProxy,
  "bare-translator": () => bareTranslator,
  "fake-ollama": () => fakeOllama,
  "demo": () => createApp({ demo: new DemoChatModel() }).fetch,
  "words": () => createApp({ sync: SyncWords, async: AsyncWords }).fetch,
  "ollama": () =>
    createApp({ plain: new OllamaChatModel({ model: "plain", client: new OllamaClient({ host: upstream }) }) }).fetch,
};

// "NAME+listen" is served as `serve.ts` does it, else by Deno.serve.
const [handlerName = "", way] = name.split("+");
const handler = handlers[handlerName]?.();
if (handler === undefined) throw new Error(`Cannot serve "${name}": one of ${Object.keys(handlers).join(", ")}`);
if (way === "listen") {
  const { addr } = await listen({ fetch: handler }, { port: 0 });
  print(addr.port);
} else {
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => print(port) }, handler);
}

function print(port: number): void {
  // deno-lint-ignore no-console -- how `run.ts` learns of it
  console.log(port);
}
