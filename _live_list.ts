/** What can be in a {@linkcode LiveList}: it carries its own links. */
export interface Listed<T> {
  /** The one before it; the list's own. */
  previous: T | undefined;
  /** The one after it; the list's own. */
  next: T | undefined;
  /** Whether it is in the list; the list's own. */
  listed: boolean;
}

/**
 * What is alive right now, such as the calls that are running: many come and go in each second.
 *
 * A `Set` would do the same, at a price: it makes itself a new table every so often, and an old one that the garbage
 * collector has put among what is old keeps all that was in it, with what hangs on that, until the next full collection.
 * Under load that was most of what the collector had to copy. Here nothing is left behind.
 */
export class LiveList<T extends Listed<T>> {
  #first: T | undefined;
  #last: T | undefined;

  /** Whether nothing is in it. */
  get empty(): boolean {
    return this.#first === undefined;
  }

  /** Takes a member in, if it is not in yet. */
  add(member: T): void {
    if (member.listed) return;
    member.listed = true;
    member.previous = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.next = member;
    this.#last = member;
  }

  /** Lets a member go, if it is in. */
  delete(member: T): void {
    if (!member.listed) return;
    member.listed = false;
    const { previous, next } = member;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    member.previous = undefined;
    member.next = undefined;
  }

  /** All members, oldest first, as they are now: they may come and go meanwhile. */
  members(): T[] {
    const members: T[] = [];
    for (let member = this.#first; member !== undefined; member = member.next) members.push(member);
    return members;
  }
}
