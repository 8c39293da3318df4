/**
 * A cache of bounded size that keeps what was asked for lately: two generations of a map. What the older one holds
 * moves to the younger when it is asked for; when the younger is full, it becomes the older, and the rest is forgotten.
 */

/** A bounded cache. */
export interface Recent<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  /** Values that are held. */
  readonly size: number;
}

/** A cache of the last `most` distinct keys at least, and of twice as many at most. */
export function recent<T>(most: number): Recent<T> {
  let [young, old] = [new Map<string, T>(), new Map<string, T>()];
  const set = (key: string, value: T) => {
    if (young.size >= most) [young, old] = [new Map(), young];
    young.set(key, value);
  };
  return {
    get(key) {
      const known = young.get(key);
      if (known !== undefined) return known;
      const aged = old.get(key);
      if (aged !== undefined) {
        old.delete(key);
        set(key, aged);
      }
      return aged;
    },
    set,
    get size() {
      return young.size + old.size;
    },
  };
}
