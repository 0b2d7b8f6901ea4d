/** `/metrics`, for Prometheus. */
import type { App } from "./app.ts";
import type { Routes } from "./_router.ts";

/** What can be read as Prometheus does. */
export interface MetricsText {
  /** The text's content type. */
  readonly contentType: string;
  /**
   * The metrics as they are now.
   *
   * @returns The text.
   */
  text(): Promise<string>;
}

/** The route on the server's own port. */
export function metricsRoutes(metrics: MetricsText | undefined): Routes {
  if (metrics === undefined) return {};
  return {
    "/metrics": {
      async GET(_request, _scope, headers) {
        headers.push(["content-type", metrics.contentType]);
        return new Response(await metrics.text(), { headers: headers.complete() });
      },
    },
  };
}

/** What answers on a port of its own. */
export function metricsHandler(metrics: MetricsText): Pick<App, "fetch"> {
  return {
    async fetch({ url, method }) {
      if (new URL(url).pathname !== "/metrics") return new Response("See /metrics\n", { status: 404 });
      if (method !== "GET" && method !== "HEAD") {
        return new Response("Only GET is allowed\n", { status: 405, headers: { allow: "GET, HEAD" } });
      }
      const text = await metrics.text();
      return new Response(method === "HEAD" ? null : text, { headers: { "content-type": metrics.contentType } });
    },
  };
}
