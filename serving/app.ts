import { ChatModelError } from "../types/mod.ts";
import type { CallLimits } from "../loaded_chat_model.ts";
import { type ApiKeySource, checkHost, parseAllowedHost } from "./access/mod.ts";
import { type Admission, isRefusal } from "./limits/mod.ts";
import type { ChatRouteOptions } from "./_chat_completions.ts";
import { preflightResponse, pushCorsHeaders } from "./_cors.ts";
import { type AllowedOrigins, checkOrigin, isAllowedOrigin } from "./origins.ts";
import { type AppModels, isDirectory, type ModelDirectory, StaticDirectory } from "./directory.ts";
import { errorAnswer } from "./_error_answer.ts";
import { RequestMeter } from "./_request_meter.ts";
import type { RequestRecord } from "./request_record.ts";
import { RequestScope } from "./_request_scope.ts";
import { AnswerHeaders, errorStatus, invalidUrl, methodNotAllowed } from "./_respond.ts";
import { isOwnPage } from "./_playground.ts";
import { pathOf, routePath, Router } from "./_router.ts";
import { ownedStore } from "./_owned_store.ts";
import { guardStore } from "./_guarded_store.ts";
import type { MetricsText } from "./_metrics_route.ts";
import { BodyBudget } from "./_body_budget.ts";
import { Readiness } from "./_health.ts";
import { MemoryResponseStore } from "./_memory_store.ts";
import type { ResponseStore } from "./response_store.ts";
import { makeRoutes } from "./_routes.ts";
import { RunningRequests } from "./_running_requests.ts";

/** How many of the largest bodies may be read at a time. Each takes its size several times over until it is parsed. */
const BODIES_AT_ONCE = 4;

/** Options for {@linkcode createApp}. */
export interface AppOptions extends CallLimits {
  /**
   * Origins whose pages may call besides those of this machine, such as `https://example.com`; `"*"` for all.
   * @default {[]}
   */
  readonly allowedOrigins?: AllowedOrigins;
  /** Largest request body in bytes; all that are being read together may have four times that. @default {33_554_432} */
  readonly maxBodySize?: number;
  /** Milliseconds without a frame after which a stream carries a comment, so that it stays open. @default {15_000} */
  readonly keepAliveInterval?: number;
  /**
   * Milliseconds that a stream's headers wait for the model, so that an early failure has an honest status; after that
   * a failure can only be told in the stream. Under `Deno.serve` it is also how long a client's leaving may go
   * unnoticed; see `listen`. @default {15_000}
   */
  readonly statusWait?: number;
  /**
   * Whether browsers get a page to chat on at `/`. Its script and style are part of this package; nothing is loaded
   * from elsewhere. @default {true}
   */
  readonly playground?: boolean;
  /**
   * Where answers are kept that clients may come back to, such as those of `/v1/responses`. Default: in memory, the
   * last 1000 answers and at most 64 MiB of them, gone when the server ends.
   */
  readonly responseStore?: ResponseStore;
  /**
   * Who may ask: requests need one of these keys as a bearer token, apart from those for the page at `/`, for
   * `/openapi.json`, `/version`, `/ping` and below `/health`. Answers kept for one key are out of reach of the others.
   * Default: everyone.
   */
  readonly apiKeys?: ApiKeySource;
  /**
   * Hosts under which the server may be asked, besides those of this machine such as `localhost`; each a name or an
   * address without a port. For a server that only this machine reaches: a page elsewhere can have a name of its own
   * point here (DNS rebinding), which this refuses. Default: any host.
   */
  readonly allowedHosts?: readonly string[];
  /** How many requests run at once, and how many of each key in a minute. Default: no limits. */
  readonly admission?: Admission;
  /** What `GET /metrics` answers, to those who have a key where keys are asked for. Default: there is no such route. */
  readonly metrics?: MetricsText;
  /** Told of every request when it is over, for a log or for metrics. Must not throw. */
  readonly onRequest?: (record: RequestRecord) => void;
  /**
   * Told of every error that is not the client's fault, with what caused it and the request's id.
   * Default: writes it to the console.
   */
  readonly onError?: (error: ChatModelError, requestId: string) => void;
}

/** What serves requests: hand it to `Deno.serve`, export it as default for `deno serve`, or call `fetch` in a test. */
export interface App {
  /**
   * Answers a request. Never rejects: what goes wrong becomes an answer.
   *
   * @param request The request.
   * @returns The answer.
   */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /**
   * Ends every answer that is still being made, as when the server stops: streams end with an error frame.
   *
   * @param reason What the models' signals fire with, and clients are told.
   */
  readonly abort: (reason: unknown) => void;
  /**
   * Has `GET /health/ready` answer 503, so that whoever distributes requests sends no more of them. Those that come all
   * the same are answered.
   */
  readonly drain: () => void;
  /** How many requests are being answered; known only with `onRequest` or `admission`. */
  readonly inFlight: () => number;
}

/**
 * Makes an app that serves models to OpenAI's clients and to MLflow's: `/v1/chat/completions`, `/v1/responses`,
 * `/v1/completions`, `/v1/embeddings`, `/v1/models` (all also without `/v1`), `/openapi.json`, `/invocations`, `/ping`,
 * `/health`, `/version`; and to people, who get a page to chat on at `/`.
 *
 * Pure: a request in, an answer out, no permissions needed. A model is loaded when it is first asked for.
 *
 * @example Usage
 * ```ts
 * import { ChatModel } from "@chatmodel/chat-model";
 * import { createApp } from "@chatmodel/chat-model/serve";
 * import { assertEquals } from "@std/assert";
 *
 * class Greeter extends ChatModel {
 *   override predict() {
 *     return "Hello";
 *   }
 * }
 *
 * const app = createApp({ greeter: Greeter });
 * const response = await app.fetch(
 *   new Request("http://localhost/v1/chat/completions", {
 *     method: "POST",
 *     body: JSON.stringify({ model: "greeter", messages: [{ role: "user", content: "Hi" }] }),
 *   }),
 * );
 * assertEquals((await response.json()).choices[0].message.content, "Hello");
 * ```
 *
 * @param models The models by name, the first of them the default; or a directory of models.
 * @param options Limits, origins, and what to do with errors.
 * @returns The app.
 * @throws {TypeError} If one of the models is none, or one of the allowed origins is no origin.
 */
export function createApp(models: AppModels | ModelDirectory, options: AppOptions = {}): App {
  const { allowedOrigins = [], onError = logError, playground = true, apiKeys, admission, onRequest } = options;
  const { maxBodySize = 33_554_432 } = options;
  const directory = isDirectory(models) ? models : new StaticDirectory(models, options);
  if (allowedOrigins !== "*") allowedOrigins.forEach(checkOrigin);
  const allowedHosts = options.allowedHosts?.map(parseAllowedHost);
  const running = new RunningRequests();
  const store = guardStore(options.responseStore ?? new MemoryResponseStore());
  const readiness = new Readiness({ directory, onChange: logHealth });
  const abortReasons = new Set<unknown>();
  const routeOptions: ChatRouteOptions = {
    directory,
    admission,
    bodies: { maxSize: maxBodySize, budget: new BodyBudget(maxBodySize * BODIES_AT_ONCE) },
    keepAliveInterval: options.keepAliveInterval ?? 15_000,
    statusWait: options.statusWait ?? 15_000,
    storeOf: ({ key }) => key === undefined ? store : ownedStore(store, key.name),
    report(thrown, scope) {
      const error = ChatModelError.from(thrown);
      scope.observer?.fail(error);
      // What the server itself ended, it need not be told of; nor of what it refuses, which may be a thousand a second.
      if (errorStatus(error) < 500 || abortReasons.has(thrown) || isRefusal(error)) return error;
      try {
        onError(error, scope.requestId);
      } catch (failure) {
        // A log that fails must not take the answer with it.
        logError(error, scope.requestId);
        logError(ChatModelError.from(failure), scope.requestId);
      }
      return error;
    },
  };
  const router = new Router(makeRoutes(routeOptions, { playground, readiness, metrics: options.metrics }));
  // Tokens are measured for limits, too.
  let inFlight = 0;
  const isWatched = onRequest !== undefined || admission !== undefined;
  const onEnd = (scope: RequestScope) => {
    inFlight--;
    if (scope.observer !== undefined) onRequest?.(scope.observer.record(scope));
  };

  async function respond(request: Request, scope: RequestScope, headers: AnswerHeaders): Promise<Response> {
    const path = pathOf(request.url);
    const plainPath = routePath(path);
    let response: Response;
    try {
      if (allowedHosts !== undefined) checkHost(hostOf(request), allowedHosts);
      const origin = request.headers.get("origin");
      if (origin !== null) {
        // By an address of numbers the playground comes from this very server.
        const isOwn = playground && isOwnPage(origin, request);
        if (!isOwn && !isAllowedOrigin(origin, allowedOrigins)) throw foreignOrigin(origin);
        pushCorsHeaders(origin, headers);
      }
      const found = router.find(plainPath);
      if (found === undefined) throw invalidUrl(request.method, path);
      const { methods, id, path: route } = found;
      if (scope.observer !== undefined) scope.observer.route = route;
      if (apiKeys !== undefined && request.method !== "OPTIONS" && !isPublic(route)) {
        scope.key = apiKeys.find(request.headers.get("authorization"));
      }
      const { method } = request;
      const answer = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (answer !== undefined) response = await answer(request, scope, headers, id);
      else if (method === "HEAD" && methods.GET) {
        response = new Response(null, await methods.GET(request, scope, headers, id));
      } else {
        const allowed = Object.keys(methods).flatMap((method) => method === "GET" ? ["GET", "HEAD"] : method);
        headers.push(["allow", [...allowed, "OPTIONS"].join(", ")]);
        if (method !== "OPTIONS") throw methodNotAllowed(method, path, allowed);
        response = preflightResponse(request, allowed, headers);
      }
    } catch (thrown) {
      const error = routeOptions.report(thrown, scope);
      response = errorAnswer(error, plainPath, headers);
    }
    if (scope.observer !== undefined) scope.observer.status = response.status;
    if (!scope.streaming) scope.end();
    return response;
  }

  return {
    fetch(request) {
      if (isWatched) inFlight++;
      const watcher = isWatched ? { meter: new RequestMeter(request.method), onEnd } : undefined;
      const scope = new RequestScope(request, running, watcher);
      const headers = new AnswerHeaders(scope.requestId);
      return respond(request, scope, headers);
    },
    drain: () => readiness.drain(),
    inFlight: () => inFlight,
    abort(reason) {
      abortReasons.add(reason);
      running.abort(reason);
    },
  };
}

/** Routes that tell nothing of what the server holds: for browsers, which ask for a page without a key, and probes. */
function isPublic(route: string): boolean {
  return PUBLIC_ROUTES.has(route) || route.startsWith("/health/");
}

const PUBLIC_ROUTES = new Set(["/", "/openapi.json", "/version", "/ping", "/health"]);

/** The host that a request is for: of its URL, which is made of the `Host` header. */
function hostOf({ url }: Request): string {
  const start = url.indexOf("://") + 3;
  return url.slice(start, url.indexOf("/", start));
}

function foreignOrigin(origin: string): ChatModelError {
  return new ChatModelError(
    `Cannot serve pages of origin "${origin}": allow it with --cors-origin or the option "allowedOrigins"`,
    { code: "origin_not_allowed" },
  );
}

function logHealth(problem: { readonly reason: unknown } | undefined): void {
  if (problem === undefined) {
    // deno-lint-ignore no-console -- a server's log
    return console.error("The models are available again");
  }
  const { message } = ChatModelError.from(problem.reason);
  // deno-lint-ignore no-console -- a server's log
  console.error(`No model is available: ${message}`);
}

function logError(error: ChatModelError, requestId: string): void {
  // The id in each line: whoever looks for it finds the stack, too.
  const text = Deno.inspect(error.cause ?? error).replaceAll("\n", `\n${requestId}: `);
  // deno-lint-ignore no-console -- a server's log; hand in `onError` to have it elsewhere.
  console.error(`${requestId}: ${text}`);
}
