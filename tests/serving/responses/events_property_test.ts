import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { normalise, type PredictPart } from "../../../streaming/mod.ts";
import { ResponseEvents } from "../../../serving/responses/_response_events.ts";
import type { ResponseEvent, ResponseObject } from "../../../serving/responses/_wire.ts";

const text = fc.string({ minLength: 1, maxLength: 5 });

const part: fc.Arbitrary<PredictPart> = fc.oneof(
  text,
  fc.record({ reasoning: text }),
  fc.record({ refusal: text }),
  fc.record({ content: text, reasoning: text }),
  fc.record({ annotations: fc.constant([{ type: "url_citation", url: "http://a" }]) }),
  fc.record({ index: fc.nat(3), text }).map(({ index, text }) => ({
    tool_calls: [{ index, id: `call_${index}`, type: "function" as const, function: { name: "f", arguments: text } }],
  })),
  fc.record({ index: fc.nat(3), text }).map(({ index, text }) => ({
    tool_calls: [{
      index: index + 4,
      id: `call_${index + 4}`,
      type: "custom" as const,
      custom: { name: "g", input: text },
    }],
  })),
);

async function run(parts: PredictPart[], summary: boolean): Promise<[ResponseEvent[], ResponseObject]> {
  const request = summary ? { reasoning: { summary: "auto" as const } } : {};
  const machine = new ResponseEvents({ id: `resp_${"a".repeat(24)}`, created: 1, request }, "m");
  const events = machine.begin();
  for await (const chunk of normalise(parts)) events.push(...machine.push(chunk));
  const response = machine.end(events);
  return [events, response];
}

/** Puts deltas together by the place they name, and checks what the events at their end say. */
function checkDeltas(events: readonly ResponseEvent[]): void {
  const open = new Map<string, string>();
  for (const event of events) {
    const { type, item_id, output_index, content_index, summary_index } = event;
    const place = JSON.stringify([item_id, output_index, content_index, summary_index]);
    if (type.endsWith(".delta")) {
      open.set(place, (open.get(place) ?? "") + event["delta"]);
    } else if (/(text|refusal|arguments|input)\.done$/.test(type)) {
      const whole = event["text"] ?? event["refusal"] ?? event["arguments"] ?? event["input"];
      assertEquals(open.get(place) ?? "", whole, type);
      open.delete(place);
    }
  }
  assertEquals(open.size, 0, "What was begun has ended");
}

/** Checks that items open in order, that nothing is said of an item before or after, and that each ends once. */
function checkItems(events: readonly ResponseEvent[], { output }: ResponseObject): void {
  const open = new Set<unknown>();
  const ended = new Map<unknown, unknown>();
  let count = 0;
  for (const event of events) {
    const index = event["output_index"];
    if (event.type === "response.output_item.added") {
      assertEquals(index, count++);
      open.add(index);
    } else if (event.type === "response.output_item.done") {
      assert(open.delete(index));
      ended.set(index, event["item"]);
    } else if (index !== undefined) {
      assert(open.has(index), `${event.type} is of an item that is open`);
    }
  }
  assertEquals(open.size, 0);
  assertEquals(Array.from(output, (_, i) => ended.get(i)), [...output]);
  assertEquals(new Set(output.map(({ id }) => id)).size, output.length);
}

Deno.test("ResponseEvents makes events that clients can put together, of whatever a model gives", async () => {
  await fc.assert(fc.asyncProperty(fc.array(part, { maxLength: 12 }), fc.boolean(), async (parts, summary) => {
    const [events, response] = await run(parts, summary);
    checkDeltas(events);
    checkItems(events, response);
    assertEquals(response.status, "completed");
    assert(response.output.length > 0);
  }));
});

Deno.test("ResponseEvents loses nothing that a model gives", async () => {
  await fc.assert(fc.asyncProperty(fc.array(part, { maxLength: 12 }), fc.boolean(), async (parts, summary) => {
    const [, response] = await run(parts, summary);
    const given = { text: "", reasoning: "", refusal: "", calls: new Map<string, string>(), annotations: 0 };
    for (const part of parts) {
      if (typeof part === "string") given.text += part;
      else if (!("choices" in part)) {
        given.text += typeof part.content === "string" ? part.content : "";
        given.reasoning += part.reasoning ?? "";
        given.refusal += part.refusal ?? "";
        given.annotations += part.annotations?.length ?? 0;
        for (const { id = "", function: called, custom } of part.tool_calls ?? []) {
          given.calls.set(id ?? "", (given.calls.get(id ?? "") ?? "") + (called?.arguments ?? custom?.input));
        }
      }
    }
    const found: typeof given = { text: "", reasoning: "", refusal: "", calls: new Map(), annotations: 0 };
    for (const item of response.output) {
      if (item.type === "reasoning") {
        found.reasoning += [...item.summary, ...item.content ?? []].map(({ text }) => text).join("");
      } else if (item.type === "message") {
        for (const part of item.content) {
          if (part.type === "refusal") found.refusal += part.refusal;
          else {
            found.text += part.text;
            found.annotations += part.annotations.length;
          }
        }
      } else found.calls.set(item.call_id, item.type === "function_call" ? item.arguments : item.input);
    }
    assertEquals(found, given);
  }));
});
