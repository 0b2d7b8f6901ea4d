/**
 * Serving that follows its models: new versions are taken up without a request being dropped.
 *
 * @module
 */
export { type WatchOptions } from "./_watch_settings.ts";
export { describeWatchEvent, type WatchEvent } from "./watch_event.ts";
export { WatchedModels } from "./watched_models.ts";
