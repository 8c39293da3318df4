/**
 * What was done, in `.ftim/state.db` (SQLite, write-ahead log). The store alone holds bytes; everything here is a
 * record about them, written after them: a lost record costs a recomputation, never a wrong result. Each row carries a
 * checksum, a document is named by its hash, and both are checked when they are read: a damaged row is a row that is
 * not there.
 */
import { openDatabase, type OpenOptions, type Row } from "./database.ts";
import { sha256 } from "./hash.ts";
import { sealOf, sealOfLarge } from "./seal.ts";

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

/** A finished stage as it was found, with its result's listing. */
export interface FoundNode extends NodeRecord {
  /** Text of the document {@link NodeRecord.tree}, checked. */
  readonly listing: string;
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

/** Raised when {@link SCHEMA} changes, or when what a column holds comes to mean something else. */
const FORM = 1;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS actions (key TEXT PRIMARY KEY, stage TEXT, item TEXT, preimage TEXT, files TEXT,
    skipped TEXT, started INTEGER, ended INTEGER, seal INTEGER) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS nodes (key TEXT PRIMARY KEY, stage TEXT, preimage TEXT, tree TEXT, items INTEGER,
    skipped INTEGER, ended INTEGER, run INTEGER, seal INTEGER) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS nodes_by_stage ON nodes (stage, run);
  CREATE TABLE IF NOT EXISTS documents (digest TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS snapshots (root TEXT PRIMARY KEY, digest TEXT, names TEXT, stamps BLOB, hashes TEXT,
    seal INTEGER);
  CREATE TABLE IF NOT EXISTS closures (entry TEXT PRIMARY KEY, text TEXT, seal INTEGER) WITHOUT ROWID;
`;

/** An open state database. */
export type State = ReturnType<typeof openState>;

/**
 * Opens (or makes) the database. One that SQLite cannot read is set aside under another name with a warning: its
 * results will be recomputed, nothing else is lost.
 */
export function openState(root: string, options: Omit<OpenOptions, "schema" | "form">) {
  const db = openDatabase(root, { ...options, schema: SCHEMA, form: FORM });
  const getAction = db.prepare("SELECT * FROM actions WHERE key = ?");
  const putAction = db.prepare("INSERT OR REPLACE INTO actions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const getNode = db.prepare(
    "SELECT nodes.*, text FROM nodes LEFT JOIN documents ON digest = tree WHERE key = ?",
  );
  const putNode = db.prepare("INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const nodesOf = db.prepare("SELECT * FROM nodes WHERE stage = ? ORDER BY run DESC, ended DESC LIMIT ?");
  const hasDocument = db.prepare("SELECT 1 FROM documents WHERE digest = ?");
  const getDocument = db.prepare("SELECT * FROM documents WHERE digest = ?");
  // a damaged text gives way to the good one
  const putDocument = db.prepare(
    `INSERT INTO documents VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET text = excluded.text
      WHERE text IS NOT excluded.text`,
  );
  const getSnapshot = db.prepare("SELECT * FROM snapshots WHERE root = ?");
  const putSnapshot = db.prepare("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?)");
  const getClosure = db.prepare("SELECT * FROM closures WHERE entry = ?");
  const putClosure = db.prepare("INSERT OR REPLACE INTO closures VALUES (?, ?, ?)");

  return {
    db,
    transaction: db.transaction,
    action(key: string): ActionRecord | null {
      const row = getAction.get(key);
      return row === undefined ? null : readAction(row);
    },
    recordActions(records: readonly ActionRecord[]): void {
      db.transaction(() => {
        for (const record of records) {
          const columns = actionColumns(record);
          putAction.run(...columns, sealOf("actions", columns));
        }
      });
    },
    /** A finished stage whose listing is there too; one without could not be used. */
    node(key: string): FoundNode | null {
      const row = getNode.get(key);
      const record = row === undefined ? null : readNode(row);
      if (row === undefined || record === null) return null;
      const listing = readDocument({ digest: record.tree, text: row.text ?? null });
      return listing === null ? null : { ...record, listing };
    },
    /** Records a stage that a run of the given number finished, or which came in before that run. */
    recordNode(record: NodeRecord, run: number): void {
      const columns = [...nodeColumns(record), run];
      putNode.run(...columns, sealOf("nodes", columns));
    },
    /** The latest finished records of a stage. */
    recentNodes(stage: string, limit: number): readonly NodeRecord[] {
      return nodesOf.all(stage, limit).flatMap((row) => readNode(row) ?? []);
    },
    /** Whether a text is there; it is not read. */
    hasDocument(digest: string): boolean {
      return hasDocument.get(digest) !== undefined;
    },
    document(digest: string): string | null {
      const row = getDocument.get(digest);
      return row === undefined ? null : readDocument(row);
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
      return row === undefined ? null : readSnapshot(row);
    },
    putSnapshot(root: string, { names, stamps, hashes, digest }: Snapshot): void {
      // no path holds "//"
      const [joined, bytes] = [names.join("//"), new Uint8Array(stamps.buffer)];
      const seal = sealOfLarge("snapshots", { small: [root, digest], large: [joined, bytes, hashes] });
      putSnapshot.run(root, digest, joined, bytes, hashes, seal);
    },
    closure(entry: string): string | null {
      const row = getClosure.get(entry);
      return row === undefined ? null : readClosure(row);
    },
    putClosure(entry: string, text: string): void {
      putClosure.run(entry, text, sealOf("closures", [entry, text]));
    },
    /**
     * Drops every record whose result names one of some blobs, so that its producer runs again. Rare, hence the scan.
     */
    forgetBlobs(shas: readonly string[]): void {
      const lost = JSON.stringify(shas);
      const named = "WHERE file.value ->> 1 IN (SELECT value FROM json_each(?))";
      // a damaged text names nothing
      const rows = (column: string) => `json_each(CASE WHEN json_valid(${column}) THEN ${column} ELSE '[]' END`;
      db.transaction(() => {
        db.prepare(`DELETE FROM actions WHERE EXISTS (SELECT 1 FROM ${rows("files")}) AS file ${named})`).run(lost);
        db.prepare(
          `DELETE FROM nodes WHERE EXISTS (SELECT 1 FROM documents, ${rows("text")}, '$.files') AS file ${named}
            AND digest = tree)`,
        ).run(lost);
      });
    },
    [Symbol.dispose]: () => db[Symbol.dispose](),
  };
}

type Columns = (string | number | null)[];

function actionColumns({ key, stage, item, preimage, files, skipped, started, ended }: ActionRecord): Columns {
  return [key, stage, item, preimage, JSON.stringify(files), JSON.stringify(skipped), started, ended];
}

function nodeColumns({ key, stage, preimage, tree, items, skipped, ended }: NodeRecord): Columns {
  return [key, stage, preimage, tree, items, skipped, ended];
}

/**
 * Null for a row that is not what its checksum says.
 * @internal
 */
export function readAction(row: Row): ActionRecord | null {
  const [key, stage, preimage] = [String(row.key), String(row.stage), String(row.preimage)];
  const [files, skipped] = [String(row.files), String(row.skipped)];
  const item = row.item === null ? null : String(row.item);
  const [started, ended] = [Number(row.started), Number(row.ended)];
  const seal = sealOf("actions", [key, stage, item, preimage, files, skipped, started, ended]);
  if (seal !== Number(row.seal)) return null;
  const record = { key, stage, item, preimage, files: JSON.parse(files), skipped: JSON.parse(skipped), started, ended };
  return hasResult(record) ? record : null;
}

/** Whether an execution left something: an item files or the reason why it has none, a whole stage files. */
export function hasResult({ item, files, skipped }: Pick<ActionRecord, "item" | "files" | "skipped">): boolean {
  return files.length > 0 || (item !== null && skipped.length > 0);
}

/** @internal */
export function readNode(row: Row): NodeRecord & { readonly run: number } | null {
  const record = {
    key: String(row.key),
    stage: String(row.stage),
    preimage: String(row.preimage),
    tree: String(row.tree),
    items: Number(row.items),
    skipped: Number(row.skipped),
    ended: Number(row.ended),
  };
  const run = Number(row.run);
  return sealOf("nodes", [...nodeColumns(record), run]) === Number(row.seal) ? { ...record, run } : null;
}

/** @internal */
export function readDocument(row: Row): string | null {
  return typeof row.text === "string" && sha256(row.text) === row.digest ? row.text : null;
}

/** @internal */
export function readSnapshot(row: Row): Snapshot | null {
  const { stamps: bytes } = row;
  if (!(bytes instanceof Uint8Array)) return null;
  const [root, digest, names, hashes] = [row.root, row.digest, row.names, row.hashes].map(String);
  if (root === undefined || digest === undefined || names === undefined || hashes === undefined) return null;
  const seal = sealOfLarge("snapshots", { small: [root, digest], large: [names, bytes, hashes] });
  if (seal !== Number(row.seal)) return null;
  return {
    names: names === "" ? [] : names.split("//"),
    stamps: new Float64Array(bytes.slice().buffer),
    hashes,
    digest,
  };
}

/** @internal */
export function readClosure(row: Row): string | null {
  const text = String(row.text);
  return sealOf("closures", [String(row.entry), text]) === Number(row.seal) ? text : null;
}
