import type { JSX } from "preact";
import type { Chat } from "../state/chat.ts";

/** What is shown while there is no message. */
export function Welcome({ chat }: { readonly chat: Chat }): JSX.Element {
  const examples = ["What can you do?", "Write a haiku about streams", "Explain tool calls in two sentences"];
  const choose = (text: string) => {
    chat.setDraft({ text });
    document.getElementById("composer-text")?.focus();
  };
  return (
    <section class="welcome">
      <span class="mark large" aria-hidden="true" />
      <h2>What would you like to ask?</h2>
      <p>
        Talk to the model, hand it tools and images, and look at what goes over the wire.
      </p>
      <ul class="examples">
        {examples.map((text) => (
          <li key={text}>
            <button type="button" class="example" onClick={() => choose(text)}>{text}</button>
          </li>
        ))}
      </ul>
    </section>
  );
}
