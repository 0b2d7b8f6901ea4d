import type { JSX } from "preact";
import { chosenOf } from "../state/choice.ts";
import type { AssistantTurn } from "../state/types.ts";

/** Milliseconds below which a speed is noise. */
const SHORTEST = 20;

/** How the answer went, in numbers. */
export function Statistics({ turn }: { readonly turn: AssistantTurn }): JSX.Element {
  const { tokens, timing: { firstToken, total } } = turn;
  const { finishReason } = chosenOf(turn);
  const speed = speedOf(turn);
  const entries: readonly (readonly [label: string, value: string | undefined])[] = [
    ["Finish", finishReason],
    ["In", tokens && toTokens(tokens.prompt)],
    ["Out", tokens && toTokens(tokens.completion) + (tokens.reasoning ? `, ${format(tokens.reasoning)} thinking` : "")],
    ["First token", firstToken === undefined ? undefined : seconds(firstToken)],
    ["Total", total === undefined ? undefined : seconds(total)],
    ["Speed", speed === undefined ? undefined : `${format(speed)} tokens/s`],
  ];
  return (
    <dl class="statistics" data-testid="statistics">
      {entries.map(([label, value]) =>
        value !== undefined && (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        )
      )}
    </dl>
  );
}

/** Tokens a second, from the first token on where that is known. */
function speedOf({ tokens, timing: { firstToken = 0, total } }: AssistantTurn): number | undefined {
  if (tokens === undefined || total === undefined || total - firstToken < SHORTEST) return undefined;
  return tokens.completion / ((total - firstToken) / 1000);
}

function toTokens(count: number): string {
  return `${format(count)} ${count === 1 ? "token" : "tokens"}`;
}

function seconds(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
}

function format(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 1 : 0 });
}
