/** Markdown to elements, safely: what a model writes is the work of a stranger. */
import DOMPurify from "dompurify";
import { Marked, type Token, type Tokens } from "marked";

/** A part of a text that can be drawn by itself, such as a paragraph or a list. */
export interface Block {
  readonly raw: string;
  readonly token: Token;
}

const TAGS =
  ("a blockquote br code del em h1 h2 h3 h4 h5 h6 hr input li ol p pre span strong table tbody td th thead " +
    "tr ul").split(" ");

const ATTRIBUTES = ["href", "title", "class", "start", "align", "type", "checked", "disabled"];

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    // Tags are shown as they are written: most often they are what is talked about.
    html({ text }: Tokens.HTML | Tokens.Tag) {
      return escapeHtml(text);
    },
    // Nothing is loaded from elsewhere: an address in an image could carry the conversation away.
    image({ href, text }: Tokens.Image) {
      return `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`;
    },
  },
});

const purifier = DOMPurify(window);
purifier.addHook("afterSanitizeAttributes", (element) => {
  if (element.tagName !== "A") return;
  element.setAttribute("target", "_blank");
  element.setAttribute("rel", "noopener noreferrer");
});

/** Takes a text apart into blocks. */
export function splitBlocks(text: string): Block[] {
  return marked.lexer(text).filter((token) => token.type !== "space").map((token) => ({ raw: token.raw, token }));
}

/** A block as elements. */
export function renderBlock(block: Block): DocumentFragment {
  const fragment = purifier.sanitize(marked.parser([block.token]), {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
    // Else their values would have to be addresses, too.
    ADD_URI_SAFE_ATTR: ["align", "checked", "disabled", "start", "type"],
    RETURN_DOM_FRAGMENT: true,
  });
  // Without an address that is allowed, or with one that is this page itself, it would only look like a link.
  for (const link of fragment.querySelectorAll("a:not([href]), a[href='']")) link.replaceWith(...link.childNodes);
  return fragment;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
