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
  /** What other targets published here, also through a folder above or below, by target. */
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
    others: () => new Map([...[...read(path)].filter(([name]) => name !== target), ...nested(place, folder)]),
  };
}

/** What was published into folders above and below one, with paths from there. */
function nested(place: string, folder: string): Entries {
  const found: Entries = new Map();
  for (const { name } of filesIn(place)) {
    const ledger = name.endsWith(".json") ? readLedger(`${place}/${name}`) : null;
    if (ledger === null || ledger.folder === folder) continue;
    const [above, below] = [`${ledger.folder}/`, `${folder}/`];
    const translate = ([path, ...row]: FileRow): FileRow[] => {
      if (above.startsWith(below)) return [[above.slice(below.length) + path, ...row]];
      const inside = below.startsWith(above) && (above + path).startsWith(below);
      return inside ? [[(above + path).slice(below.length), ...row]] : [];
    };
    for (const [target, rows] of ledger.entries) {
      const here = rows.flatMap(translate);
      if (here.length > 0) found.set(`${target} (into ${ledger.folder})`, here);
    }
  }
  return found;
}

function filesIn(folder: string): Iterable<Deno.DirEntry> {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function read(path: string): Entries {
  return readLedger(path)?.entries ?? new Map();
}

function readLedger(path: string): { readonly folder: string; readonly entries: Entries } | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  try {
    const { folder, targets } = schema.parse(JSON.parse(text));
    return { folder, entries: new Map(Object.entries(targets)) };
  } catch {
    return null;
  }
}
