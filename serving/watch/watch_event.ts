/** What happens to a model that is watched. Events of one model come in order. */
export type WatchEvent =
  & {
    /** Name that the model is served under. */
    readonly name: string;
  }
  & (
    /** A new version is being loaded, beside the one that serves. */
    | { readonly kind: "loading"; readonly from: string; readonly to: string }
    /** Something newer turned up while a version was loaded: it is given up, and the newest is looked at. */
    | { readonly kind: "superseded"; readonly from: string; readonly to: string }
    /** Requests that begin from now on go to the new version. */
    | {
      readonly kind: "swapped";
      readonly from: string;
      readonly to: string;
      /** How long it took to load and warm the new version, in ms. */
      readonly loadTime: number;
    }
    /**
     * The new version cannot be loaded: the old one goes on serving. Said once for each version and reason; the version
     * is tried again, at growing intervals.
     */
    | { readonly kind: "failed"; readonly from: string; readonly to: string; readonly error: unknown }
    /** The old version has been let go of. */
    | {
      readonly kind: "drained";
      readonly from: string;
      /** Calls that had not come to their end in time, and were ended with an error. */
      readonly aborted: number;
      /** What letting go of it failed with, if it did. */
      readonly error?: unknown;
    }
    /**
     * What is watched cannot be looked at: the registry does not answer, the alias or the file is gone. The version that
     * serves goes on. Said once for each code of error.
     */
    | { readonly kind: "unreachable"; readonly from: string; readonly error: unknown }
    /** What is watched can be looked at again. */
    | { readonly kind: "reachable"; readonly from: string }
  );

/**
 * Tells an event to a person, in one line.
 *
 * @param event The event.
 * @returns The line, without a full stop.
 */
export function describeWatchEvent(event: WatchEvent): string {
  const model = `model "${event.name}"`;
  switch (event.kind) {
    case "loading":
      return `Loading ${model}, version ${event.to}: version ${event.from} serves meanwhile`;
    case "superseded":
      return `Gave up loading ${model}, version ${event.to}, as it changed again: version ${event.from} serves`;
    case "swapped":
      return `Serving ${model}, version ${event.to}, in place of ${event.from} (loaded in ${
        Math.round(event.loadTime)
      } ms)`;
    case "failed":
      return `Cannot take up ${model}, version ${event.to}: version ${event.from} goes on serving: ${
        reasonOf(event.error)
      }`;
    case "drained": {
      const aborted = event.aborted === 0 ? "" : `; calls that took too long, and were ended: ${event.aborted}`;
      const failure = event.error === undefined ? "" : `; it did not end well: ${reasonOf(event.error)}`;
      return `Let go of ${model}, version ${event.from}${aborted}${failure}`;
    }
    case "unreachable":
      return `Cannot look for new versions of ${model}: version ${event.from} goes on serving: ${
        reasonOf(event.error)
      }`;
    case "reachable":
      return `Looking for new versions of ${model} again: version ${event.from} serves`;
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // One line, and nothing in it that a terminal takes for a command.
  return text.replaceAll(/\s*\n\s*/g, " ").replaceAll(/\p{Cc}+/gu, "");
}
