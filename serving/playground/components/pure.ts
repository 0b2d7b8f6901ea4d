import { Component, type ComponentChild, type FunctionComponent } from "preact";

/** A component that is drawn again only if one of its properties is another: most messages stay while one grows. */
export function pure<Props extends object>(draw: FunctionComponent<Props>): new () => Component<Props> {
  return class extends Component<Props> {
    override shouldComponentUpdate(next: Props): boolean {
      const before = new Map(Object.entries(this.props));
      const after = Object.entries(next);
      return after.length !== before.size || after.some(([name, value]) => before.get(name) !== value);
    }

    override render(props: Props): ComponentChild {
      return draw(props, {});
    }
  };
}
