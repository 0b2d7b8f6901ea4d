import * as v from "valibot";
import { type Explain, explain, naming } from "./_schema.ts";

// A small body can hold a million wrong items, and what is kept of each would take a hundred times the room. So long
// arrays are looked at piece by piece, up to the first piece that brings the number of issues to the limit.
const PIECE_LENGTH = 16;

/** Issues of one array after which no more are looked for. */
export const ENOUGH_ISSUES = 100;

/** An array. All that is wrong is found, but no more than makes sense: see {@linkcode ENOUGH_ISSUES}. */
export function list<const Item extends v.GenericSchema>(item: Item, expects: string): v.ArraySchema<Item, Explain> {
  const schema = naming(v.array(item, explain), expects);
  const run = schema["~run"].bind(schema);
  type Result = ReturnType<typeof run>;
  const runPieces = (input: readonly unknown[], config: v.Config<v.BaseIssue<unknown>>): Result => {
    const output: v.InferOutput<Item>[] = [];
    let issues: Result["issues"];
    for (let start = 0; start < input.length; start += PIECE_LENGTH) {
      const result = run({ value: input.slice(start, start + PIECE_LENGTH) }, config);
      if (result.issues === undefined) {
        if (issues === undefined) output.push(...result.value);
        continue;
      }
      for (const issue of result.issues) moveIssue(issue, start);
      if (issues === undefined) issues = result.issues;
      else issues.push(...result.issues);
      if (issues.length >= ENOUGH_ISSUES) break;
    }
    return issues === undefined ? { typed: true, value: output } : { typed: false, value: input, issues };
  };
  return Object.assign(schema, {
    "~run": (dataset: v.UnknownDataset, config: v.Config<v.BaseIssue<unknown>>): Result => {
      const { value } = dataset;
      return Array.isArray(value) && value.length > PIECE_LENGTH ? runPieces(value, config) : run(dataset, config);
    },
  });
}

function moveIssue(issue: v.BaseIssue<unknown>, by: number): void {
  const item = issue.path?.[0];
  if (item?.type === "array" && issue.path !== undefined) issue.path[0] = { ...item, key: item.key + by };
}
