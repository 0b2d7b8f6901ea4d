/** A name for a message. `crypto.randomUUID` is missing where a page came over plain HTTP from another machine. */
export function createId(): string {
  return crypto.getRandomValues(new Uint32Array(2)).join("-");
}
