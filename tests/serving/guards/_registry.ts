import type { MetricsText } from "../../../serving/_metrics_route.ts";

/** Metrics that say but one thing. */
export class Registry implements MetricsText {
  readonly contentType = "text/plain; version=0.0.4";

  text(): Promise<string> {
    return Promise.resolve("up 1\n");
  }
}
