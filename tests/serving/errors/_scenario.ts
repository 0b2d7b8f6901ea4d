/** One way in which a client comes to an error, and its tests. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { events } from "../_app.ts";
import { Connection } from "../_wire.ts";
import { assertErrorAnswer, assertErrorObject, assertMlflowAnswer, type Received } from "./_check.ts";
import type { Served } from "./_served.ts";

/** One way to an error. */
export interface Scenario {
  /** The error's code. */
  readonly code: string;
  /** What leads to it, behind "when". */
  readonly when: string;
  /** @default {null} */
  readonly param?: string;
  /** Starts the server, unless it can only be too late. */
  readonly start?: () => Promise<Served>;
  /** The request as it goes over the wire, which may need others before it. Either this, or `chat`, or only `late`. */
  readonly wire?: string | Uint8Array | ((served: Served) => Promise<string>);
  /** Whether the client says that it sends no more. @default {false} */
  readonly ends?: boolean;
  /** Whether the request is one of `/invocations`. @default {false} */
  readonly mlflow?: boolean;
  /** Fields of a chat request: it is sent to all routes that chat, as a whole and streamed. */
  readonly chat?: Fields;
  /** Whether a stream fails before its first token too. @default {true} */
  readonly early?: boolean;
  /** Whether it can come by the Responses API, which knows not all fields. @default {true} */
  readonly responses?: boolean;
  /** Permissions of the process. @default {"inherit"} */
  readonly permissions?: Deno.PermissionOptions;
  /** Starts a server that fails after the token "One ". */
  readonly late?: () => Promise<Served>;
}

type Fields = { readonly [name: string]: unknown };

/** Registers the tests of a scenario. */
export function testScenario(scenario: Scenario): void {
  const {
    code,
    when,
    param,
    start,
    wire,
    ends = false,
    mlflow = false,
    chat,
    early = true,
    responses = true,
    late,
    permissions = "inherit",
  } = scenario;
  assert((wire !== undefined || chat !== undefined) === (start !== undefined), `${code}: a server, but no request`);
  if (wire !== undefined && start !== undefined) {
    Deno.test(`listen() answers ${code} when ${when}`, async () => {
      await using served = await start();
      const answer = await overWire(served.port, typeof wire === "function" ? await wire(served) : wire, ends);
      if (mlflow) assertMlflowAnswer(answer, { code });
      else assertErrorAnswer(answer, { code, param });
    });
  }
  if (chat !== undefined && start !== undefined) {
    for (const stream of early ? [false, true] : [false]) {
      const how = stream ? "streamed " : "";
      Deno.test(`listen() answers ${code} to a ${how}chat when ${when}`, { permissions }, async () => {
        await using served = await start();
        const body = chatBody(chat, stream);
        assertErrorAnswer(await post(served, "/v1/chat/completions", body), { code, param });
        assertMlflowAnswer(await post(served, "/invocations", body), { code });
        if (responses) {
          assertErrorAnswer(await post(served, "/v1/responses", responseBody(chat, stream)), {
            code,
            param: param === "messages" ? "input" : param,
          });
        }
      });
    }
  }
  if (late !== undefined) {
    Deno.test(`listen() ends a stream with ${code} and without [DONE] when ${when} after a token`, async () => {
      await using served = await late();
      for (const path of ["/v1/chat/completions", "/invocations", "/v1/completions"]) {
        const isText = path === "/v1/completions";
        const asked = isText ? textBody(chat ?? {}) : chatBody(chat ?? {}, true);
        if (asked === undefined) continue;
        const { status, headers, body } = await post(served, path, asked);
        assertEquals([status, headers.get("content-type")], [200, "text/event-stream"], body);
        assertMatch(headers.get("x-request-id") ?? "", /^req_/);
        const frames = (await events(body)).map((frame) => JSON.parse(frame));
        const { error, ...rest } = frames.pop();
        assertEquals(rest, {});
        assertErrorObject(error, { code, param });
        const texts = frames.map(({ choices: [{ text, delta }] }) => isText ? text : delta.content ?? "");
        assertEquals(texts.join(""), "One ");
      }
    });
  }
}

function chatBody(fields: Fields, stream: boolean): Fields {
  return { messages: [{ role: "user", content: "Hello" }], stream, ...fields };
}

/** The same in legacy completions; `undefined` where they lack a field. */
function textBody(fields: Fields): Fields | undefined {
  const isLacking = ["messages", "tools", "tool_choice"].some((name) => name in fields);
  return isLacking ? undefined : { prompt: "Hello", stream: true, ...fields };
}

/** The same in the Responses API. */
function responseBody({ messages, response_format: format, tools, ...fields }: Fields, stream: boolean): Fields {
  return {
    input: Array.isArray(messages) ? messages : "Hello",
    stream,
    ...(isObject(format) && isObject(format["json_schema"]) &&
      { text: { format: { type: "json_schema", ...format["json_schema"] } } }),
    ...(Array.isArray(tools) &&
      { tools: tools.map(({ function: definition }) => ({ type: "function", ...definition })) }),
    ...fields,
  };
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

/** Posts JSON. */
export async function post({ port }: Served, path: string, body: Fields): Promise<Received> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

async function overWire(port: number, request: string | Uint8Array, ends: boolean): Promise<Received> {
  using connection = await Connection.open(port);
  await connection.send(request);
  if (ends) await connection.closeWrite();
  return await connection.answer();
}
