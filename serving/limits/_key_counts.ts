/** How many requests each key has running or waiting. */
export class KeyCounts {
  readonly #counts = new Map<string, number>();

  /**
   * Counts one more.
   *
   * @param name The key's name.
   * @param limit Most that there may be; one that is no number allows none.
   * @returns Whether that is allowed; if not, it is not counted.
   */
  tryEnter(name: string, limit: number): boolean {
    const count = this.#counts.get(name) ?? 0;
    if (!(count < limit)) return false;
    this.#counts.set(name, count + 1);
    return true;
  }

  /** Counts one less. */
  leave(name: string): void {
    const count = this.#counts.get(name) ?? 0;
    if (count > 1) this.#counts.set(name, count - 1);
    else this.#counts.delete(name);
  }
}
