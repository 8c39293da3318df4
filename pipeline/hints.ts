/**
 * What a stage has learned of this machine that makes it faster and changes no result: which of two kernels is
 * quicker here, say. Kept in the store, but never in a key; whoever reads it must do without it, for it may be lost
 * or come from an older version.
 */
import { remove, type Store } from "./store.ts";

/** One named record of hints. */
export interface Hints {
  /** What was written last; null if nothing was, or if it cannot be read. */
  read(): unknown;
  /** Replaces it: readers see the old record or the new one, never a part. */
  write(value: unknown): void;
}

const NAME = /^[a-z][a-z0-9_]*$/;

/**
 * Opens a record.
 *
 * @param name lower-case letters, digits and underscores: stages that name the same record share it
 * @throws {TypeError} on another name
 */
export function openHints({ root, temporary }: Pick<Store, "root" | "temporary">, name: string): Hints {
  if (!NAME.test(name)) throw new TypeError(`"${name}" cannot name hints: use lower-case letters, digits and "_"`);
  const path = `${root}/hints/${name}.json`;
  return {
    read() {
      try {
        return JSON.parse(Deno.readTextFileSync(path));
      } catch (error) {
        // a damaged hint is no hint
        if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return null;
        throw error;
      }
    },
    write(value) {
      const whole = `${temporary}/hints-${crypto.randomUUID()}`;
      try {
        Deno.writeTextFileSync(whole, JSON.stringify(value, null, 1));
        Deno.renameSync(whole, path);
      } finally {
        remove(whole);
      }
    },
  };
}
