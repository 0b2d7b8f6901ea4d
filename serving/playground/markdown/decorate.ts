/** What a rendered text gets besides: code blocks with their language and a button to copy, wide things that scroll. */
import { copyText } from "../components/button.tsx";

/** Adds to elements that have been sanitised. */
export function decorate(fragment: DocumentFragment): void {
  for (const pre of fragment.querySelectorAll("pre")) decorateCode(pre);
  for (const table of fragment.querySelectorAll("table")) {
    const wrapper = make("div", "table-wrapper");
    makeScrollable(wrapper, "Table");
    table.replaceWith(wrapper);
    wrapper.append(table);
  }
  for (const box of fragment.querySelectorAll("input")) {
    // Of a task list; nothing else is an input here.
    box.type = "checkbox";
    box.disabled = true;
    box.setAttribute("aria-label", box.checked ? "Done" : "To do");
  }
}

function decorateCode(pre: HTMLPreElement): void {
  const language = /(?:^|\s)language-(\S+)/.exec(pre.querySelector("code")?.className ?? "")?.[1] ?? "";
  const figure = make("div", "code");
  const head = make("div", "code-head");
  const name = make("span", "");
  name.textContent = language;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button small";
  button.textContent = "Copy";
  button.addEventListener("click", () => {
    void copyText(pre.textContent ?? "").then((copied) => {
      button.textContent = copied ? "Copied" : "Refused";
      setTimeout(() => button.textContent = "Copy", 1_500);
    });
  });
  head.append(name, button);
  makeScrollable(pre, language === "" ? "Code" : `Code in ${language}`);
  pre.replaceWith(figure);
  figure.append(head, pre);
}

/** What scrolls must be reachable by keyboard, and then needs a name. */
function makeScrollable(element: HTMLElement, label: string): void {
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
}

function make(tag: string, className: string): HTMLElement {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  return element;
}
