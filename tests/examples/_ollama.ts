/** An Ollama whose answers depend on what it is asked, unlike those of a replay, which come in turn. */
import { loadChatModel } from "../../mod.ts";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { readRecording, recordedBody, type Recording, type Replay, type ReplayedRequest } from "../support/replay.ts";

/**
 * Serves vectors in the form that was recorded, and recordings for all else.
 *
 * @param choose Which recording answers a request.
 * @returns The server; dispose it in the end.
 */
export function startOllama(choose: (request: ReplayedRequest) => Recording): Replay {
  const requests: ReplayedRequest[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname: path } = new URL(request.url);
    const asked = { method: request.method, path, headers: request.headers, body: await request.json() };
    requests.push(asked);
    if (path === "/api/embed") return Response.json(await embed(asked.body));
    const recording = choose(asked);
    const headers = new Headers(recording.response.headers);
    headers.delete("transfer-encoding"); // The server sets it again.
    return new Response(recordedBody(recording), { status: recording.response.status, headers });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Vectors in which words can be found again: those of the recorded model are all alike. */
async function embed({ model, input }: { readonly model: string; readonly input: string[] }): Promise<unknown> {
  const { response } = readRecording("embed_array", "v0.24");
  const recorded = typeof response.body === "object" ? response.body : {};
  const { data } = await (await loadChatModel(DemoChatModel)).embed({ input });
  return { ...recorded, model, embeddings: data.map(({ embedding }) => embedding) };
}
