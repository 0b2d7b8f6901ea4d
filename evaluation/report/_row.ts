import { diffWordsWithSpace } from "diff";
import { type ChatMessage, parseChatMessage, ValidationError } from "../../types/mod.ts";
import { isRecord } from "../_canonical_json.ts";
import type { RowResult, RowScore } from "../run/mod.ts";
import { type Insertion, type Markup, markup } from "./_html.ts";
import { showCount, showNumber, showTime } from "./_numbers.ts";

/** Most messages of a conversation that are shown. */
const MOST_MESSAGES = 40;

/** Most scores of a row that are shown. */
const MOST_SCORES = 100;

/** Most scores that do not pass that are named in the heading of a row. */
const MOST_MARKS = 6;

/** Longest question in the heading of a row, in UTF-16 units. */
const LONGEST_QUESTION = 120;

/** Most words that a text and its expectation may differ by for the difference to be shown. */
const MOST_EDITS = 2_000;

/** What a row is shown with. */
export interface RowView {
  /** The same row of the baseline. */
  readonly before: RowResult | undefined;
  /** Most UTF-16 units of a text. */
  readonly mostText: number;
}

/**
 * One row, to be opened.
 *
 * @param row The row.
 * @param view What it is shown with.
 * @returns A `details` element.
 */
export function renderRow(row: RowResult, { before, mostText }: RowView): Markup {
  const cut = (text: string): string => shorten(text, mostText);
  const { id, index, state, scores, expectations, text, tags } = row;
  const failed = Object.entries(scores).filter(([, { passed, error }]) => passed === false || error !== undefined);
  const held = heldConversation(row);
  return markup`<details class="row">
<summary><span class="row-id">${cut(id)}</span> ${
    state === "ERROR"
      ? markup`<span class="mark bad">error</span> `
      : failed.slice(0, MOST_MARKS).map(([name]) => markup`<span class="mark bad">✗ ${name}</span> `)
  }${changeOf(row, before)}<span class="row-question">${shorten(questionOf(row), LONGEST_QUESTION)}</span></summary>
<div class="row-body">
<p class="facts">${
    [`Row ${showCount(index + 1)}`, ...factsOf(row), ...Object.entries(tags).map((tag) => cut(tag.join(": ")))].join(
      " · ",
    )
  }</p>
<h3>Conversation</h3>
${renderConversation(row, { held, cut })}
${renderAnswer(row, { held, cut })}
${renderExpectations(expectations, { text, hasAnswer: state === "OK" && held === undefined, cut })}
${renderBaseline(row, { before, held, cut })}
<h3>Scores</h3>
${renderScores(row, { before: before?.scores, cut })}
</div>
</details>
`;
}

function renderAnswer({ error, text, output }: RowResult, { held, cut }: Held): Insertion {
  if (error === undefined) {
    // A conversation that was held before stands there with its answers.
    if (held !== undefined) return undefined;
    return markup`${messageOf("assistant", "Answer", cut(text), { isAnswer: true })}${callsOf(output, cut)}`;
  }
  const { message, name, code } = error;
  return markup`<div class="message failed"><h4>Error</h4><pre dir="auto">${cut(message)}</pre><p class="facts">${
    code === null ? name : `${name}, ${code}`
  }</p></div>`;
}

function renderBaseline(
  { text }: RowResult,
  { before, held, cut }: Held & { readonly before: RowResult | undefined },
): Insertion {
  if (before === undefined || before.text === text || held !== undefined) return undefined;
  return markup`<h3>Baseline’s answer</h3><pre dir="auto" class="quoted">${
    cut(before.error?.message ?? before.text)
  }</pre>`;
}

type Cut = (text: string) => string;

interface Held {
  /** The whole conversation, where the row's outputs are one. */
  readonly held: readonly ChatMessage[] | undefined;
  /** Cuts long texts. */
  readonly cut: Cut;
}

function heldConversation({ output }: RowResult): readonly ChatMessage[] | undefined {
  return isRecord(output) ? messagesIn(output.messages) : undefined;
}

function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most)}… (${showCount(text.length - most)} more characters are left out)`;
}

function questionOf({ inputs, conversation }: RowResult): string {
  const messages = messagesIn(conversation ?? inputs.messages ?? inputs.conversation);
  const asked = messages?.filter(({ role }) => role === "user").at(-1);
  return asked === undefined ? textOf(inputs) : contentOf(asked);
}

function factsOf({ latency, timeToFirstToken, usage, attempts, seed }: RowResult): readonly string[] {
  return [
    ...(latency === undefined ? [] : [showTime(latency)]),
    ...(timeToFirstToken === undefined ? [] : [`first token after ${showTime(timeToFirstToken)}`]),
    ...(usage === undefined
      ? []
      : [`${showCount(usage.prompt_tokens)} + ${showCount(usage.completion_tokens)} tokens`]),
    ...(attempts > 1 ? [`${attempts} tries`] : []),
    ...(seed === undefined ? [] : [`seed ${seed}`]),
  ];
}

function changeOf(row: RowResult, before: RowResult | undefined): Insertion {
  if (before === undefined) return undefined;
  const names = Object.keys(row.scores);
  const passedBefore = names.filter((name) =>
    before.scores[name]?.passed === true && row.scores[name]?.passed === false
  );
  const passesNow = names.filter((name) => before.scores[name]?.passed === false && row.scores[name]?.passed === true);
  if (row.state === "ERROR" && before.state === "OK" || passedBefore.length > 0) {
    return markup`<span class="mark bad">▼ worse than baseline</span> `;
  }
  return passesNow.length > 0 ? markup`<span class="mark good">▲ better than baseline</span> ` : undefined;
}

function renderConversation({ inputs, conversation }: RowResult, { held, cut }: Held): Markup {
  const messages = held ?? messagesIn(conversation ?? inputs.messages);
  if (messages === undefined) {
    return messageOf("user", "Inputs", cut(textOf(inputs)), { isAnswer: false });
  }
  const left = Math.max(0, messages.length - MOST_MESSAGES);
  // What was said last explains the answer best.
  return markup`${
    left > 0 ? markup`<p class="facts">${showCount(left)} earlier messages are left out</p>` : undefined
  }${
    messages.slice(left).map((message) =>
      messageOf(message.role, message.role, cut(contentOf(message)), { isAnswer: false })
    )
  }`;
}

function messageOf(role: string, title: string, text: string, { isAnswer }: { readonly isAnswer: boolean }): Markup {
  const classes = `message ${role === "user" || role === "assistant" ? role : "other"}${isAnswer ? " answer" : ""}`;
  return markup`<div class="${classes}"><h4>${title}</h4><pre dir="auto">${
    text === "" ? "(no text)" : text
  }</pre></div>`;
}

function callsOf(output: unknown, cut: Cut): Insertion {
  const [choice]: readonly unknown[] = isRecord(output) && Array.isArray(output.choices) ? output.choices : [];
  const message: unknown = isRecord(choice) ? choice.message : undefined;
  const calls: unknown = isRecord(message) ? message.tool_calls : undefined;
  if (!Array.isArray(calls) || calls.length === 0) return undefined;
  return markup`<div class="message other"><h4>Tool calls</h4><pre dir="auto">${cut(textOf(calls))}</pre></div>`;
}

function renderExpectations(
  expectations: RowResult["expectations"],
  { text, hasAnswer, cut }: { readonly text: string; readonly hasAnswer: boolean; readonly cut: Cut },
): Insertion {
  const { expected_response: expected, ...others } = expectations;
  const texts = typeof expected === "string" ? [expected] : expected ?? [];
  const [first] = texts;
  const rest = Object.entries(others);
  if (first === undefined && rest.length === 0) return undefined;
  return markup`<h3>Expected</h3>
${
    first === undefined
      ? undefined
      : markup`<pre dir="auto" class="quoted">${cut(first)}</pre>${
        texts.length > 1 ? markup`<p class="facts">or one of ${texts.length - 1} more</p>` : undefined
      }${hasAnswer ? renderDifference(first, text, cut) : undefined}`
  }${
    rest.map(([name, value]) =>
      markup`<p class="facts">${name}</p><pre dir="auto" class="quoted">${cut(textOf(value))}</pre>`
    )
  }`;
}

function renderDifference(expected: string, answer: string, cut: Cut): Insertion {
  if (expected === answer) return markup`<p class="facts">The answer is the same</p>`;
  // Both cut alike, so that what is left out is no difference.
  const changes = diffWordsWithSpace(cut(expected), cut(answer), { maxEditLength: MOST_EDITS });
  if (changes === undefined) {
    return markup`<p class="facts">The answer differs too much for the difference to be shown</p>`;
  }
  return markup`
    <p class="facts">Difference: <del>expected, but not said</del> <ins>said, but not expected</ins></p>
    <pre dir="auto" class="quoted">${
    changes.map(({ value, added, removed }) =>
      added ? markup`<ins>${value}</ins>` : removed ? markup`<del>${value}</del>` : value
    )
  }</pre>
  `;
}

function renderScores(
  { id, scores }: RowResult,
  { before, cut }: { readonly before: RowResult["scores"] | undefined; readonly cut: Cut },
): Markup {
  const entries = Object.entries(scores);
  const hasBefore = before !== undefined;
  // It can be wider than a phone: then it must be possible to scroll it by keys.
  return markup`<div class="scroll" role="group" tabindex="0" aria-label="Scores of ${cut(id)}"><table>
<thead><tr><th scope="col">Score</th><th scope="col">Value</th>${
    hasBefore ? markup`<th scope="col">Baseline</th>` : undefined
  }<th scope="col">Why</th></tr></thead>
<tbody>${
    entries.slice(0, MOST_SCORES).map(([name, score]) =>
      markup`<tr><th scope="row">${name}</th><td>${valueOf(score)}</td>${
        hasBefore ? markup`<td>${valueOf(before[name])}</td>` : undefined
      }<td class="why">${cut(score.error?.message ?? score.rationale ?? "")}</td></tr>
`
    )
  }</tbody></table></div>${
    entries.length > MOST_SCORES
      ? markup`<p class="facts">${entries.length - MOST_SCORES} more scores are left out</p>`
      : undefined
  }`;
}

function valueOf(score: RowScore | undefined): Insertion {
  if (score === undefined) return "–";
  const { value, passed, error } = score;
  if (error !== undefined) return markup`<span class="mark bad">error</span>`;
  const shown = value === null ? "–" : typeof value === "number" ? showNumber(value) : shorten(String(value), 60);
  if (passed === undefined) return shown;
  return passed ? markup`<span class="mark good">✓ ${shown}</span>` : markup`<span class="mark bad">✗ ${shown}</span>`;
}

function messagesIn(value: unknown): readonly ChatMessage[] | undefined {
  if (!Array.isArray(value)) return undefined;
  try {
    return value.map((message: unknown) => parseChatMessage(message));
  } catch (error) {
    // A function may take anything by that name: it is shown as JSON.
    if (error instanceof ValidationError) return undefined;
    throw error;
  }
}

function contentOf(message: ChatMessage): string {
  const { content } = message;
  const texts = typeof content === "string"
    ? [content]
    : content?.map((part) =>
      part.type === "text" ? part.text : part.type === "refusal" ? part.refusal : `(${part.type})`
    ) ?? [];
  const calls = message.role === "assistant" ? message.tool_calls ?? [] : [];
  return [...texts, ...calls.map((call) => `(tool call) ${textOf(call)}`)].join("\n");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? "";
}
