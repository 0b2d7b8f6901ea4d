/** Charts as SVG, drawn without a browser. This module alone, and what it imports, needs the plotting library. */
import { type Loader, None, parse, type Spec, View } from "vega";
import { ChatModelError } from "../../types/mod.ts";
import type { Distribution, Version } from "./_distribution.ts";
import { Markup, markup } from "./_html.ts";

/** Size of a chart in CSS pixels, axes aside. */
const WIDTH = 300;
const HEIGHT = 150;

/** Colours are the page's, so that they change with light and dark. */
const COLORS = {
  candidate: "var(--candidate)",
  baseline: "var(--baseline)",
  better: "var(--better)",
  worse: "var(--worse)",
};
const FONT = "system-ui, sans-serif";

const CONFIG: NonNullable<Spec["config"]> = {
  background: "transparent",
  // Each picture is described as a whole.
  axis: {
    aria: false,
    labelColor: "var(--muted)",
    titleColor: "var(--muted)",
    domainColor: "var(--line)",
    tickColor: "var(--line)",
    gridColor: "var(--line)",
    labelFont: FONT,
    titleFont: FONT,
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: "normal",
    labelLimit: 90,
  },
};

/** A report asks for nothing: neither do its charts. */
const NO_LOADER: Loader = {
  load: refuse,
  sanitize: refuse,
  http: refuse,
  file: refuse,
};

function refuse(): Promise<never> {
  return Promise.reject(new ChatModelError("Cannot draw chart: it may load nothing", { code: "invalid_value" }));
}

/** Draws how a score's values are spread. */
export async function drawDistribution(
  { name, distribution, roles }: {
    readonly name: string;
    readonly distribution: Distribution;
    readonly roles: readonly Version["role"][];
  },
): Promise<Markup> {
  const spec = distribution.kind === "bins" ? binsSpec(distribution, roles) : categoriesSpec(distribution, roles);
  return await draw(spec, `Distribution of ${name}: ${describe(distribution)}`);
}

function binsSpec({ bars, domain }: Distribution & { readonly kind: "bins" }, roles: readonly Version["role"][]): Spec {
  const values = bars.map(({ role, low, high, count }) => {
    const part = (high - low) / roles.length;
    const place = roles.indexOf(role);
    return { count, from: low + place * part, to: low + (place + 1) * part, color: COLORS[role] };
  });
  return {
    width: WIDTH,
    height: HEIGHT,
    data: [{ name: "bars", values }],
    scales: [{ name: "x", type: "linear", domain: [...domain], range: "width", nice: false }, countScale()],
    axes: [{ orient: "bottom", scale: "x", tickCount: 6, labelOverlap: true }, countAxis()],
    marks: [{
      type: "rect",
      aria: false,
      from: { data: "bars" },
      encode: {
        enter: {
          x: { scale: "x", field: "from", offset: 0.5 },
          x2: { scale: "x", field: "to", offset: -0.5 },
          y: { scale: "y", field: "count" },
          y2: { scale: "y", value: 0 },
          fill: { field: "color" },
        },
      },
    }],
  };
}

function categoriesSpec(
  { bars }: Distribution & { readonly kind: "categories" },
  roles: readonly Version["role"][],
): Spec {
  const values = bars.map(({ role, label, count }) => ({
    label,
    count,
    place: roles.indexOf(role) / roles.length,
    color: COLORS[role],
  }));
  return {
    width: WIDTH,
    height: HEIGHT,
    data: [{ name: "bars", values }],
    scales: [
      { name: "x", type: "band", domain: [...new Set(values.map(({ label }) => label))], range: "width", padding: 0.2 },
      countScale(),
    ],
    axes: [
      {
        orient: "bottom",
        scale: "x",
        labelAngle: bars.length / roles.length > 5 ? -35 : 0,
        ...labelPlace(bars.length / roles.length),
      },
      countAxis(),
    ],
    marks: [{
      type: "rect",
      aria: false,
      from: { data: "bars" },
      encode: {
        enter: {
          x: { scale: "x", field: "label", offset: { signal: "bandwidth('x') * datum.place" } },
          width: { signal: `bandwidth('x') / ${roles.length} - 1` },
          y: { scale: "y", field: "count" },
          y2: { scale: "y", value: 0 },
          fill: { field: "color" },
        },
      },
    }],
  };
}

function labelPlace(count: number): { readonly labelAlign?: "right"; readonly labelLimit: number } {
  return count > 5 ? { labelAlign: "right", labelLimit: 80 } : { labelLimit: WIDTH / Math.max(1, count) };
}

function countScale(): NonNullable<Spec["scales"]>[number] {
  return {
    name: "y",
    type: "linear",
    domain: { data: "bars", field: "count" },
    range: "height",
    zero: true,
    nice: true,
  };
}

function countAxis(): NonNullable<Spec["axes"]>[number] {
  return { orient: "left", scale: "y", title: "Rows", tickCount: 4, format: "~s", tickMinStep: 1, grid: true };
}

/** One line of a chart of times: the share of rows that took no longer. */
export interface TimeLine {
  /** The version. */
  readonly role: Version["role"];
  /** Milliseconds in ascending order. */
  readonly sorted: Float64Array;
}

/** Most points of a line: more cannot be told apart. */
const MOST_POINTS = 200;

/** Draws the shares of rows that took no longer than a time. */
export async function drawTimes(
  { name, lines }: { readonly name: string; readonly lines: readonly TimeLine[] },
): Promise<Markup> {
  const values = lines.flatMap(({ role, sorted }) => {
    const count = Math.min(MOST_POINTS, sorted.length);
    return Array.from({ length: count }, (_, point) => {
      const place = count === 1 ? 0 : Math.round(point * (sorted.length - 1) / (count - 1));
      return { time: sorted[place] ?? 0, share: (place + 1) / sorted.length, role };
    });
  });
  const spec: Spec = {
    width: 380,
    height: 180,
    data: [{ name: "points", values }],
    scales: [
      { name: "x", type: "linear", domain: { data: "points", field: "time" }, range: "width", zero: true, nice: true },
      { name: "y", type: "linear", domain: [0, 1], range: "height" },
    ],
    axes: [
      { orient: "bottom", scale: "x", title: `${name} (ms)`, tickCount: 6, grid: true, labelOverlap: true },
      { orient: "left", scale: "y", title: "Share of rows", format: "~%", tickCount: 5, grid: true },
    ],
    marks: [{
      type: "group",
      aria: false,
      from: { facet: { name: "line", data: "points", groupby: "role" } },
      marks: [{
        type: "line",
        aria: false,
        from: { data: "line" },
        encode: {
          enter: {
            x: { scale: "x", field: "time" },
            y: { scale: "y", field: "share" },
            interpolate: { value: "step-after" },
            strokeWidth: { value: 2 },
            stroke: { signal: `datum.role === 'candidate' ? '${COLORS.candidate}' : '${COLORS.baseline}'` },
            strokeDash: { signal: "datum.role === 'candidate' ? [1, 0] : [5, 3]" },
          },
        },
      }],
    }],
  };
  return await draw(spec, `${name}: share of rows that took no longer than a time`);
}

/** How many rows got better, stayed the same and got worse by a score. */
export interface Change {
  /** Name of the score. */
  readonly name: string;
  /** Rows that got better. */
  readonly improved: number;
  /** Rows that got worse. */
  readonly regressed: number;
}

/** Draws how many rows got better and worse, to both sides of a line. */
export async function drawChanges(changes: readonly Change[]): Promise<Markup> {
  const values = changes.flatMap(({ name, improved, regressed }) => [
    {
      name,
      count: improved,
      label: improved > 0 ? `${improved} better` : "",
      color: COLORS.better,
      align: "left",
      gap: 4,
    },
    {
      name,
      count: -regressed,
      label: regressed > 0 ? `${regressed} worse` : "",
      color: COLORS.worse,
      align: "right",
      gap: -4,
    },
  ]);
  const most = Math.max(1, ...values.map(({ count }) => Math.abs(count)));
  const y = { scale: "y", field: "name" };
  const spec: Spec = {
    width: 280,
    height: 28 * changes.length,
    data: [{ name: "bars", values }],
    scales: [
      // Room for the numbers on both sides.
      { name: "x", type: "linear", domain: [-most * 1.7, most * 1.7], range: "width" },
      { name: "y", type: "band", domain: changes.map(({ name }) => name), range: "height", padding: 0.25 },
    ],
    axes: [{ orient: "left", scale: "y", domain: false, ticks: false, labelLimit: 200, labelFontSize: 12 }],
    marks: [
      {
        type: "rect",
        aria: false,
        from: { data: "bars" },
        encode: {
          enter: {
            y,
            height: { scale: "y", band: 1 },
            x: { scale: "x", value: 0 },
            x2: { scale: "x", field: "count" },
            fill: { field: "color" },
          },
        },
      },
      {
        type: "text",
        aria: false,
        from: { data: "bars" },
        encode: {
          enter: {
            y: { ...y, band: 0.5 },
            x: { scale: "x", field: "count", offset: { field: "gap" } },
            text: { field: "label" },
            align: { field: "align" },
            baseline: { value: "middle" },
            fill: { value: "var(--text)" },
            font: { value: FONT },
            fontSize: { value: 12 },
          },
        },
      },
      {
        type: "rule",
        aria: false,
        encode: {
          enter: {
            x: { scale: "x", value: 0 },
            y: { value: 0 },
            y2: { signal: "height" },
            stroke: { value: "var(--muted)" },
          },
        },
      },
    ],
  };
  const said = changes.map(({ name, improved, regressed }) => `${name}: ${improved} better, ${regressed} worse`);
  return await draw(spec, `Rows that changed. ${said.join("; ")}`);
}

async function draw(spec: Spec, description: string): Promise<Markup> {
  const view = new View(parse(spec, CONFIG), { renderer: "none", loader: NO_LOADER, logLevel: None });
  try {
    const svg = await view.toSVG();
    // Drawn by the library, which escapes what it is given.
    return markup`<div class="chart" role="img" aria-label="${description}">${new Markup(svg)}</div>`;
  } finally {
    view.finalize();
  }
}

function describe(distribution: Distribution): string {
  const bars = distribution.bars.filter(({ count }) => count > 0).map((bar) => {
    const what = "label" in bar ? bar.label : `${round(bar.low)} to ${round(bar.high)}`;
    return `${bar.role} ${what}: ${bar.count}`;
  });
  return bars.join(", ");
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
