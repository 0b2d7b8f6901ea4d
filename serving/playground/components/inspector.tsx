import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { apiKey } from "../state/api_key.ts";
import { type Chat, fieldId } from "../state/chat.ts";
import { chosenOf, waitsForResults } from "../state/choice.ts";
import type { Exchange, Settings, State, Turn } from "../state/types.ts";
import { apiBase } from "../wire/client.ts";
import { buildRequest, findProblems } from "../wire/request.ts";
import { shorten, toReadableJson } from "../wire/shorten.ts";
import { toSnippet } from "../wire/snippets.ts";
import { CopyButton } from "./button.tsx";
import { Dialog } from "./dialog.tsx";

/** What went over the wire for an answer, or would for the next; as text and as code. */
export function Inspector({ chat, state }: { readonly chat: Chat; readonly state: State }): JSX.Element | null {
  const exchange = findExchange(state);
  if (exchange === undefined) return null;
  const isNext = state.inspected === "next";
  return (
    <Dialog
      title={isNext ? "The next request" : "Request and answer"}
      class="inspector"
      onClose={() => chat.inspect(undefined)}
    >
      {isNext && <LeftOut settings={state.settings} />}
      {isNext && <Unanswered turns={state.turns} />}
      <Tabs exchange={exchange} isNext={isNext} />
    </Dialog>
  );
}

/** Says which settings are not in the request, because they make no sense. */
function LeftOut({ settings }: { readonly settings: Settings }): JSX.Element | null {
  const names = Object.keys(findProblems(settings));
  if (names.length === 0) return null;
  const labels = names.map((name) => document.querySelector(`label[for="${fieldId(name)}"]`)?.textContent ?? name);
  return <p class="notice">Without what is not valid: {labels.join(", ")}</p>;
}

/** Says that the request cannot be sent like this, because results of tools are not there yet. */
function Unanswered({ turns }: { readonly turns: readonly Turn[] }): JSX.Element | null {
  const calls = turns.flatMap((turn) => turn.role === "assistant" && waitsForResults(turn) ? chosenOf(turn).calls : []);
  if (calls.length === 0) return null;
  return (
    <p class="notice">
      Without the results of what the model calls, which are not sent yet: {calls.map(({ name }) => name).join(", ")}
    </p>
  );
}

interface Tab {
  readonly name: string;
  /** What is copied, whole. */
  readonly text: () => string;
  /** What is shown, if it is not that. */
  readonly shown?: () => string;
}

function Tabs({ exchange, isNext }: { readonly exchange: Exchange; readonly isNext: boolean }): JSX.Element {
  const tabs = makeTabs(exchange, isNext);
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const tab = tabs[chosen];
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -chosen, End: tabs.length - 1 - chosen }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (chosen + step + tabs.length) % tabs.length;
    setChosen(next);
    const button = list.current?.children[next];
    if (button instanceof HTMLElement) button.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label="Views" ref={list} onKeyDown={onKeyDown}>
        {tabs.map(({ name }, index) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${index}`}
            aria-selected={index === chosen}
            aria-controls="tab-panel"
            tabIndex={index === chosen ? 0 : -1}
            onClick={() => setChosen(index)}
          >
            {name}
          </button>
        ))}
      </div>
      {tab !== undefined && (
        <div class="tab-panel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${chosen}`}>
          <div class="tab-copy">
            <CopyButton key={tab.name} label={`Copy: ${tab.name}`} text={tab.text} />
          </div>
          <pre tabIndex={0} data-testid="wire">{(tab.shown ?? tab.text)()}</pre>
        </div>
      )}
    </>
  );
}

function makeTabs({ request, status, headers, frames }: Exchange, isNext: boolean): readonly Tab[] {
  const options = { baseUrl: apiBase(), withKey: apiKey.value !== "" };
  const readable = JSON.parse(toReadableJson(request));
  const snippets: readonly Tab[] = ([["curl", "curl"], ["openai-node", "node"], ["openai-python", "python"]] as const)
    .map(([name, language]) => ({
      name,
      text: () => toSnippet(language, request, options),
      shown: () => toSnippet(language, readable, options),
    }));
  const requestTab: Tab = {
    name: "Request",
    text: () => JSON.stringify(request, null, 2),
    shown: () => `POST ${options.baseUrl}/chat/completions\n\n${toReadableJson(request)}`,
  };
  if (isNext) return [requestTab, ...snippets];
  const head = [
    status === undefined ? "No answer" : `HTTP ${status}`,
    ...(headers ?? []).map(([k, v]) => `${k}: ${v}`),
  ];
  const framesTab: Tab = {
    name: `Frames (${frames.length})`,
    text: () => frames.map(({ text }) => text).join("\n\n"),
    shown: () =>
      [head.join("\n"), ...frames.map(({ at, text }) => `+${at.toFixed(1)} ms\n${shorten(text)}`)].join("\n\n"),
  };
  return [requestTab, framesTab, ...snippets];
}

function findExchange({ inspected, settings, turns, draft }: State): Exchange | undefined {
  if (inspected === "next") {
    const isEmpty = draft.text === "" && draft.images.length === 0;
    const next = isEmpty ? turns : [...turns, { role: "user", id: "next", ...draft } as const];
    return { request: buildRequest(settings, next), frames: [] };
  }
  const turn = turns.find(({ id }) => id === inspected);
  return turn?.role === "assistant" ? turn.exchange : undefined;
}
