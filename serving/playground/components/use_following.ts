import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

/** Pixels from the end within which a reader who scrolls down has come back to it. */
const NEAR_END = 80;

/** Pixels within which a position is the end: positions are rounded, and differently from heights. */
const AT_END = 1;

/** A part of the page that scrolls. */
export interface Following {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly onScroll: () => void;
}

/**
 * Keeps the end of what grows in sight. It ends when the reader scrolls up, by whatever means, and begins again when the
 * reader scrolls down to the end, or when something else begins to grow.
 *
 * @param content What is shown: another value whenever that has changed.
 * @param growing Id of what grows; `undefined` while nothing does.
 */
export function useFollowing(content: unknown, growing: string | undefined): Following {
  const scroller = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const isGrowing = useRef(false);
  const position = useRef(0);
  const look = () => {
    const element = scroller.current;
    if (element === null) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    // Told of late: more may have come since. Hence the direction counts; the page itself scrolls down only.
    const distance = scrollHeight - clientHeight - scrollTop;
    if (distance <= AT_END) follows.current = true;
    else if (scrollTop < position.current) follows.current = false;
    else if (scrollTop > position.current && distance < NEAR_END) follows.current = true;
    position.current = scrollTop;
  };
  // Before what has come is drawn: the browser may not have told of the reader's scrolling yet.
  look();
  const follow = () => {
    const element = scroller.current;
    if (element === null || !follows.current) return;
    element.scrollTop = element.scrollHeight;
    position.current = element.scrollTop;
  };
  useLayoutEffect(() => {
    isGrowing.current = growing !== undefined;
    // A new message is looked at in any case.
    if (growing !== undefined) follows.current = true;
  }, [growing]);
  // Before the browser tells of any scrolling that the change has caused.
  useLayoutEffect(follow, [content]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    let height = element.clientHeight;
    const observer = new ResizeObserver(() => {
      // What the reader folds open while nothing grows is looked at from its beginning.
      if (isGrowing.current || height !== element.clientHeight) follow();
      height = element.clientHeight;
    });
    for (const observed of [element, ...element.children]) observer.observe(observed);
    return () => observer.disconnect();
  }, []);
  return { scroller, onScroll: look };
}
