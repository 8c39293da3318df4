/**
 * What each target published into a folder, in `.ftim/published/`, one file a folder. A file that cannot be read counts
 * as none: then nothing is removed from the folder.
 */
import { z } from "zod";
import { sha256 } from "./hash.ts";
import { waitLockSync } from "./locks.ts";
import type { FileRow } from "./state.ts";
import { existingStore } from "./store.ts";
import { temporaryIn } from "./temporary.ts";

/** One target's part of a folder's ledger. */
export interface Ledger {
  /** Files that the target published here. */
  rows(): readonly FileRow[];
  /** Replaces them. */
  note(rows: readonly FileRow[]): void;
  /** What other targets published here, by target. */
  others(): ReadonlyMap<string, readonly FileRow[]>;
}

const relativePath = z.string().refine((path) =>
  path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && !/[\\\0]/.test(part))
);
const schema = z.strictObject({
  /** For people who look into it. */
  folder: z.string(),
  targets: z.record(
    z.string(),
    z.array(z.tuple([relativePath, z.string().regex(/^[0-9a-f]{64}$/), z.int().nonnegative()]).readonly()).readonly(),
  ),
});
/** Files by target. */
type Entries = Map<string, readonly FileRow[]>;

/** Opens the part of a target. The folder and the store must be there. */
export function openLedger(
  directory: string,
  { store, target }: { readonly store: string; readonly target: string },
): Ledger {
  const root = existingStore(store);
  const folder = Deno.realPathSync(directory);
  const place = `${root}/published`;
  const path = `${place}/${sha256(folder)}.json`;
  return {
    rows: () => read(path).get(target) ?? [],
    note(rows) {
      Deno.mkdirSync(place, { recursive: true });
      using _ = waitLockSync(`${place}/lock`, { exclusive: true });
      const entries = read(path);
      if (JSON.stringify(entries.get(target)) === JSON.stringify(rows)) return;
      const targets = Object.fromEntries(entries.set(target, rows));
      using temporary = temporaryIn(place);
      Deno.writeTextFileSync(temporary.path, JSON.stringify({ folder, targets }));
      Deno.renameSync(temporary.path, path);
    },
    others: () => new Map([...read(path)].filter(([name]) => name !== target)),
  };
}

function read(path: string): Entries {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Map();
    throw error;
  }
  try {
    return new Map(Object.entries(schema.parse(JSON.parse(text)).targets));
  } catch {
    return new Map();
  }
}
