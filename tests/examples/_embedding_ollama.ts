/** An Ollama that makes vectors in which words can be found again: those of the recorded model are all alike. */
import { loadChatModel } from "../../mod.ts";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { readRecording, type Recording, type Replay, startReplay } from "../support/replay.ts";

/**
 * Serves vectors in the form that was recorded, and what was recorded for all else.
 *
 * @param recordings Exchanges of other paths.
 * @returns The server; dispose it in the end. Its requests are of both.
 */
export function startEmbeddingOllama(recordings: readonly Recording[]): Replay {
  const replay = startReplay(recordings);
  const { response } = readRecording("embed_array", "v0.24");
  const recorded = typeof response.body === "object" ? response.body : {};
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname: path } = new URL(request.url);
    if (path !== "/api/embed") return fetch(new Request(replay.url + path, request));
    const body = await request.json();
    replay.requests.push({ method: request.method, path, headers: request.headers, body });
    const model = await loadChatModel(DemoChatModel);
    const { data } = await model.embed({ input: body.input });
    return Response.json({ ...recorded, model: body.model, embeddings: data.map(({ embedding }) => embedding) });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests: replay.requests,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await replay[Symbol.asyncDispose]();
    },
  };
}
