import type { JsonValue } from "./model_config.ts";

/**
 * A value as JSON keeps it, without a detour by text, which would change some values without a word.
 *
 * @param value Anything.
 * @param refuse Told of a value that JSON cannot keep, and where it is; must throw.
 * @param path Where the value is, for `refuse`.
 * @param above What it is in.
 * @returns The value; members that are `undefined` are left out, as JSON does.
 */
export function toJsonValue(
  value: unknown,
  refuse: (path: string, problem: string) => never,
  path = "",
  above: readonly object[] = [],
): JsonValue {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : refuse(path, `is ${value}, which JSON has not`);
    case "object":
      break;
    default:
      return refuse(path, `is ${typeof value === "undefined" ? "undefined" : `a ${typeof value}`}, which JSON has not`);
  }
  if (value === null) return null;
  if (above.includes(value)) return refuse(path, "holds itself, which JSON cannot");
  const around = [...above, value];
  const inside = (key: string | number) => path === "" ? String(key) : `${path}.${key}`;
  if (Array.isArray(value)) return value.map((item: unknown, i) => toJsonValue(item, refuse, inside(i), around));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const { name = "" }: { readonly name?: unknown } = value.constructor ?? {};
    // Classes need not have a name.
    const kind = typeof name === "string" && name !== "" ? `instance of ${name}` : "instance of a class";
    return refuse(path, `is an ${kind}, which JSON has not. Write it as text`);
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, toJsonValue(member, refuse, inside(key), around)]));
}
