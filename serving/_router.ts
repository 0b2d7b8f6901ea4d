/** Finding the route of a path. */
import type { RequestScope } from "./_request_scope.ts";
import type { AnswerHeaders } from "./_respond.ts";

/** Answers a request of one path and method. `id` is what stands for the path's parameter. */
export type Route = (
  request: Request,
  scope: RequestScope,
  headers: AnswerHeaders,
  id: string,
) => Response | Promise<Response>;

/** The routes of a path by method. HEAD comes with GET, OPTIONS by itself. */
export type Methods = Readonly<Record<string, Route>>;

/**
 * Paths with their routes. A path may have one parameter, `:id`, as its last part or last but one:
 * `/models/:id`, `/responses/:id/input_items`. An id may hold slashes, as names of models do.
 */
export type Routes = Readonly<Record<string, Methods>>;

/** A path's methods and the id in it, decoded. */
export interface Found {
  /** The path as in the list of routes. */
  readonly path: string;
  readonly methods: Methods;
  readonly id: string;
}

interface Pattern {
  readonly path: string;
  readonly prefix: string;
  readonly suffix: string;
  readonly methods: Methods;
}

/** Finds routes: plain paths by one look into a map, those with an id by their beginning and end. */
export class Router {
  readonly #plain = new Map<string, Found>();
  readonly #patterns: Pattern[] = [];

  constructor(routes: Routes) {
    for (const [path, methods] of Object.entries(routes)) {
      const [prefix = "", suffix] = path.split(":id");
      if (suffix === undefined) this.#plain.set(path, { path, methods, id: "" });
      else this.#patterns.push({ path, prefix, suffix, methods });
    }
    // The longest suffix first, so that "/responses/:id" does not take "/responses/x/cancel" for an id.
    this.#patterns.sort((a, b) => b.suffix.length - a.suffix.length);
  }

  /** The routes of a path as {@linkcode routePath} gives it. */
  find(path: string): Found | undefined {
    const plain = this.#plain.get(path);
    if (plain !== undefined) return plain;
    for (const { path: pattern, prefix, suffix, methods } of this.#patterns) {
      if (path.length > prefix.length + suffix.length && path.startsWith(prefix) && path.endsWith(suffix)) {
        return { path: pattern, methods, id: decode(path.slice(prefix.length, path.length - suffix.length)) };
      }
    }
    return undefined;
  }
}

/** The path of a URL: taken out by hand, as nothing else of it is needed and parsing it is slower. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  if (start < 0) return "/";
  const query = url.indexOf("?", start);
  const fragment = url.indexOf("#", start);
  return url.slice(start, query >= 0 ? query : fragment >= 0 ? fragment : undefined);
}

/**
 * A path without `/v1` before it and a slash after it. Where a client puts together a base URL that ends in a slash and
 * a path that begins with one, there are two of them: before `/v1` or behind it. In an id they stay.
 */
export function routePath(path: string): string {
  let start = lastSlashAt(path, 0);
  if (path.startsWith("/v1/", start)) start = lastSlashAt(path, start + 3);
  const end = path.length - start > 1 && path.endsWith("/") ? path.length - 1 : path.length;
  return path.slice(start, end);
}

/** Where the last of the slashes is that begin at a place. */
function lastSlashAt(path: string, index: number): number {
  while (path.charCodeAt(index) === SLASH && path.charCodeAt(index + 1) === SLASH) index++;
  return index;
}

const SLASH = 47;

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not percent-encoded after all: the name is what it says.
  }
}
