import { assert, assertEquals } from "@std/assert";
import { ChatModelError, loadChatModel } from "../../mod.ts";
import { saying, ScriptedModel } from "./_models.ts";
import { PHONE, withPlayground } from "./_page.ts";

Deno.test("playground shows an error with its facts, and tries again", async () => {
  let broken = true;
  const model = new ScriptedModel({
    async *Go() {
      if (broken) throw new ChatModelError("Cannot think today", { status: 503, code: "tired", param: "messages" });
      yield "Better now";
    },
  });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    const response = page.waitForResponse((response) => response.url().endsWith("/chat/completions"));
    await send("Go");
    const box = (await answer()).getByTestId("error");
    const text = await box.innerText();
    const id = (await response).headers()["x-request-id"];
    assert(id);
    for (const fact of ["Cannot think today", "503", "tired", "server_error", "messages", id]) {
      assert(text.includes(fact), `${fact} in ${text}`);
    }
    assertEquals(await page.getByTestId("announcement").innerText(), "Error: Cannot think today");
    broken = false;
    await box.getByRole("button", { name: "Retry" }).click();
    await page.locator(".message.assistant.done").getByText("Better now").waitFor();
    assertEquals(await page.getByTestId("error").count(), 0);
    assertEquals(model.seen.at(-1)?.messages, [{ role: "user", content: "Go" }]);
  });
});

Deno.test("playground keeps what was said before an error in the stream", async () => {
  const model = new ScriptedModel({
    async *Go() {
      yield "Up to here";
      // After the headers, so that the error can only come in the stream.
      await new Promise((resolve) => setTimeout(resolve, 50));
      throw new ChatModelError("Cannot go on", { code: "lost_thread" });
    },
  });
  await withPlayground({ model }, async ({ send, answer }) => {
    await send("Go");
    const article = await answer();
    assertEquals(await article.getByTestId("markdown").innerText(), "Up to here");
    const text = await article.getByTestId("error").innerText();
    assert(text.includes("Cannot go on") && text.includes("lost_thread"), text);
  });
});

for (const isEarly of [true, false]) {
  Deno.test(`playground shows status and type of an error without a code ${isEarly ? "at once" : "in a stream"}`, async () => {
    const error = { error: { message: "Out of order", type: "server_error", param: null, code: null } };
    await withPlayground({ model: new ScriptedModel({}) }, async ({ page, send, answer }) => {
      await page.route("**/chat/completions", (route) =>
        route.fulfill(
          isEarly
            ? { status: 500, json: error }
            : { contentType: "text/event-stream", body: `data: ${JSON.stringify(error)}\n\n` },
        ));
      await send("Go");
      const facts = (await answer()).getByTestId("error").locator(".facts > div");
      assertEquals(
        await facts.evaluateAll((all) => all.map((fact) => [...fact.children].map((part) => part.textContent))),
        [["Status", isEarly ? "500" : "200, then an error in the stream"], ["Type", "server_error"]],
      );
      assertEquals(await page.getByTestId("announcement").innerText(), "Error: Out of order");
    });
  });
}

Deno.test("playground sends as many stop sequences as there may be", async () => {
  const model = new ScriptedModel({ Go: saying("Hi") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await page.getByLabel("Stop sequences").fill("a\n\nb\n\\n\nd\n");
    await send("Go");
    await answer();
    assertEquals(model.seen.map(({ params }) => params.stop), [["a", "b", "\n", "d"]]);
  });
});

Deno.test("playground says when the server cannot be reached", async () => {
  const model = new ScriptedModel({ Go: saying("Hi") });
  await withPlayground({ model }, async ({ page, send, answer, stopServer }) => {
    await stopServer();
    await send("Go");
    const text = await (await answer()).getByTestId("error").innerText();
    assert(text.includes("Cannot reach the server") && text.includes("connection_failed"), text);
    assertEquals(await page.locator(".message.user").innerText(), "Go");
  });
});

Deno.test("playground says beside a field what is wrong with it, sends nothing and loses nothing", async () => {
  const model = new ScriptedModel({ Go: saying("Hi") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    const cases: readonly [label: string, text: string, problem: RegExp][] = [
      ["Tools (JSON)", '[{"name": "x",\n}]', /Is not JSON.*line 2, column 1/],
      ["Tools (JSON)", '[{"parameters": {}}]', /Tool 1 lacks a "name"/],
      ["Response schema (JSON)", "[1]", /Must be a JSON Schema/],
      ["Custom inputs (JSON)", "17", /Must be an object/],
      ["More request fields (JSON)", "{", /Is not JSON/],
      ["Temperature", "hot", /Must be a number from 0 to 2/],
      ["Max tokens", "1.5", /Must be a whole number/],
      ["Seed", "x", /Must be a whole number/],
      ["Stop sequences", "a\n\nb\nc\nd\ne", /Must be at most 4, one a line; there are 5/],
    ];
    for (const [label, text, problem] of cases) {
      const field = page.getByLabel(label, { exact: true });
      await field.fill(text);
      await send("Go");
      await page.getByText("Not sent: a setting is not valid").waitFor();
      await page.locator(`#${await field.getAttribute("id")}:focus`).waitFor();
      assertEquals(await field.getAttribute("aria-invalid"), "true");
      const described = await field.getAttribute("aria-describedby");
      const said = await page.locator(`#${described?.split(" ").at(-1)}`).innerText();
      assert(problem.test(said), `${label}: ${said}`);
      assertEquals([await field.inputValue(), await page.locator("#composer-text").inputValue()], [text, "Go"]);
      await field.fill("");
      assertEquals(await field.getAttribute("aria-invalid"), "false");
    }
    assertEquals(model.seen, []);
    await send("Go");
    await answer();
    assertEquals(model.seen.length, 1);
  });
});

Deno.test("playground opens the settings at the field that is wrong when they are out of sight", async () => {
  const model = new ScriptedModel({ Go: saying("Hi") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await page.getByRole("button", { name: "Settings" }).tap();
    await page.getByLabel("Seed").fill("many");
    await page.getByRole("button", { name: "Close" }).tap();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await send("Go");
    await page.locator("#field-seed:focus").waitFor();
    assertEquals(await page.getByRole("dialog").getByText("Must be a whole number").count(), 1);
    await page.getByLabel("Seed").fill("7");
    await page.getByRole("button", { name: "Close" }).tap();
    await page.getByRole("button", { name: "Send" }).tap();
    await answer();
    assertEquals(model.seen.map(({ params }) => params.seed), [7]);
  }, PHONE);
});

Deno.test("playground says what is left out of the next request", async () => {
  await withPlayground({ model: new ScriptedModel({}) }, async ({ page }) => {
    await page.getByLabel("Temperature").fill("hot");
    await page.getByLabel("Tools (JSON)", { exact: true }).fill("[");
    await page.getByRole("button", { name: "Show the next request as code" }).click();
    await page.getByText("Without what is not valid: Temperature, Tools (JSON)").waitFor();
  });
});

Deno.test("playground says why there are no models, and asks again", async () => {
  let broken = true;
  const model = await loadChatModel(new ScriptedModel({ Go: saying("Hi") }));
  const directory = {
    list() {
      if (broken) throw new ChatModelError("Cannot list models: a key is missing", { status: 401 });
      return [{ id: "late", object: "model" as const, created: 0, owned_by: "me" }];
    },
    find: () => model,
  };
  await withPlayground(directory, async ({ page, send, answer }) => {
    await page.getByText("Cannot list models: a key is missing").waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Cannot list models: a key is missing").waitFor();
    broken = false;
    // A key that is typed may be what was missing.
    await page.getByLabel("API key").fill("key");
    await page.getByLabel("API key").press("Tab");
    await page.locator("#field-model:not([disabled])").waitFor();
    assertEquals(await page.getByLabel("Model", { exact: true }).inputValue(), "late");
    await send("Go");
    assertEquals(await (await answer()).getByTestId("markdown").innerText(), "Hi");
  });
});
