/** Adds to the path of a URI: before its query, and not in a plain path, where `?` and `#` are of the name. */
export function appendToUri(uri: string, path: string): string {
  const isUri = /^[a-z][a-z0-9+.-]+:/i.test(uri);
  const [, base = uri, rest = ""] = (isUri ? /^([^?#]*)(.*)$/s : /^(.*)$/s).exec(uri) ?? [];
  return `${base.replace(/\/+$/, "")}/${path}${rest}`;
}
