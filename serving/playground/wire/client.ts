/** Speaking to the server. */
import { apiKey } from "../state/api_key.ts";
import type { AssistantTurn, Exchange, Failure, Json, Models } from "../state/types.ts";
import { addChunk, asObject, bringsSomething, toFailure, tryParse } from "./accumulate.ts";
import { readFrames } from "./frames.ts";

/** Where the API is: beside this page, wherever a proxy has put it. */
export function apiBase(): string {
  return new URL(".", location.href).href.replace(/\/(v1\/)?$/, "/v1");
}

/** Asks for the models. */
export async function listModels(): Promise<Models> {
  try {
    const response = await fetch(`${apiBase()}/models`, { headers: authorization() });
    const body = tryParse(await response.text());
    if (!response.ok) return { state: "failed", failure: failureOf(response, body) };
    const { data } = asObject(body);
    const ids = (Array.isArray(data) ? data : []).map((model: Json) => asObject(model).id);
    return { state: "ready", ids: ids.filter((id) => typeof id === "string") };
  } catch (error) {
    return { state: "failed", failure: unreachable(error) };
  }
}

/**
 * Sends an answer's request, and yields the answer whenever it has grown. Never throws: the last that is yielded is
 * done, stopped or failed.
 */
export async function* ask(empty: AssistantTurn, signal: AbortSignal): AsyncGenerator<AssistantTurn, void, void> {
  const start = performance.now();
  const elapsed = () => performance.now() - start;
  // Grown in place: copying all frames for each of them would take ever longer.
  const frames: { at: number; text: string }[] = [];
  let turn: AssistantTurn = { ...empty, exchange: { ...empty.exchange, frames } };
  try {
    const response = await fetch(`${apiBase()}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...authorization() },
      body: JSON.stringify(empty.exchange.request),
      signal,
    });
    const exchange: Exchange = { ...turn.exchange, status: response.status, headers: [...response.headers] };
    turn = { ...turn, exchange };
    if (!isStream(response) || response.body === null) {
      const text = await response.text();
      frames.push({ at: elapsed(), text });
      const body = tryParse(text);
      if (!response.ok) turn = { ...turn, progress: "failed", failure: failureOf(response, body) };
      else if (body === undefined) turn = fail(turn, "The answer is not JSON", response);
      else turn = { ...addChunk(turn, asObject(body)), progress: "done" };
    } else {
      let ended = false;
      for await (const { text, data } of readFrames(response.body)) {
        frames.push({ at: elapsed(), text });
        if (data === undefined) continue;
        if (data === "[DONE]") {
          ended = true;
          continue;
        }
        const chunk = tryParse(data);
        if (chunk === undefined) {
          turn = fail(turn, "A frame of the answer is not JSON", response);
          break;
        }
        if (asObject(chunk).error !== undefined) {
          turn = { ...turn, progress: "failed", failure: failureOf(response, chunk) };
          break;
        }
        const next = addChunk(turn, asObject(chunk));
        const isFirst = turn.timing.firstToken === undefined && bringsSomething(turn, next);
        turn = { ...next, progress: "streaming", ...(isFirst && { timing: { firstToken: elapsed() } }) };
        yield turn;
      }
      if (turn.progress !== "failed") {
        turn = ended ? { ...turn, progress: "done" } : fail(turn, "The answer was cut off before its end", response);
      }
    }
  } catch (error) {
    turn = signal.aborted
      ? { ...turn, progress: "stopped" }
      : { ...turn, progress: "failed", failure: unreachable(error) };
  }
  yield { ...turn, timing: { ...turn.timing, total: elapsed() } };
}

function authorization(): Record<string, string> {
  const key = apiKey.value;
  return key === "" ? {} : { authorization: `Bearer ${key}` };
}

function failureOf(response: Response, body: Json | undefined): Failure {
  const requestId = response.headers.get("x-request-id");
  return {
    ...toFailure(body, `The server answered ${response.status} ${response.statusText}`.trim()),
    status: response.status,
    ...(isStream(response) && { inStream: true }),
    ...(requestId !== null && { requestId }),
  };
}

function isStream({ headers, ok }: Response): boolean {
  return ok && (headers.get("content-type")?.startsWith("text/event-stream") ?? false);
}

function fail(turn: AssistantTurn, message: string, response: Response): AssistantTurn {
  return { ...turn, progress: "failed", failure: failureOf(response, { error: { message } }) };
}

function unreachable(error: unknown): Failure {
  const reason = error instanceof Error ? error.message : String(error);
  return { message: `Cannot reach the server: ${reason}. Is it still running?`, code: "connection_failed" };
}
