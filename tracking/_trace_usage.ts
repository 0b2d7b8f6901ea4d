/** What one span says of tokens or cost. */
export interface UsageNode {
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly usage: { readonly [key: string]: unknown } | undefined;
}

/** Names of token counts that a trace always has; the others only where a span has them. */
export const TOKEN_KEYS: readonly string[] = ["input_tokens", "output_tokens", "total_tokens"];
const MORE_TOKEN_KEYS: readonly string[] = [
  "cache_read_input_tokens",
  "cache_creation_input_tokens",
  "cache_creation_input_tokens_above_1hr",
];
/** Names of all token counts. */
export const ALL_TOKEN_KEYS: readonly string[] = [...TOKEN_KEYS, ...MORE_TOKEN_KEYS];
/** Names of costs. */
export const COST_KEYS: readonly string[] = ["input_cost", "output_cost", "total_cost"];

/** Sums by name. */
export type Totals = { readonly [key: string]: number };

/** Tokens of a trace; `undefined` where no span tells. */
export function sumTokens(nodes: readonly UsageNode[]): Totals | undefined {
  return sum(nodes, TOKEN_KEYS, MORE_TOKEN_KEYS);
}

/** Cost of a trace; `undefined` where no span tells. */
export function sumCost(nodes: readonly UsageNode[]): Totals | undefined {
  return sum(nodes, COST_KEYS, []);
}

/** Adds up what spans say, but for those that have a span above them that says it: it has counted them already. */
function sum(nodes: readonly UsageNode[], keys: readonly string[], more: readonly string[]): Totals | undefined {
  const byId = new Map(nodes.map((node) => [node.spanId, node]));
  const totals: { [key: string]: number } = Object.fromEntries(keys.map((key) => [key, 0]));
  const covered = new Map<string, boolean>();
  let isTold = false;
  for (const node of nodes) {
    if (node.usage === undefined || isCovered(node, byId, covered)) continue;
    isTold = true;
    for (const key of [...keys, ...more]) {
      const value = node.usage[key];
      if (typeof value === "number" && Number.isFinite(value)) totals[key] = (totals[key] ?? 0) + value;
    }
  }
  return isTold ? totals : undefined;
}

/** Whether a span above says something. What was found is kept for all spans on the way, so that each is seen once. */
function isCovered(node: UsageNode, byId: ReadonlyMap<string, UsageNode>, covered: Map<string, boolean>): boolean {
  const path: string[] = [];
  const seen = new Set<string>();
  let current = node;
  let result = false;
  for (;;) {
    const known = covered.get(current.spanId);
    if (known !== undefined) {
      result = known;
      break;
    }
    path.push(current.spanId);
    seen.add(current.spanId);
    const parent = current.parentId === undefined ? undefined : byId.get(current.parentId);
    // Spans that name each other as parents would be gone through for ever.
    if (parent === undefined || seen.has(parent.spanId)) break;
    if (parent.usage !== undefined) {
      result = true;
      break;
    }
    current = parent;
  }
  for (const spanId of path) covered.set(spanId, result);
  return result;
}
