import { type Listed, LiveList } from "./_live_list.ts";

/** Something that must be over by a point in time. */
export interface Deadline extends Listed<Deadline> {
  /** When, by `performance.now()`. May be moved at any time; tell {@linkcode watch} if it comes sooner than before. */
  dueAt: number;
  /** Called once it is due, until it is unwatched. */
  expire(): void;
}

/** The longest that a timer can run: a longer one fires at once. In milliseconds, about 25 days. */
const MAX_TIMER = 2 ** 31 - 1;

const watched = new LiveList<Deadline>();
let timer: ReturnType<typeof setTimeout> | undefined;
let timerDueAt = Infinity;

/**
 * Watches over a deadline, or takes note that it was moved.
 *
 * All share one timer: making and clearing one for each call costs more than a small call's whole validation. It is
 * only set anew for a deadline that comes before all others, which under load is rare as most limits are alike.
 */
export function watch(deadline: Deadline): void {
  watched.add(deadline);
  if (deadline.dueAt < timerDueAt) setTimer(deadline.dueAt);
}

/** Stops watching. */
export function unwatch(deadline: Deadline): void {
  watched.delete(deadline);
  if (!watched.empty) return;
  clearTimeout(timer);
  timerDueAt = Infinity;
}

function setTimer(dueAt: number): void {
  clearTimeout(timer);
  timerDueAt = dueAt;
  if (dueAt === Infinity) return;
  timer = setTimeout(check, Math.min(Math.max(dueAt - performance.now(), 0), MAX_TIMER));
}

function check(): void {
  const now = performance.now();
  for (const deadline of watched.members()) if (deadline.dueAt <= now) deadline.expire();
  let next = Infinity;
  for (const { dueAt } of watched.members()) next = Math.min(next, dueAt);
  setTimer(next);
}
