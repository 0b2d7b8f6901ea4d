import type { JSX } from "preact";
import type { Chat } from "../state/chat.ts";
import type { State } from "../state/types.ts";
import { AssistantMessage } from "./assistant_message.tsx";
import { useFollowing } from "./use_following.ts";
import { UserMessage } from "./user_message.tsx";
import { Welcome } from "./welcome.tsx";

/** All messages. Follows the answer as long as the reader has not scrolled away from its end. */
export function Conversation({ chat, state }: { readonly chat: Chat; readonly state: State }): JSX.Element {
  const { turns } = state;
  const last = turns.at(-1);
  const isBusy = last?.role === "assistant" && (last.progress === "waiting" || last.progress === "streaming");
  const { scroller, onScroll } = useFollowing(turns, isBusy ? last.id : undefined);
  return (
    <div class="scroller" ref={scroller} onScroll={onScroll} tabIndex={0} role="region" aria-label="Conversation">
      <div class="conversation" role="log" aria-live="polite" aria-busy={isBusy} aria-label="Messages">
        {turns.length === 0 && <Welcome chat={chat} />}
        {turns.map((turn) =>
          turn.role === "user"
            ? <UserMessage key={turn.id} chat={chat} turn={turn} isEdited={state.editing === turn.id} isBusy={isBusy} />
            : <AssistantMessage key={turn.id} chat={chat} turn={turn} isBusy={isBusy} />
        )}
      </div>
    </div>
  );
}
