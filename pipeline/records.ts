/** The records as a whole, for those who look after the store: fsck, gc, export, provenance. */
import type { SQLOutputValue } from "node:sqlite";
import { sizeOnDisk } from "./blobs.ts";
import type { Row } from "./database.ts";
import {
  type ActionRecord,
  readAction,
  readClosure,
  readDocument,
  readNode,
  readSnapshot,
  type State,
} from "./state.ts";
import type { Listing } from "./tree.ts";

/** A finished stage with its result. */
export interface FinishedNode {
  readonly key: string;
  readonly stage: string;
  readonly preimage: string;
  readonly tree: string;
  /** Number of the latest run that used it, as far as is known. */
  readonly used: number;
  /** Number of the run that made it; of the one after its coming in, where it was made elsewhere. */
  readonly run: number;
  /** Null where the listing is lost. */
  readonly listing: Listing | null;
}

/** All finished stages, the latest used first; `uses` says which run used what last. */
export function finishedNodes(
  state: State,
  { uses = new Map() }: { readonly uses?: ReadonlyMap<string, number> } = {},
): readonly FinishedNode[] {
  const rows = state.db.prepare("SELECT * FROM nodes ORDER BY run DESC, key").all();
  const nodes = rows.flatMap((row) => readNode(row) ?? []).map(({ key, stage, preimage, tree, run }) => {
    const text = state.document(tree);
    const listing: Listing | null = text === null ? null : JSON.parse(text);
    return { key, stage, preimage, tree, used: uses.get(key) ?? run, run, listing };
  });
  return nodes.sort((a, b) => b.used - a.used);
}

/** All executions, without loading them at once. */
export function* recordedActions(state: State): Generator<ActionRecord> {
  for (const row of state.db.prepare("SELECT * FROM actions ORDER BY key").iterate()) {
    const record = readAction(row);
    if (record !== null) yield record;
  }
}

/** How a row of each table is read: null for a damaged one. */
const READERS: readonly (readonly [table: string, key: string, read: (row: Row) => unknown])[] = [
  ["actions", "key", readAction],
  ["nodes", "key", readNode],
  ["documents", "digest", readDocument],
  ["snapshots", "root", readSnapshot],
  ["closures", "entry", readClosure],
];

/** Deletes the rows that are not what their checksums say; returns how many there were. */
export function dropDamaged(state: State): number {
  return state.transaction(() =>
    READERS.reduce((count, [table, key, read]) => {
      const keys: SQLOutputValue[] = [];
      // a damaged key may be no text, and is named by its bytes
      for (const row of state.db.prepare(`SELECT *, CAST(${key} AS BLOB) AS bytes FROM ${table}`).iterate()) {
        if (read(row) === null) keys.push(row.bytes ?? null);
      }
      const drop = state.db.prepare(`DELETE FROM ${table} WHERE CAST(${key} AS BLOB) IS ?`);
      for (const value of keys) drop.run(value);
      return count + keys.length;
    }, 0)
  );
}

/** What to forget, by key. */
export interface Forget {
  readonly nodes: readonly string[];
  readonly actions: readonly string[];
  readonly documents?: readonly string[];
}

/** Deletes records in one step. */
export function forget(state: State, { nodes, actions, documents = [] }: Forget): void {
  const node = state.db.prepare("DELETE FROM nodes WHERE key = ?");
  const action = state.db.prepare("DELETE FROM actions WHERE key = ?");
  const document = state.db.prepare("DELETE FROM documents WHERE digest = ?");
  state.transaction(() => {
    for (const key of nodes) node.run(key);
    for (const key of actions) action.run(key);
    for (const digest of documents) document.run(digest);
  });
}

/** Digests of all stored documents. */
export function storedDocuments(state: State): readonly string[] {
  return state.db.prepare("SELECT digest FROM documents ORDER BY digest").all().map(({ digest }) => String(digest));
}

/** What lies in the store: name and size; `stray` is what is no file, or lies where its name does not say. */
export function* storedBlobs(root: string): Generator<{ sha256: string; size: number; path: string; stray: boolean }> {
  const folder = `${root}/store/sha256`;
  for (const { name: prefix, isDirectory } of [...Deno.readDirSync(folder)].sort(byName)) {
    const entries = isDirectory ? [...Deno.readDirSync(`${folder}/${prefix}`)].sort(byName) : [];
    for (const { name } of entries) {
      const path = `${folder}/${prefix}/${name}`;
      const size = sizeOnDisk(path);
      const stray = size === -1 || !/^[0-9a-f]{64}$/.test(name) || name.slice(0, 2) !== prefix;
      // null: a run beside has just moved it away
      if (size !== null) yield { sha256: name, size: Math.max(size, 0), path, stray };
    }
  }
}

function byName(a: Deno.DirEntry, b: Deno.DirEntry): number {
  return a.name < b.name ? -1 : 1;
}
