import { assert, assertEquals } from "@std/assert";
import axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { renderReport } from "../../../evaluation/report/mod.ts";
import { launchChromium } from "../../playground/_chromium.ts";
import { PHONE } from "../../playground/_page.ts";
import { resultOf, row, score } from "./_results.ts";

const ATTACKS = [
  "<script>globalThis.hit = 1</script>",
  "</pre></div></details><img src=x onerror='globalThis.hit = 2'>",
  "</title></style><style>*{display:none}</style><svg onload=globalThis.hit=3>",
  `"><iframe srcdoc="<script>parent.hit = 4</script>"></iframe>`,
  "<a href='javascript:globalThis.hit=5'>x</a><base href='http://127.0.0.1:9/'>",
  "<meta http-equiv='refresh' content='0;url=http://127.0.0.1:9/'>]]><!--",
];

/** A report that has something of everything, and whose every text is an attack. */
async function attackedReport(): Promise<string> {
  const rows = (differs: boolean) =>
    ATTACKS.map((attack, index) =>
      row(index, {
        id: `${attack}${index}`,
        inputs: { messages: [{ role: "system", content: attack }, { role: "user", content: attack }] },
        expected: `${attack} expected`,
        text: differs ? attack : `${attack} expected`,
        tags: { [attack]: attack },
        scores: {
          exact: { ...score(!differs), rationale: attack },
          kind: { value: attack },
          size: { value: index * (differs ? 1 : 2) },
          ...(index > 2 &&
            {
              broken: {
                value: null,
                error: { message: attack, code: attack, name: attack, status: 500, retryable: false },
              },
            }),
        },
        timeToFirstToken: index,
        ...(index === 1 && differs && {
          state: "ERROR" as const,
          error: { message: attack, code: attack, name: attack, status: 500, retryable: false },
        }),
      })
    );
  const [attack = ""] = ATTACKS;
  const config = { model: { name: attack, uri: attack, modelId: attack }, params: { stop: attack } };
  const baseline = await resultOf(rows(false), config);
  return await renderReport(await resultOf(rows(true), config), { baseline, title: ATTACKS.join(" ") });
}

/** Opens a report, has it looked at, and checks that it asked for nothing and broke no rule. */
async function withReport(
  report: string,
  test: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".html" });
  const browser = await launchChromium();
  try {
    await Deno.writeTextFile(path, report);
    const page = await (await browser.newContext({ viewport: { width: 1180, height: 900 }, ...options })).newPage();
    const requested: string[] = [];
    const complaints: string[] = [];
    page.on("request", (request) => requested.push(request.url()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => complaints.push(message.text()));
    await page.goto(`file://${path}`);
    for (const summary of await page.locator("details.row > summary").all()) await summary.click();
    await test(page);
    assertEquals(requested, [`file://${path}`]);
    assertEquals(complaints, []);
  } finally {
    await browser.close();
    await Deno.remove(path);
  }
}

Deno.test("renderReport() runs and loads nothing that stands in answers, scores and names", async () => {
  await withReport(await attackedReport(), async (page) => {
    assertEquals(await page.evaluate("globalThis.hit"), undefined);
    assertEquals(
      await page.locator("script, iframe, img, a, base, link, meta[http-equiv=refresh], style:not(head style)").count(),
      0,
    );
    assertEquals(await page.locator("details.row").count(), ATTACKS.length);
    const answers = await page.locator(".message.answer pre").allInnerTexts();
    for (const attack of ATTACKS) if (attack !== ATTACKS[1]) assert(answers.includes(attack), attack);
    assertEquals(
      await page.evaluate(
        "[...document.querySelectorAll('*')].filter((e) => [...e.attributes].some((a) => a.name.startsWith('on') || a.name === 'style')).length",
      ),
      0,
    );
  });
});

const LOOKS: readonly [name: string, options: BrowserContextOptions][] = [
  ["in light", { colorScheme: "light" }],
  ["in dark", { colorScheme: "dark" }],
  ["on a phone", { ...PHONE, colorScheme: "light" }],
];

for (const [name, options] of LOOKS) {
  Deno.test(`renderReport() has nothing for axe to complain about ${name}, and fits the screen`, async () => {
    await withReport(await attackedReport(), async (page) => {
      // By the debugger, as the page's own policy lets no code in.
      await page.evaluate(axe.source);
      const found = await page.evaluate<
        readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
      >(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)",
      );
      assertEquals(found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`), []);
      assertEquals(await page.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
    }, options);
  });
}

Deno.test("renderReport() prints what is closed on the screen, in dark on light", async () => {
  await withReport(await renderReport(await resultOf([row(0, { text: "Not the capital" })])), async (page) => {
    await page.locator("details.row > summary").click();
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const answer = page.locator(".message.answer pre");
    assert(((await answer.boundingBox())?.height ?? 0) > 0, "The answer is not on the paper");
    assertEquals(
      await page.evaluate("getComputedStyle(document.documentElement).backgroundColor"),
      "rgb(255, 255, 255)",
    );
  });
});
