/** Serves models on a real socket for OpenAI's own client; all that is sent must be as OpenAI's schema has it. */
import OpenAI from "openai";
import { type AppModels, type AppOptions, createApp, listen } from "../../../serve.ts";
import type { ChatModelError } from "../../../types/mod.ts";
import { type SchemaName, validateBody } from "../../conformance_openai/_schema.ts";
import { readEvents } from "./_kit.ts";

/** Models that are served. */
export interface Served extends AsyncDisposable {
  /** A client that does not try again. */
  readonly client: OpenAI;
  /** Port of the server. */
  readonly port: number;
  /** Errors that were the server's fault. */
  readonly errors: readonly ChatModelError[];
}

/**
 * Serves models.
 *
 * @param models The models.
 * @param options Options of the app.
 * @returns The server. When it is disposed, all bodies that were sent are checked.
 */
export async function serve(models: AppModels, options: AppOptions = {}): Promise<Served> {
  const errors: ChatModelError[] = [];
  const checks: Promise<void>[] = [];
  const app = createApp(models, { onError: (error) => errors.push(error), ...options });
  const server = await listen({
    async fetch(request) {
      const response = await app.fetch(request);
      if (response.headers.get("content-type") !== "application/json") {
        return watch(response, (text) => checks.push(readEvents(text).then(() => {})));
      }
      return watch(response, (text) => checks.push(check(request, response, text)));
    },
  }, { port: 0 });
  const { port } = server.addr;
  return {
    client: new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: "none", maxRetries: 0 }),
    port,
    errors,
    async [Symbol.asyncDispose]() {
      server.shutdown();
      await server.finished;
      await Promise.all(checks);
    },
  };
}

/** Calls back with the text of a body that was sent to its end. */
function watch(response: Response, onEnd: (text: string) => void): Response {
  if (response.body === null) return response;
  const decoder = new TextDecoder();
  let text = "";
  const watched = response.body.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(bytes, controller) {
        text += decoder.decode(bytes, { stream: true });
        controller.enqueue(bytes);
      },
      flush: () => onEnd(text),
    }),
  );
  return new Response(watched, response);
}

// deno-lint-ignore require-await -- so that what it throws is a rejection
async function check({ method, url }: Request, { status }: Response, text: string): Promise<void> {
  if (method === "DELETE" && status === 200) return; // OpenAI's schema does not say what it is.
  const name: SchemaName = status >= 400
    ? "ErrorResponse"
    : new URL(url).pathname.endsWith("/input_items")
    ? "ResponseItemList"
    : "Response";
  validateBody(name, JSON.parse(text));
}
