/** Edits up to which a name counts as a slip of another. */
const SLIP = 2;

/** Says which name was meant, or which names there are. */
export function suggestion(name: string, known: readonly string[]): string {
  const near = nearName(name, known);
  if (near !== undefined) return `did you mean "${near}"?`;
  return known.length === 0 ? "there are none" : `known are ${known.map((name) => `"${name}"`).join(", ")}`;
}

/** The known name that is most like a name; `undefined` if none is like it. */
export function nearName(name: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Math.min(SLIP, Math.floor(name.length / 2)) + 1;
  for (const candidate of known) {
    const edits = countEdits(name.toLowerCase(), candidate.toLowerCase());
    if (edits < least) [nearest, least] = [candidate, edits];
  }
  return nearest;
}

/** Levenshtein distance: characters to be put in, taken out or replaced. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
