/** The calls that the tests of OpenAI's own client make of stored chat completions. */
import { NotFoundError } from "openai";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SERVERS } from "./_matrix_servers.ts";
import { threeWays } from "./_sdk_calls.ts";

const UNKNOWN_PATH = { path: "/_stainless_unknown_path" };
const METADATA = { foo: "string" };

for (const server of SERVERS) {
  const { model, name } = server;
  const messages = [{ role: "user" as const, content: server.prompts.text, name: "someone" }];

  Deno.test(`openai chat.completions.retrieve() gives what ${name} was asked to keep, and nothing else`, async () => {
    await using served = await server.serve("text");
    const { completions } = served.client.chat;
    const made = await completions.create({ model, messages, store: true, metadata: METADATA });
    const kept = await threeWays(completions.retrieve(made.id));
    assertEquals([kept.id, kept.choices, kept.usage, kept.metadata], [made.id, made.choices, made.usage, METADATA]);
    const { id } = await completions.create({ model, messages });
    const error = await assertRejects(() => completions.retrieve(id), NotFoundError);
    assertStringIncludes(error.message, id);
  });

  Deno.test(`openai chat.completions.messages.list() gives what ${name} was asked`, async () => {
    await using served = await server.serve("text");
    const { completions } = served.client.chat;
    const { id } = await completions.create({ model, messages, store: true });
    const { data } = await threeWays(completions.messages.list(id));
    // The client's types know messages of the assistant only.
    assertEquals<unknown>(data.map(({ role, content }) => [role, content]), [["user", server.prompts.text]]);
    await assertRejects(() => completions.messages.list("none"), NotFoundError);
    await assertRejects(
      () => completions.messages.list(id, { after: "after", limit: 0, order: "asc" }, UNKNOWN_PATH),
      NotFoundError,
    );
  });

  Deno.test(`openai chat.completions.update() and delete() work with ${name}`, async () => {
    await using served = await server.serve("text");
    const { completions } = served.client.chat;
    const { id } = await completions.create({ model, messages, store: true });
    assertEquals((await threeWays(completions.update(id, { metadata: METADATA }))).metadata, METADATA);
    assertEquals((await completions.retrieve(id)).metadata, METADATA);
    const deleted = await completions.delete(id);
    assertEquals({ ...deleted }, { object: "chat.completion.deleted", id, deleted: true });
    for (
      const call of [
        () => completions.retrieve(id),
        () => completions.update(id, { metadata: METADATA }),
        () => completions.delete(id),
      ]
    ) await assertRejects(call, NotFoundError);
  });

  Deno.test(`openai chat.completions.list() gives what ${name} was asked to keep, in pages`, async () => {
    await using served = await server.serve("text");
    const { completions } = served.client.chat;
    assertEquals((await threeWays(completions.list())).data, []);
    const ids: string[] = [];
    for (const metadata of [METADATA, { foo: "other" }, METADATA]) {
      ids.push((await completions.create({ model, messages, store: true, metadata })).id);
    }
    const page = await completions.list({ limit: 2, order: "asc" });
    assertEquals([page.data.map(({ id }) => id), page.hasNextPage()], [ids.slice(0, 2), true]);
    assertEquals((await Array.fromAsync(completions.list({ limit: 1, order: "asc" }))).map(({ id }) => id), ids);
    assertEquals((await Array.fromAsync(completions.list({ limit: 1, order: "desc" }))).map(({ id }) => id), [
      ...ids.toReversed(),
    ]);
    const found = await completions.list({ metadata: METADATA, model, order: "asc" });
    assertEquals(found.data.map(({ id }) => id), [ids[0], ids[2]]);
    assertEquals((await completions.list({ model: "other" })).data, []);
    await assertRejects(
      () => completions.list({ after: "a", limit: 0, metadata: METADATA, model, order: "asc" }, UNKNOWN_PATH),
      NotFoundError,
    );
  });

  Deno.test(`openai chat.completions.retrieve() gives what ${name} was asked to keep of a stream`, async () => {
    await using served = await server.serve("stream");
    const { completions } = served.client.chat;
    const made = await completions.stream({ model, messages, store: true }).finalChatCompletion();
    const kept = await completions.retrieve(made.id);
    assertEquals(kept.choices[0]?.message.content, server.text);
    assertEquals(kept.choices[0]?.finish_reason, "stop");
  });
}
