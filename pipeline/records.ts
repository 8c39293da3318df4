/** The records as a whole, for those who look after the store: fsck, gc, export, provenance. */
import { type ActionRecord, readAction, type State } from "./state.ts";
import { sizeOnDisk } from "./store.ts";
import type { Listing } from "./tree.ts";

/** A finished stage with its result. */
export interface FinishedNode {
  readonly key: string;
  readonly stage: string;
  readonly preimage: string;
  readonly tree: string;
  /** Milliseconds since the epoch of the last run that used it. */
  readonly used: number;
  /** Null where the listing is lost. */
  readonly listing: Listing | null;
}

/** All finished stages, the latest used first. */
export function finishedNodes(state: State): readonly FinishedNode[] {
  const rows = state.db.prepare("SELECT key, stage, preimage, tree, used FROM nodes ORDER BY used DESC, key").all();
  return rows.map((row) => {
    const tree = String(row.tree);
    const text = state.document(tree);
    const listing: Listing | null = text === null ? null : JSON.parse(text);
    const [key, stage, preimage] = [String(row.key), String(row.stage), String(row.preimage)];
    return { key, stage, preimage, tree, used: Number(row.used), listing };
  });
}

/** All executions, without loading them at once. */
export function* recordedActions(state: State): Generator<ActionRecord> {
  for (const row of state.db.prepare("SELECT * FROM actions ORDER BY key").iterate()) yield readAction(row);
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

/** Digests of all stored documents, with their texts. */
export function* storedDocuments(state: State): Generator<{ digest: string; text: string }> {
  for (const row of state.db.prepare("SELECT * FROM documents ORDER BY digest").iterate()) {
    yield { digest: String(row.digest), text: String(row.text) };
  }
}

/** Blobs that lie in the store: name and size; `path` for those whose place is not what their name says. */
export function* storedBlobs(root: string): Generator<{ sha256: string; size: number; path: string; stray: boolean }> {
  const folder = `${root}/store/sha256`;
  for (const { name: prefix, isDirectory } of [...Deno.readDirSync(folder)].sort(byName)) {
    const entries = isDirectory ? [...Deno.readDirSync(`${folder}/${prefix}`)].sort(byName) : [];
    for (const { name } of entries) {
      const path = `${folder}/${prefix}/${name}`;
      const stray = !/^[0-9a-f]{64}$/.test(name) || name.slice(0, 2) !== prefix;
      const size = sizeOnDisk(path);
      // null: a run beside has just moved it away
      if (size !== null) yield { sha256: name, size, path, stray };
    }
  }
}

function byName(a: Deno.DirEntry, b: Deno.DirEntry): number {
  return a.name < b.name ? -1 : 1;
}
