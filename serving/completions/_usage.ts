/** Tokens of several answers. */
import type { Usage } from "../../types/mod.ts";

/** The sum of what several calls took; `undefined` if it is not known of each. */
export function sumUsage(usages: readonly (Usage | undefined)[]): Usage | undefined {
  const [first] = usages;
  if (usages.length === 1) return first;
  const known = usages.filter((usage) => usage !== undefined);
  if (known.length < usages.length) return undefined;
  const promptDetails = sumMembers(known.map((usage) => usage.prompt_tokens_details));
  const completionDetails = sumMembers(known.map((usage) => usage.completion_tokens_details));
  const sum = (count: (usage: Usage) => number) => known.reduce((total, usage) => total + count(usage), 0);
  return {
    prompt_tokens: sum((usage) => usage.prompt_tokens),
    completion_tokens: sum((usage) => usage.completion_tokens),
    total_tokens: sum((usage) => usage.total_tokens),
    ...(promptDetails !== undefined && { prompt_tokens_details: promptDetails }),
    ...(completionDetails !== undefined && { completion_tokens_details: completionDetails }),
  };
}

/** Sums details by name: what is known of some counts only these. */
function sumMembers(all: readonly (object | undefined)[]): Record<string, number> | undefined {
  const sums: Record<string, number> = {};
  for (const details of all) {
    for (const [name, count] of Object.entries(details ?? {})) {
      if (typeof count === "number") sums[name] = (sums[name] ?? 0) + count;
    }
  }
  return Object.keys(sums).length === 0 ? undefined : sums;
}
