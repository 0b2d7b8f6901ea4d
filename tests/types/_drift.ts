/** `true` when two types are the same, optional members and all; mutual assignability would not see those. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

/** Takes `true` only. */
export type Expect<T extends true> = T;

/** A type without `readonly`, and without the index signatures of objects that have known members, all the way down. */
export type Known<T> = T extends readonly (infer Item)[] ? Known<Item>[]
  : T extends object ? KnownMembers<T>
  : T;

type KnownMembers<T> = keyof Named<T> extends never ? { [Key in keyof T]: T[Key] } : Named<T>;

type Named<T> = { -readonly [Key in keyof T as string extends Key ? never : Key]: Known<T[Key]> };
