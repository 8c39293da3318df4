/**
 * What was done, in `.ftim/state.db` (SQLite, write-ahead log). The store alone holds bytes; everything here is a
 * record about them, written after them: a lost record costs a recomputation, never a wrong result.
 */
import { openDatabase, type OpenOptions, type Row } from "./database.ts";
import { sha256 } from "./hash.ts";

/** `[path, sha256, size]`. */
export type FileRow = readonly [path: string, sha256: string, size: number];
/** `[key, reason]`. */
export type SkipRow = readonly [key: string, reason: string];

/** One execution: of an item, or of a whole stage (then `item` is null). */
export interface ActionRecord {
  readonly key: string;
  readonly stage: string;
  readonly item: string | null;
  /** Canonical JSON of what was hashed into `key`. */
  readonly preimage: string;
  readonly files: readonly FileRow[];
  readonly skipped: readonly SkipRow[];
  /** Milliseconds since the epoch. */
  readonly started: number;
  readonly ended: number;
}

/** A finished stage: which tree a set of inputs leads to, so that a warm run needs one look-up a stage. */
export interface NodeRecord {
  readonly key: string;
  readonly stage: string;
  readonly preimage: string;
  /** Digest of the result's listing, a document. */
  readonly tree: string;
  /** Items that have a result, and items that were skipped. A whole stage has one item. */
  readonly items: number;
  readonly skipped: number;
  readonly ended: number;
}

/**
 * A source's files as they were: `stamps` holds the numbers of stamp.ts for each file, `hashes` 64 hex digits a file.
 */
export interface Snapshot {
  readonly names: readonly string[];
  readonly stamps: Float64Array;
  readonly hashes: string;
  /** Digest of the listing. */
  readonly digest: string;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS actions (key TEXT PRIMARY KEY, stage TEXT, item TEXT, preimage TEXT, files TEXT,
    skipped TEXT, started INTEGER, ended INTEGER) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS nodes (key TEXT PRIMARY KEY, stage TEXT, preimage TEXT, tree TEXT, items INTEGER,
    skipped INTEGER, ended INTEGER, used INTEGER) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS nodes_by_stage ON nodes (stage, used);
  CREATE TABLE IF NOT EXISTS documents (digest TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS snapshots (root TEXT PRIMARY KEY, digest TEXT, names TEXT, stamps BLOB, hashes TEXT);
  CREATE TABLE IF NOT EXISTS closures (entry TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID;
`;

/** An open state database. */
export type State = ReturnType<typeof openState>;

/**
 * Opens (or makes) the database. One that SQLite cannot read is set aside under another name with a warning: its
 * results will be recomputed, nothing else is lost.
 */
export function openState(root: string, options: Omit<OpenOptions, "schema">) {
  const db = openDatabase(root, { ...options, schema: SCHEMA });
  const getAction = db.prepare("SELECT * FROM actions WHERE key = ?");
  const putAction = db.prepare("INSERT OR REPLACE INTO actions VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const getNode = db.prepare("SELECT * FROM nodes WHERE key = ?");
  const putNode = db.prepare("INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const touchNode = db.prepare("UPDATE nodes SET used = ? WHERE key = ?");
  const nodesOf = db.prepare("SELECT * FROM nodes WHERE stage = ? ORDER BY used DESC LIMIT ?");
  const getDocument = db.prepare("SELECT text FROM documents WHERE digest = ?");
  const putDocument = db.prepare("INSERT OR IGNORE INTO documents VALUES (?, ?)");
  const getSnapshot = db.prepare("SELECT * FROM snapshots WHERE root = ?");
  const putSnapshot = db.prepare("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)");
  const getClosure = db.prepare("SELECT text FROM closures WHERE entry = ?");
  const putClosure = db.prepare("INSERT OR REPLACE INTO closures VALUES (?, ?)");

  return {
    db,
    transaction: db.transaction,
    action(key: string): ActionRecord | null {
      const row = getAction.get(key);
      return row === undefined ? null : readAction(row);
    },
    recordActions(records: readonly ActionRecord[]): void {
      db.transaction(() => {
        for (const { key, stage, item, preimage, files, skipped, started, ended } of records) {
          const [made, missed] = [JSON.stringify(files), JSON.stringify(skipped)];
          putAction.run(key, stage, item, preimage, made, missed, started, ended);
        }
      });
    },
    node(key: string): NodeRecord | null {
      const row = getNode.get(key);
      return row === undefined ? null : readNode(row);
    },
    recordNode(record: NodeRecord): void {
      const { key, stage, preimage, tree, items, skipped, ended } = record;
      putNode.run(key, stage, preimage, tree, items, skipped, ended, ended);
    },
    touchNodes(keys: readonly string[]): void {
      const now = Date.now();
      db.transaction(() => keys.forEach((key) => touchNode.run(now, key)));
    },
    /** The most recently used finished records of a stage. */
    recentNodes(stage: string, limit: number): readonly NodeRecord[] {
      return nodesOf.all(stage, limit).map(readNode);
    },
    document(digest: string): string | null {
      const row = getDocument.get(digest);
      return row === undefined ? null : String(row.text);
    },
    /** Stores a text under its SHA-256, which it returns. */
    putDocument(text: string): string {
      const digest = sha256(text);
      putDocument.run(digest, text);
      return digest;
    },
    /** What a source looked like when it was last hashed. */
    snapshot(root: string): Snapshot | null {
      const row = getSnapshot.get(root);
      if (row === undefined || !(row.stamps instanceof Uint8Array)) return null;
      const names = row.names === "" ? [] : String(row.names).split("//");
      const stamps = new Float64Array(row.stamps.slice().buffer);
      return { names, stamps, hashes: String(row.hashes), digest: String(row.digest) };
    },
    putSnapshot(root: string, { names, stamps, hashes, digest }: Snapshot): void {
      // no path holds "//"
      putSnapshot.run(root, digest, names.join("//"), new Uint8Array(stamps.buffer), hashes);
    },
    closure(entry: string): string | null {
      const row = getClosure.get(entry);
      return row === undefined ? null : String(row.text);
    },
    putClosure(entry: string, text: string): void {
      putClosure.run(entry, text);
    },
    /**
     * Drops every record whose result names one of some blobs, so that its producer runs again. Rare, hence the scan.
     */
    forgetBlobs(shas: readonly string[]): void {
      const lost = JSON.stringify(shas);
      const named = "WHERE file.value ->> 1 IN (SELECT value FROM json_each(?))";
      db.transaction(() => {
        db.prepare(`DELETE FROM actions WHERE EXISTS (SELECT 1 FROM json_each(files) AS file ${named})`).run(lost);
        db.prepare(
          `DELETE FROM nodes WHERE EXISTS (SELECT 1 FROM documents, json_each(text, '$.files') AS file ${named}
            AND digest = tree)`,
        ).run(lost);
      });
    },
    [Symbol.dispose]: () => db[Symbol.dispose](),
  };
}

/** @internal */
export function readAction(row: Row): ActionRecord {
  return {
    key: String(row.key),
    stage: String(row.stage),
    item: row.item === null ? null : String(row.item),
    preimage: String(row.preimage),
    files: JSON.parse(String(row.files)),
    skipped: JSON.parse(String(row.skipped)),
    started: Number(row.started),
    ended: Number(row.ended),
  };
}

function readNode(row: Row): NodeRecord {
  return {
    key: String(row.key),
    stage: String(row.stage),
    preimage: String(row.preimage),
    tree: String(row.tree),
    items: Number(row.items),
    skipped: Number(row.skipped),
    ended: Number(row.ended),
  };
}
