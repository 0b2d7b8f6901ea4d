/** What flags put around an app: who may ask, how much, and who is told of it. */
import { CommandError } from "../_command_error.ts";
import { ApiKeys, ApiKeysFile, apiKeysFromText, type ApiKeySource, isLoopbackAddress } from "./access/mod.ts";
import { AccessLog } from "./access_log.ts";
import type { App, AppOptions } from "./app.ts";
import type { ServeFlags, TraceFlags } from "./_flags.ts";
import { Admission, type LimitStore } from "./limits/mod.ts";
import type { MetricsSources, ServerMetrics } from "./metrics/mod.ts";
import type { RequestRecord } from "./request_record.ts";
import type { ResponseStore } from "./response_store.ts";

/** Holds the keys, if there are any. */
const KEYS_VARIABLE = "CHATMODEL_API_KEYS";

/** Milliseconds that traces get to be written when the server ends: less than all together get, so that losses are told. */
const TRACE_FLUSH_TIME = 1_500;

/** What is around an app. */
export interface Guards {
  readonly options: AppOptions;
  /** Counts what the app does. Absent where no one asks for it. */
  readonly metrics: ServerMetrics | undefined;
  /** Tells which app it is that they are around. */
  readonly attach: (app: App) => void;
  /** Writes what is not written yet, and closes what is open. */
  readonly close: () => Promise<void>;
}

/**
 * Puts up what flags ask for.
 *
 * @param flags The flags.
 * @param warn Tells the user of what goes wrong later.
 * @throws {CommandError} If a file cannot be opened, or nobody in particular is meant to get in and everybody could.
 * @throws {ChatModelError} If keys are not as they must be.
 */
export async function putUpGuards(flags: ServeFlags, warn: (message: string) => void): Promise<Guards> {
  const closing: (() => void | Promise<void>)[] = [];
  const apiKeys = await openKeys(flags, warn, closing);
  const stores = flags.redis === undefined ? undefined : await openRedis(flags.redis, flags, warn, closing);
  const log = flags.accessLog === undefined ? undefined : await openLog(flags.accessLog, warn);
  if (log !== undefined) closing.push(() => log.close());
  if (flags.trace !== undefined) await startTracing(flags.trace, warn, closing);
  const { maxConcurrency, maxQueue, queueTimeout, modelQueues } = flags;
  const models = Object.fromEntries(modelQueues);
  const isLimited = maxConcurrency !== Infinity || modelQueues.size > 0 || apiKeys !== undefined;
  const admission = isLimited
    ? new Admission({ maxConcurrency, maxQueue, queueTimeout, models, ...(stores && { store: stores.limitStore }) })
    : undefined;
  let app: App | undefined;
  const metrics = flags.metricsPort === undefined ? undefined : await startMetrics({
    inFlight: () => app?.inFlight() ?? 0,
    ...(admission !== undefined && { load: () => admission.stats() }),
  });
  const onRequest = log === undefined && metrics === undefined ? undefined : (record: RequestRecord) => {
    log?.log(record);
    metrics?.count(record);
  };
  return {
    options: {
      ...(apiKeys !== undefined && { apiKeys }),
      ...(isLoopbackAddress(flags.host) && { allowedHosts: flags.moreHosts }),
      ...(admission !== undefined && { admission }),
      ...(onRequest !== undefined && { onRequest }),
      ...(stores !== undefined && { responseStore: stores.responseStore }),
      ...(metrics !== undefined && !hasOwnMetricsPort(flags) && { metrics }),
    },
    metrics,
    attach: (given) => void (app = given),
    async close() {
      await Promise.all(closing.map((close) => close()));
    },
  };
}

/** On a port of its own, metrics are asked for without a key; on the server's, like all else. */
export function hasOwnMetricsPort({ metricsPort, port }: ServeFlags): boolean {
  return metricsPort !== undefined && (metricsPort !== port || port === 0);
}

/** Not imported before it is asked for. */
async function startMetrics(sources: MetricsSources): Promise<ServerMetrics> {
  const { ServerMetrics } = await import("./metrics/mod.ts");
  return new ServerMetrics(sources);
}

/** Not imported before it is asked for: OpenTelemetry is large. */
async function startTracing(
  { to, experiment, content }: TraceFlags,
  warn: (message: string) => void,
  closing: (() => void | Promise<void>)[],
): Promise<void> {
  const { enableTracing } = await import("../tracing/mod.ts");
  const tracing = await enableTracing({
    ...to,
    ...(experiment !== undefined && { experiment }),
    ...(content !== undefined && { captureContent: content }),
    onWarning: (message) => warn(`warning: ${message}`),
  });
  closing.push(() => tracing.shutdown(TRACE_FLUSH_TIME));
}

async function openKeys(
  { apiKeysFile, noAuth, host }: ServeFlags,
  warn: (message: string) => void,
  closing: (() => void | Promise<void>)[],
): Promise<ApiKeySource | undefined> {
  const text = await readVariable(KEYS_VARIABLE);
  if (noAuth && (apiKeysFile !== undefined || text !== undefined)) {
    throw new CommandError(
      `--no-auth stands against ${apiKeysFile === undefined ? KEYS_VARIABLE : "--api-keys"}: leave one of them out`,
      2,
    );
  }
  if (apiKeysFile !== undefined && text !== undefined) {
    throw new CommandError(`--api-keys stands against ${KEYS_VARIABLE}: leave one of them out`, 2);
  }
  if (apiKeysFile !== undefined) {
    const file = await ApiKeysFile.open(apiKeysFile, { onWarning: (message) => warn(`warning: ${message}`) });
    closing.push(() => file.close());
    return file;
  }
  if (text !== undefined) return new ApiKeys(apiKeysFromText(text));
  if (noAuth || isLoopbackAddress(host)) return undefined;
  throw new CommandError(
    `Cannot listen on ${host} without API keys: whoever reaches it could use the models. Make a key with ` +
      `'deno run -A cli.ts keys create --name NAME --file keys.json' and add --api-keys keys.json, or set ${KEYS_VARIABLE} ` +
      `(with --allow-env=${KEYS_VARIABLE}); --no-auth insists`,
    2,
  );
}

/** Where the permission is missing, there is no asking for it: a server starts without someone at the keyboard. */
async function readVariable(name: string): Promise<string | undefined> {
  const { state } = await Deno.permissions.query({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

interface Stores {
  readonly limitStore: LimitStore;
  readonly responseStore: ResponseStore;
}

async function openRedis(
  url: string,
  { redisLost: onLost }: ServeFlags,
  warn: (message: string) => void,
  closing: (() => void | Promise<void>)[],
): Promise<Stores> {
  const { RedisLimitStore, RedisResponseStore } = await import("./redis/mod.ts");
  const options = { url, onWarning: (message: string) => warn(`warning: ${message}`) };
  const limitStore = new RedisLimitStore({ ...options, onLost });
  const responseStore = new RedisResponseStore(options);
  closing.push(() => limitStore.close(), () => responseStore.close());
  return { limitStore, responseStore };
}

async function openLog(path: string, warn: (message: string) => void): Promise<AccessLog> {
  const options = { onWarning: (message: string) => warn(`warning: ${message}`) };
  if (path === "-") return new AccessLog({ write: (bytes) => Deno.stdout.write(bytes) }, options);
  try {
    return new AccessLog(await Deno.open(path, { append: true, create: true }), options);
  } catch (error) {
    const hint = error instanceof Deno.errors.NotCapable
      ? `: permission is missing. Run with --allow-write=${path}`
      : "";
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`Cannot write access log "${path}"${hint || `: ${reason}`}`, 1, { cause: error });
  }
}
