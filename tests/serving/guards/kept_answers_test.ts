import { assert, assertEquals } from "@std/assert";
import { ApiKeys } from "../../../serving/access/mod.ts";
import { ask, type Asking, CHAT, chat, type Guarded, guarded, key, Parrot } from "./_guarded.ts";

const start = () =>
  guarded({ parrot: Parrot }, {
    apiKeys: new ApiKeys([key("all"), key("parrot"), key("limited", { models: ["parrot"] })]),
  });

const OWNER = "all";
const STRANGERS = ["parrot", "limited"] as const;

/** Keeps a response and a chat completion, and gives their ids. */
async function keep(server: Guarded): Promise<{ readonly response: string; readonly completion: string }> {
  const response = await ask(server, "/v1/responses", { body: { input: "A secret" }, as: OWNER });
  const completion = await ask(server, CHAT, { body: chat("A secret", { store: true }), as: OWNER });
  assertEquals([response.status, completion.status], [200, 200]);
  return { response: response.json.id, completion: completion.json.id };
}

/** Requests that are refused to strangers as if there were nothing, by what they ask for. */
function requests({ response, completion }: { readonly response: string; readonly completion: string }) {
  const go = (path: string, asking: Asking, status: number, code: string) => ({ path, asking, status, code });
  return [
    go(`/v1/responses/${response}`, {}, 404, "response_not_found"),
    go(`/v1/responses/${response}/input_items`, {}, 404, "response_not_found"),
    go(`/v1/responses/${response}/cancel`, { method: "POST" }, 404, "response_not_found"),
    go(`/v1/responses/${response}`, { method: "DELETE" }, 404, "response_not_found"),
    go(
      "/v1/responses",
      { body: { input: "And?", previous_response_id: response } },
      400,
      "previous_response_not_found",
    ),
    go(
      "/v1/responses",
      { body: { input: "And?", previous_response_id: response, stream: true } },
      400,
      "previous_response_not_found",
    ),
    go(`${CHAT}/${completion}`, {}, 404, "completion_not_found"),
    go(`${CHAT}/${completion}/messages`, {}, 404, "completion_not_found"),
    go(`${CHAT}/${completion}`, { body: { metadata: { mine: "yes" } } }, 404, "completion_not_found"),
    go(`${CHAT}/${completion}`, { method: "DELETE" }, 404, "completion_not_found"),
    go(`${CHAT}?after=${completion}`, {}, 400, "invalid_value"),
  ];
}

Deno.test("createApp() keeps answers out of reach of other keys", async () => {
  await using server = await start();
  const ids = await keep(server);
  for (const as of STRANGERS) {
    for (const { path, asking, status, code } of requests(ids)) {
      const answer = await ask(server, path, { ...asking, as });
      assertEquals([path, answer.status, answer.json.error.code], [path, status, code]);
      assertEquals(answer.text.includes("A secret"), false);
    }
    const list = await ask(server, CHAT, { as });
    assertEquals(list.json.data, []);
  }
  // The same as for what never was.
  const never = { response: "resp_never", completion: "chatcmpl-never" };
  for (const { path, asking, status, code } of requests(never)) {
    const answer = await ask(server, path, { ...asking, as: OWNER });
    assertEquals([path, answer.status, answer.json.error.code], [path, status, code]);
  }
});

Deno.test("createApp() keeps an item that is referred to out of reach of other keys", async () => {
  await using server = await start();
  const { json } = await ask(server, "/v1/responses", { body: { input: "A secret" }, as: OWNER });
  const [{ id }] = json.output;
  const body = { input: [{ type: "item_reference", id }] };
  for (const as of STRANGERS) {
    const answer = await ask(server, "/v1/responses", { body, as });
    assertEquals([answer.status, answer.json.error.code], [404, "item_not_found"], answer.text);
    // Nor beside a response of one's own.
    const own = await ask(server, "/v1/responses", { body: { input: "Mine" }, as });
    const mixed = await ask(server, "/v1/responses", { body: { ...body, previous_response_id: own.json.id }, as });
    assertEquals([mixed.status, mixed.text.includes("A secret")], [404, false], mixed.text);
  }
});

Deno.test("createApp() gives answers to the key that they were kept for", async () => {
  await using server = await start();
  const ids = await keep(server);
  for (const { path, asking } of requests(ids).filter(({ asking }) => asking.method !== "DELETE")) {
    if (path.endsWith("/cancel")) continue;
    const answer = await ask(server, path, { ...asking, as: OWNER });
    assertEquals([path, answer.status], [path, 200], answer.text);
  }
  const list = await ask(server, CHAT, { as: OWNER });
  assertEquals(list.json.data.map(({ id, metadata }: { id: string; metadata: unknown }) => [id, metadata]), [
    [ids.completion, { mine: "yes" }],
  ]);
  for (const { path, asking } of requests(ids).filter(({ asking }) => asking.method === "DELETE")) {
    assertEquals((await ask(server, path, { ...asking, as: OWNER })).json.deleted, true);
  }
});

Deno.test("createApp() shows no answer of before keys were asked for", async () => {
  const kept = await guarded({ parrot: Parrot });
  await using _kept = kept;
  const { json } = await ask(kept, "/v1/responses", { body: { input: "A secret" } });
  assert(json.id);
  await using server = await start();
  assertEquals((await ask(server, `/v1/responses/${json.id}`, { as: OWNER })).status, 404);
});
