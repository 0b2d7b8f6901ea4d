import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { ChatModelError } from "../../mod.ts";
import { ScriptedModel } from "./_models.ts";
import { PHONE, withPlayground } from "./_page.ts";

/** More than two screens of text in one piece. */
function burst(name: string): string {
  return Array.from({ length: 60 }, (_, line) => `${name}, line ${line}\n\n`).join("");
}

/** A model that says one piece after the other, each when it is let. */
class Steps {
  readonly #parts: string[];
  #next = Promise.withResolvers<void>();

  constructor(parts: readonly string[]) {
    this.#parts = [...parts];
  }

  async *say(signal: AbortSignal): AsyncGenerator<string> {
    const end = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => end.reject(signal.reason));
    for (const part of this.#parts) {
      yield part;
      await Promise.race([this.#next.promise, end.promise]);
      this.#next = Promise.withResolvers<void>();
    }
  }

  go(): void {
    this.#next.resolve();
  }
}

interface Position {
  readonly top: number;
  readonly distance: number;
}

/** Where the conversation is scrolled to, once all scrolling and drawing is done. */
async function position(page: Page): Promise<Position> {
  return await page.evaluate<Position>(`new Promise((resolve) => {
    const scroller = document.querySelector(".scroller");
    let before = -1;
    let same = 0;
    const look = () => {
      const now = scroller.scrollTop + scroller.scrollHeight;
      same = now === before ? same + 1 : 0;
      before = now;
      if (same < 8) return requestAnimationFrame(look);
      const { scrollTop, scrollHeight, clientHeight } = scroller;
      resolve({ top: scrollTop, distance: scrollHeight - clientHeight - scrollTop });
    };
    look();
  })`);
}

function assertAtEnd({ distance }: Position, when: string): void {
  assert(distance <= 1, `${distance} px from the end ${when}`);
}

Deno.test("playground stays at the end when much comes at once, again and again", async () => {
  const model = new ScriptedModel({
    async *Go() {
      for (let part = 0; part < 12; part++) {
        yield burst(`Part ${part}`);
        // Near the page's interval of drawing, so that what scrolls and what grows fall into each other.
        await new Promise((resolve) => setTimeout(resolve, 35));
      }
      yield "```\n" + "code\n".repeat(200) + "```\n\nThe last line";
    },
  });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await send("Go");
    await answer();
    assertAtEnd(await position(page), "after the answer");
    const box = await page.getByText("The last line").boundingBox();
    assert(box !== null && box.y > 0 && box.y < 800, JSON.stringify(box));
  });
});

Deno.test("playground shows an error that comes after much text", async () => {
  const model = new ScriptedModel({
    async *Go() {
      yield burst("First");
      await new Promise((resolve) => setTimeout(resolve, 35));
      yield burst("Second");
      await new Promise((resolve) => setTimeout(resolve, 35));
      throw new ChatModelError(`Cannot go on: ${"a long reason ".repeat(60)}`, { code: "lost_thread" });
    },
  });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await send("Go");
    await answer();
    assertAtEnd(await position(page), "after the error");
    const box = await page.getByRole("button", { name: "Retry" }).boundingBox();
    assert(box !== null && box.y > 0 && box.y < 800, JSON.stringify(box));
  });
});

const WAYS: readonly [how: string, up: (page: Page) => Promise<void>, down: (page: Page) => Promise<void>][] = [
  ["the wheel", (page) => wheel(page, -300), (page) => wheel(page, 100_000)],
  ["one notch of the wheel", (page) => wheel(page, -20), (page) => wheel(page, 100_000)],
  ["keys", (page) => press(page, "PageUp"), (page) => press(page, "End")],
  ["the scrollbar", (page) => drag(page, "scroller.scrollTop - 300"), (page) => drag(page, "scroller.scrollHeight")],
  ["a finger", (page) => swipe(page, 200), (page) => swipeToEnd(page)],
];

for (const [how, up, down] of WAYS) {
  Deno.test(`playground stays where the reader scrolls to by ${how}, until that is the end again`, async () => {
    const steps = new Steps([burst("One"), burst("Two"), burst("Three"), burst("Four"), "The end"]);
    const model = new ScriptedModel({ Go: ({ signal }) => steps.say(signal) });
    await withPlayground({ model }, async ({ page, send, answer }) => {
      await send("Go");
      await page.getByText("One, line 59").waitFor();
      const end = await position(page);
      assertAtEnd(end, "at the beginning");
      await up(page);
      const away = await position(page);
      assert(away.top < end.top, `${away.top} is not above ${end.top}`);
      for (const name of ["Two", "Three"]) {
        steps.go();
        await page.getByText(`${name}, line 59`).waitFor();
        assertEquals((await position(page)).top, away.top, `after ${name}`);
      }
      await down(page);
      assertAtEnd(await position(page), "after going back");
      steps.go();
      await page.getByText("Four, line 59").waitFor();
      assertAtEnd(await position(page), "after more has come");
      steps.go();
      await page.getByText("The end").waitFor();
      steps.go();
      await answer();
      assertAtEnd(await position(page), "after the answer");
    }, how === "a finger" ? PHONE : {});
  });
}

/** Has the browser tell late of scrolling: more has come before it does. */
const LATE_EVENTS = `{
  const scroller = document.querySelector(".scroller");
  scroller.addEventListener("scroll", (event) => {
    if (!event.isTrusted) return;
    event.stopImmediatePropagation();
    setTimeout(() => scroller.dispatchEvent(new Event("scroll")), 300);
  }, { capture: true });
}`;

Deno.test("playground stays where the reader scrolls to, and at the end, when the browser tells of it late", async () => {
  const steps = new Steps([burst("One"), burst("Two"), burst("Three"), burst("Four")]);
  const model = new ScriptedModel({ Go: ({ signal }) => steps.say(signal) });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await page.evaluate(LATE_EVENTS);
    await send("Go");
    await page.getByText("One, line 59").waitFor();
    steps.go();
    await page.getByText("Two, line 59").waitFor();
    const end = await position(page);
    assertAtEnd(end, "after the second piece");
    await drag(page, "scroller.scrollTop - 300");
    steps.go();
    await page.getByText("Three, line 59").waitFor();
    assertEquals((await position(page)).top, end.top - 300);
    await drag(page, "scroller.scrollHeight");
    steps.go();
    await page.getByText("Four, line 59").waitFor();
    assertAtEnd(await position(page), "after the last piece");
    steps.go();
    await answer();
    assertAtEnd(await position(page), "after the answer");
  });
});

Deno.test("playground follows a new answer wherever the reader is, and stays when a message is deleted", async () => {
  const model = new ScriptedModel({
    async *Go() {
      yield burst("One");
    },
    async *On() {
      yield burst("Two");
    },
  });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await send("Go");
    await answer();
    await wheel(page, -100_000);
    assertEquals((await position(page)).top, 0);
    await send("On");
    await answer(2);
    assertAtEnd(await position(page), "after the second answer");
    await wheel(page, -100_000);
    await page.getByRole("button", { name: "Delete message" }).first().click();
    assertEquals((await position(page)).top, 0);
  });
});

Deno.test("playground keeps the end in sight when the window becomes smaller or larger", async () => {
  const steps = new Steps([burst("One"), "The end"]);
  const model = new ScriptedModel({ Go: ({ signal }) => steps.say(signal) });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await send("Go");
    await page.getByText("One, line 59").waitFor();
    for (const [width, height] of [[1280, 400], [1280, 900], [500, 700], [1280, 800]] as const) {
      await page.setViewportSize({ width, height });
      assertAtEnd(await position(page), `at ${width} x ${height}`);
    }
    steps.go();
    await page.getByText("The end").waitFor();
    steps.go();
    await answer();
    assertAtEnd(await position(page), "after the answer");
  });
});

async function wheel(page: Page, distance: number): Promise<void> {
  await page.locator(".scroller").hover();
  await page.mouse.wheel(0, distance);
  await scrolled(page);
}

async function press(page: Page, key: string): Promise<void> {
  await page.locator(".scroller").focus();
  await page.keyboard.press(key);
  await scrolled(page);
}

/** Browsers without a window draw no scrollbar; what one does is this. */
async function drag(page: Page, top: string): Promise<void> {
  await page.evaluate(`{
    const scroller = document.querySelector(".scroller");
    scroller.scrollTop = ${top};
  }`);
}

async function swipe(page: Page, distance: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", y?: number) =>
    session.send("Input.dispatchTouchEvent", { type, touchPoints: y === undefined ? [] : [{ x: 180, y }] });
  const [from, to] = distance > 0 ? [200, 200 + distance] : [600, 600 + distance];
  await touch("touchStart", from);
  for (let step = 1; step <= 10; step++) await touch("touchMove", from + (to - from) * step / 10);
  await touch("touchEnd");
  await session.detach();
  await scrolled(page);
}

async function swipeToEnd(page: Page): Promise<void> {
  for (let turn = 0; turn < 40 && (await position(page)).distance > 1; turn++) await swipe(page, -450);
}

/** Input goes to another process first, so that its effect comes some frames later. */
async function scrolled(page: Page): Promise<void> {
  await page.waitForTimeout(200);
}
