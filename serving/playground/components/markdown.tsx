import { Component, type ComponentChild, createRef, type JSX } from "preact";
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
  readonly #element = createRef<HTMLDivElement>();

  override shouldComponentUpdate(next: MarkdownBlockProps): boolean {
    if (next.block.raw !== this.props.block.raw) this.#draw(next.block);
    return false;
  }

  override componentDidMount(): void {
    this.#draw(this.props.block);
  }

  override render(): ComponentChild {
    return <div class="block" ref={this.#element} />;
  }

  #draw(block: Block): void {
    const fragment = renderBlock(block);
    decorate(fragment);
    this.#element.current?.replaceChildren(fragment);
  }
}
