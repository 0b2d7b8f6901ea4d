/** Reads metrics as Prometheus does, by its text format 0.0.4. */
import { assert } from "@std/assert";

/** One value. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What was read. */
export interface Metrics {
  /** Kinds of metrics by name. */
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
}

const SAMPLE_REGEXP = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/;

/** Reads a text; fails if it is not as it must be: every metric has a help and a type before its values, once. */
export function readMetrics(text: string): Metrics {
  assert(text.endsWith("\n"), "the last line has no end");
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, what, about = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (what === "HELP") {
      assert(!helps.has(about) && rest.length > 10, line);
      helps.add(about);
    } else if (what === "TYPE") {
      assert(!types.has(about) && /^(?:counter|gauge|histogram)$/.test(rest), line);
      types.set(about, rest);
    } else {
      const [, name = "", labels = "", value = ""] = SAMPLE_REGEXP.exec(line) ?? [];
      const base = name.replace(/_(?:bucket|sum|count)$/, "");
      assert(types.has(name) || types.get(base) === "histogram", `no type before: ${line}`);
      assert(helps.has(name) || helps.has(base), `no help before: ${line}`);
      assert(value !== "" && !Number.isNaN(Number(value.replace("+Inf", "Infinity"))), line);
      assert(!seen.has(`${name}{${labels}}`), `twice: ${line}`);
      seen.add(`${name}{${labels}}`);
      samples.push({ name, labels: readLabels(labels), value: Number(value) });
    }
  }
  return { types, samples };
}

function readLabels(text: string): Record<string, string> {
  const pairs = text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g);
  return Object.fromEntries(
    [...pairs].map(([, name = "", value = ""]) => [name, value.replaceAll(/\\(.)/g, (_, c) => c === "n" ? "\n" : c)]),
  );
}
