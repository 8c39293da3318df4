/** What a pickle would make, noted down and not made: names of classes and functions, and calls of them. */

/** What a name of a pickle stands for: a class or a function, not called. */
export interface PickledName {
  readonly global: string;
}

/** What a pickle would make by a call, or refers to outside of itself. */
export interface PickledObject {
  /** What would be called, for example `collections.OrderedDict`; of a persistent id, `persistent`. */
  readonly type: string;
  readonly args: readonly unknown[];
  /** What the object's `__setstate__` would get. */
  state?: unknown;
  /** Entries, where it is a dictionary. */
  readonly items: Map<unknown, unknown>;
}

/** Whether a value is a noted call. */
export function isObject(value: unknown): value is PickledObject {
  return typeof value === "object" && value !== null && "type" in value && "items" in value;
}

/** Whether a value is a name. */
export function isName(value: unknown): value is PickledName {
  return typeof value === "object" && value !== null && "global" in value;
}
