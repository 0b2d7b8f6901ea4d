import { Component, type ComponentChild, type JSX } from "preact";
import { type Block, renderBlock, splitBlocks } from "../markdown/render.ts";
import { decorate } from "../markdown/decorate.ts";

/** A text in Markdown. While it grows, only the blocks that change are drawn anew. */
export function Markdown({ text }: { readonly text: string }): JSX.Element {
  return (
    <div class="markdown" data-testid="markdown">
      {splitBlocks(text).map((block, index) => <MarkdownBlock key={index} block={block} />)}
    </div>
  );
}

interface MarkdownBlockProps {
  readonly block: Block;
}

class MarkdownBlock extends Component<MarkdownBlockProps> {
  #element: HTMLDivElement | null = null;
  /** Drawn as early as this, the block has its height when the effects of those around it run. */
  readonly #mount = (element: HTMLDivElement | null) => {
    this.#element = element;
    this.#draw(this.props.block);
  };

  override shouldComponentUpdate(next: MarkdownBlockProps): boolean {
    if (next.block.raw !== this.props.block.raw) this.#draw(next.block);
    return false;
  }

  override render(): ComponentChild {
    return <div class="block" ref={this.#mount} />;
  }

  #draw(block: Block): void {
    if (this.#element === null) return;
    const fragment = renderBlock(block);
    decorate(fragment);
    this.#element.replaceChildren(fragment);
  }
}
