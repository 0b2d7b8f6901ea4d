import type { CallLimits } from "../../loaded_chat_model.ts";
import { ValidationError, type ValidationIssue } from "../../types/mod.ts";
import { type LoadSaved, loadSaved } from "./_load_saved.ts";
import { describeWatchEvent, type WatchEvent } from "./watch_event.ts";

/** Options for `WatchedModels.open`. */
export interface WatchOptions extends CallLimits {
  /** Limits of single models, by the names they are served under: each in the place of the common one. */
  readonly modelLimits?: ReadonlyMap<string, CallLimits>;
  /** Milliseconds between two looks at a registry; each is put off or brought forward by up to a tenth. @default {5_000} */
  readonly interval?: number;
  /** Milliseconds between two looks at a file or a folder. @default {500} */
  readonly fileInterval?: number;
  /** Milliseconds that a look at a registry may take. @default {10_000} */
  readonly lookTimeout?: number;
  /**
   * Milliseconds after which a version that cannot be loaded is tried again; twice as long after each failure, five
   * minutes at most. @default {5_000}
   */
  readonly retryDelay?: number;
  /** Milliseconds that calls of an old version get to finish, before they are ended with an error. @default {300_000} */
  readonly drainTimeout?: number;
  /**
   * Whether a new version must have answered its input example before it is served, which costs what that costs. A model
   * that was not saved has none.
   *
   * @default {false}
   */
  readonly warm?: boolean;
  /** Told what happens. Must not throw. Default: writes it to the console. */
  readonly onEvent?: (event: WatchEvent) => void;
  /** Loads a saved model, for those who want it otherwise than by `loadModel(uri, { kind: "any", … })`. */
  readonly load?: LoadSaved;
}

/** Options, checked and complete. */
export interface WatchSettings {
  readonly interval: number;
  readonly fileInterval: number;
  readonly lookTimeout: number;
  readonly retryDelay: number;
  readonly drainTimeout: number;
  readonly warm: boolean;
  readonly onEvent: (event: WatchEvent) => void;
  readonly load: LoadSaved;
  readonly limits: CallLimits;
  /** Limits of a model. */
  readonly limitsOf: (name: string) => CallLimits;
}

/** The longest that a timer can run: a longer one fires at once. In milliseconds, about 25 days. */
const MAX_TIMER = 2 ** 31 - 1;

/**
 * Checks the options.
 *
 * @throws {ValidationError} If one of them cannot be.
 */
export function settingsOf(options: WatchOptions): WatchSettings {
  const { firstTokenTimeout, idleTimeout, timeout } = options;
  const { interval = 5_000, fileInterval = 500, lookTimeout = 10_000, retryDelay = 5_000 } = options;
  const { drainTimeout = 300_000, warm = false, onEvent = print, load = loadSaved } = options;
  const issues: ValidationIssue[] = [];
  const check = (path: string, value: number, least: number) => {
    if (value >= least && value <= MAX_TIMER) return; // Not a number is neither.
    issues.push({ path, message: `must be a number of milliseconds from ${least} to ${MAX_TIMER}, but is ${value}` });
  };
  check("interval", interval, 1);
  check("fileInterval", fileInterval, 1);
  check("lookTimeout", lookTimeout, 1);
  check("retryDelay", retryDelay, 1);
  check("drainTimeout", drainTimeout, 0);
  if (issues.length > 0) throw new ValidationError("Cannot watch models", issues);
  const limits = {
    ...(firstTokenTimeout !== undefined && { firstTokenTimeout }),
    ...(idleTimeout !== undefined && { idleTimeout }),
    ...(timeout !== undefined && { timeout }),
  };
  return {
    interval,
    fileInterval,
    lookTimeout,
    retryDelay,
    drainTimeout,
    warm,
    onEvent,
    load,
    limits,
    limitsOf: (name) => ({ ...limits, ...options.modelLimits?.get(name) }),
  };
}

function print(event: WatchEvent): void {
  // deno-lint-ignore no-console -- what happens must be said; hand in `onEvent` to have it elsewhere.
  console.error(describeWatchEvent(event));
}
