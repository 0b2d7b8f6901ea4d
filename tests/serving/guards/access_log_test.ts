import { assert, assertEquals } from "@std/assert";
import { AccessLog, type LogSink } from "../../../serving/access_log.ts";
import type { RequestRecord } from "../../../serving/request_record.ts";
import { ApiKeys } from "../../../serving/access/mod.ts";
import { Admission } from "../../../serving/limits/mod.ts";
import { ask, CHAT, chat, Failing, guarded, key, Parrot, SECRETS } from "./_guarded.ts";

const RECORD: RequestRecord = {
  requestId: "req_1",
  method: "GET",
  route: "/models",
  status: 200,
  outcome: "completed",
  asked: false,
  stream: false,
  duration: 1.26,
};

const LINE = {
  request_id: "req_1",
  method: "GET",
  route: "/models",
  status: 200,
  outcome: "completed",
  stream: false,
  duration_ms: 1.3,
};

/** Takes what is written, at most so many bytes at a time. */
class Sink implements LogSink {
  text = "";
  isClosed = false;
  /** What happens to the next writes. */
  readonly faults: (Error | number | Promise<void> | undefined)[] = [];

  async write(bytes: Uint8Array): Promise<number> {
    const fault = this.faults.shift();
    if (fault instanceof Error) throw fault;
    if (fault instanceof Promise) await fault;
    const taken = bytes.subarray(0, typeof fault === "number" ? fault : bytes.length);
    this.text += new TextDecoder().decode(taken);
    return taken.length;
  }

  close(): void {
    this.isClosed = true;
  }

  /** The lines, without their times. */
  get lines(): unknown[] {
    return this.text.trimEnd().split("\n").map((line) => {
      const { time, ...rest } = JSON.parse(line);
      assertEquals(new Date(time).toISOString(), time);
      return rest;
    });
  }
}

function start(): { readonly log: AccessLog; readonly sink: Sink; readonly warnings: string[] } {
  const sink = new Sink();
  const warnings: string[] = [];
  return { sink, warnings, log: new AccessLog(sink, { onWarning: (message) => warnings.push(message) }) };
}

Deno.test("AccessLog writes a line of JSON for each request, and closes its sink", async () => {
  const { log, sink, warnings } = start();
  log.log(RECORD);
  log.log({
    ...RECORD,
    model: "parrot",
    keyName: "ci",
    stream: true,
    errorCode: "upstream_lost",
    errorStatus: 502,
    outcome: "failed",
    timeToFirstToken: 0.04,
    tokens: { promptTokens: 1, completionTokens: 2, estimated: true },
  });
  await log.close();
  assertEquals(sink.lines, [LINE, {
    ...LINE,
    outcome: "failed",
    error_code: "upstream_lost",
    model: "parrot",
    key: "ci",
    stream: true,
    time_to_first_token_ms: 0,
    prompt_tokens: 1,
    completion_tokens: 2,
    tokens_estimated: true,
  }]);
  assertEquals([sink.isClosed, warnings], [true, []]);
});

Deno.test("AccessLog writes what is left where a sink takes a part, one flush after the other", async () => {
  const { log, sink } = start();
  sink.faults.push(5, 1, 50, 3);
  log.log(RECORD);
  const first = log.flush();
  log.log({ ...RECORD, requestId: "req_2" });
  await Promise.all([first, log.flush()]);
  assertEquals(sink.lines, [LINE, { ...LINE, request_id: "req_2" }]);
});

Deno.test("AccessLog says once that lines are lost, and that it goes on, and begins a new line after half a one", async () => {
  const { log, sink, warnings } = start();
  const full = new Error("No space left on device");
  sink.faults.push(full, full, 10, full);
  for (let i = 0; i < 3; i++) {
    log.log(RECORD);
    log.log(RECORD);
    await log.flush();
  }
  assertEquals(warnings, ["Cannot write the access log, lines are lost: No space left on device"]);
  log.log(RECORD);
  await log.flush();
  assertEquals(warnings.slice(1), ["The access log goes on; lines lost: 6"]);
  const [half, whole, ...rest] = sink.text.trimEnd().split("\n");
  assertEquals([half?.length, JSON.parse(whole ?? "").request_id, rest], [10, "req_1", []]);
});

Deno.test("AccessLog gives up a write that takes nothing", async () => {
  const { log, sink, warnings } = start();
  sink.faults.push(0);
  log.log(RECORD);
  await log.flush();
  assertEquals(warnings, ["Cannot write the access log, lines are lost: it takes no more"]);
});

Deno.test("AccessLog keeps a bounded number of lines for a reader that stalls", async () => {
  const { log, sink, warnings } = start();
  const stalled = Promise.withResolvers<void>();
  sink.faults.push(stalled.promise);
  log.log(RECORD);
  const flushing = log.flush();
  for (let i = 0; i < 60_000; i++) log.log(RECORD);
  assertEquals(warnings.length, 1);
  stalled.resolve();
  await flushing;
  await log.close();
  assert(sink.text.length < 4_500_000, `${sink.text.length}`);
  assert(sink.lines.length > 10_000);
  assertEquals(warnings[1], `The access log goes on; lines lost: ${60_001 - sink.lines.length}`);
});

Deno.test("An access log holds neither what was asked nor what was answered, nor a key", async () => {
  const { log, sink } = start();
  const apiKeys = new ApiKeys([key("all"), key("limited", { requestsPerMinute: 1 })]);
  const models = { parrot: Parrot, down: new Failing({ code: "upstream_unreachable" }) };
  await using server = await guarded(models, {
    apiKeys,
    admission: new Admission(),
    onRequest: (record) => log.log(record),
  });
  const secret = "Tell-no-one";
  const wrong = `sk-${"wr0n".repeat(12)}`;
  for (const stream of [false, true]) {
    for (const as of ["all", "limited"] as const) {
      for (const model of ["parrot", "down", secret, `${secret}\r\nx: y`]) {
        const body = chat(secret, { model, stream, user: secret });
        await ask(server, CHAT, { body, as });
        await ask(server, "/v1/responses", { body: { input: secret, model, stream }, as });
        await ask(server, "/v1/completions", { body: { prompt: secret, model, stream }, as });
        await ask(server, "/v1/embeddings", { body: { input: secret, model }, as });
        await ask(server, "/invocations", { body, as });
      }
    }
  }
  await ask(server, CHAT, { body: `{"messages": "${secret}"`, as: "all" });
  await ask(server, CHAT, { body: chat(secret), headers: { authorization: `Bearer ${wrong}` } });
  await ask(server, `/v1/responses/${secret}?q=${secret}`, { as: "all", headers: { "user-agent": secret } });
  await ask(server, `/${secret}`, { as: "all", headers: { "x-request-id": "mine-1" } });
  await log.close();
  assert(sink.lines.length > 80, `${sink.lines.length}`);
  for (const text of [secret, wrong, ...Object.values(SECRETS)]) assertEquals(sink.text.includes(text), false, text);
  assert(sink.text.includes('"key":"limited"') && sink.text.includes('"request_id":"mine-1"'));
});
