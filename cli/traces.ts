import { CommandError } from "../_command_error.ts";
import { contextTags, type TraceInfo, type TrackingStore } from "../tracking/mod.ts";
import type { Command } from "./command.ts";
import { EXPERIMENT_ID, experimentOf, getExperimentId } from "./_experiment.ts";
import { countOf } from "./_flags.ts";
import { formatTime, print, printJson, table } from "./_output.ts";
import { allPages, withStores } from "./_stores.ts";
import { assessmentLine, feedbackValueOf, traceHead } from "./_trace_head.ts";
import { assessmentObject, infoObject, traceObject } from "./_trace_objects.ts";
import { formatDuration, oneLine } from "./_trace_text.ts";
import { traceTree } from "./_trace_tree.ts";

/** Traces that a server gives at once at most. */
const PAGE = 500;

/** `traces list`. */
export const tracesList: Command = {
  words: ["traces", "list"],
  summary: "List traces, the newest first",
  positionals: [],
  flags: {
    "experiment": { value: "NAME|ID", help: "Experiment to look in (default: all)" },
    "experiment-id": EXPERIMENT_ID,
    "filter": { value: "FILTER", help: `MLflow's filter, such as "status = 'ERROR'"` },
    "order-by": { value: "FIELD", repeated: true, help: 'Such as "execution_time_ms DESC"' },
    "max-results": { value: "COUNT", help: "Most traces to list (default: 100)" },
  },
  async run(input) {
    const experiment = experimentOf(input);
    const filter = input.text("filter");
    const orderBy = input.texts("order-by");
    const most = countOf("max-results", input.text("max-results"), { fallback: 100, most: 1_000_000 });
    const traces = await withStores(input, async ({ store }) => {
      const experimentIds = experiment === undefined
        ? await allExperimentIds(store)
        : [await getExperimentId(store, experiment)];
      return experimentIds.length === 0 ? [] : await search(store, most, {
        experimentIds,
        ...(filter !== undefined && { filter }),
        ...(orderBy.length > 0 && { orderBy }),
      });
    });
    if (input.json) return printJson(traces.map(infoObject));
    print(table(
      ["trace id", "name", "state", "started", "took", "tokens", "request"],
      traces.map((trace) => [
        trace.traceId,
        oneLine(trace.name ?? "", 40),
        trace.state,
        formatTime(trace.requestTime),
        trace.executionDuration === undefined ? "" : formatDuration(trace.executionDuration),
        String(trace.tokenUsage?.totalTokens ?? ""),
        oneLine(trace.requestPreview ?? "", 60),
      ]),
    ));
  },
};

/** `traces show`. */
export const tracesShow: Command = {
  words: ["traces", "show"],
  summary: "Show a trace: its steps as a tree, with durations, tokens and errors",
  positionals: ["TRACE_ID"],
  flags: {},
  async run(input) {
    const [traceId = ""] = input.positionals;
    const trace = await withStores(input, ({ store }) => store.getTrace(traceId));
    if (input.json) return printJson(traceObject(trace));
    const { info, spans } = trace;
    print([
      ...traceHead(info),
      "",
      ...(spans.length === 0 ? ["No spans are kept of it"] : traceTree(spans)),
      ...(info.assessments.length === 0 ? [] : ["", "Assessments", ...info.assessments.map(assessmentLine)]),
    ].join("\n"));
  },
};

/** `traces feedback`. */
export const tracesFeedback: Command = {
  words: ["traces", "feedback"],
  summary: "Say how good a trace is",
  positionals: ["TRACE_ID"],
  flags: {
    "name": { value: "NAME", required: true, help: "What is judged, such as relevance" },
    "value": { value: "VALUE", required: true, help: "The judgement: JSON such as true or 0.5, else text" },
    "rationale": { value: "TEXT", help: "Why" },
  },
  async run(input) {
    const [traceId = ""] = input.positionals;
    const rationale = input.text("rationale");
    const value = feedbackValueOf(input.text("value") ?? "");
    if (value === null) throw new CommandError("--value must be a judgement, but is null", 2);
    const assessment = await withStores(input, ({ store }) =>
      store.logFeedback(traceId, {
        name: input.text("name") ?? "",
        value,
        source: { type: "HUMAN", id: contextTags()["mlflow.user"] ?? "default" },
        ...(rationale !== undefined && { rationale }),
      }));
    if (input.json) return printJson(assessmentObject(assessment));
    print(`Logged ${assessment.assessmentId}: ${assessmentLine(assessment).trim()}`);
  },
};

async function search(
  store: TrackingStore,
  most: number,
  options: {
    readonly experimentIds: readonly string[];
    readonly filter?: string;
    readonly orderBy?: readonly string[];
  },
): Promise<TraceInfo[]> {
  const traces: TraceInfo[] = [];
  let pageToken: string | undefined;
  do {
    const maxResults = Math.min(PAGE, most - traces.length);
    const page = await store.searchTraces({ ...options, maxResults, ...(pageToken !== undefined && { pageToken }) });
    traces.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined && traces.length < most);
  return traces;
}

async function allExperimentIds(store: TrackingStore): Promise<string[]> {
  const experiments = await allPages((pageToken) =>
    store.searchExperiments(pageToken === undefined ? {} : { pageToken })
  );
  return experiments.map(({ experimentId }) => experimentId);
}
