import { fromFileUrl, join, resolve } from "@std/path";
import { TrackingError } from "../errors.ts";
import { errorOfFiles } from "./_files.ts";

/**
 * The folder that a plain path or a `file:` URI names.
 *
 * @param uri The path or URI. `file:relative` is a path from the working directory, as for MLflow.
 * @returns The absolute path.
 * @throws {TrackingError} With `INVALID_PARAMETER_VALUE` if it is another kind of URI.
 */
export function localPathOf(uri: string): string {
  const fail = (fault: string) =>
    new TrackingError("INVALID_PARAMETER_VALUE", `Cannot open artifacts at ${JSON.stringify(uri)}: ${fault}`);
  if (uri === "" || uri.includes("\0")) throw fail("it is no path");
  const scheme = schemeOf(uri);
  if (scheme === undefined) return resolve(uri);
  if (scheme !== "file") throw fail(`"${scheme}:" is no place on this machine. Give a path or a "file:" URI`);
  const rest = uri.slice("file:".length);
  try {
    if (!rest.startsWith("/")) return resolve(decodeURIComponent(rest));
    const url = new URL(uri);
    if (url.hostname !== "" && url.hostname !== "localhost") throw fail(`"${url.hostname}" is another machine`);
    url.hostname = "";
    return resolve(fromFileUrl(url));
  } catch (error) {
    if (error instanceof TrackingError) throw error;
    throw new TrackingError("INVALID_PARAMETER_VALUE", `Cannot open artifacts at ${JSON.stringify(uri)}: no good URI`, {
      cause: error,
    });
  }
}

/** Scheme of a URI, in lower case; `undefined` for a plain path, also for one that begins with a drive's letter. */
export function schemeOf(uri: string): string | undefined {
  return /^([a-z][a-z0-9+.-]+):/i.exec(uri)?.[1]?.toLowerCase();
}

/** The folder that artifacts lie in, which no link may lead out of. */
export class LocalRoot {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Where an artifact lies. Its path has been checked. */
  locate(path: string): string {
    return path === "" ? this.path : join(this.path, ...path.split("/"));
  }

  /** Where an artifact lies, links followed; `undefined` if nothing is there. */
  async find(path: string): Promise<string | undefined> {
    const root = await realPath(this.path);
    const found = root === undefined ? undefined : await realPath(this.locate(path));
    if (root === undefined || found === undefined) return undefined;
    this.#checkInside(root, found, path);
    return found;
  }

  /** Makes the folder that an artifact is to lie in. */
  async makeParent(path: string): Promise<string> {
    const segments = path.split("/").slice(0, -1);
    try {
      await Deno.mkdir(this.path, { recursive: true });
      const root = await Deno.realPath(this.path);
      // What is there already is looked at first: nothing may be made behind a link that leads out.
      for (let count = segments.length; count > 0; count--) {
        const found = await realPath(this.locate(segments.slice(0, count).join("/")));
        if (found === undefined) continue;
        this.#checkInside(root, found, path);
        break;
      }
      const parent = this.locate(segments.join("/"));
      await Deno.mkdir(parent, { recursive: true });
      const real = await Deno.realPath(parent);
      this.#checkInside(root, real, path);
      return real;
    } catch (error) {
      throw errorOfFiles(`store artifact "${path}" in "${this.path}"`, error);
    }
  }

  #checkInside(root: string, found: string, path: string): void {
    if (found === root || found.startsWith(join(root, "/"))) return;
    throw new TrackingError(
      "INVALID_PARAMETER_VALUE",
      `Cannot use artifact path "${path}": a link leads out of "${this.path}". Remove the link`,
    );
  }
}

async function realPath(path: string): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw errorOfFiles(`look for "${path}"`, error);
  }
}
