/** A model that a server offers. */
export interface Model {
  /** Name to ask for. */
  readonly id: string;
  /** Kind of object. */
  readonly object: "model";
  /** When it was made: seconds since 1970. */
  readonly created: number;
  /** Who made it. */
  readonly owned_by: string;
}

/** The models that a server offers. */
export interface ModelList {
  /** Kind of object. */
  readonly object: "list";
  /** The models; empty when there are none. */
  readonly data: readonly Model[];
}
