/**
 * The SQLite file `state.db` (write-ahead log), shared by processes. Whoever opens or closes it does it alone: SQLite
 * answers "database is locked" at once, whatever the timeout, to the second of two processes that switch a new database
 * to its log, or that meets the last one leaving. A damaged file is set aside, never repaired: it holds only records.
 */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";
import { explainStoreFailure, StoreError } from "./errors.ts";
import { type Lock, tryPermanentLock, waitLockSync } from "./locks.ts";

/** A row by column name. */
export type Row = Record<string, SQLOutputValue>;

/** A prepared statement; its errors say what to do. */
export interface Statement {
  get(...values: SQLInputValue[]): Row | undefined;
  all(...values: SQLInputValue[]): Row[];
  iterate(...values: SQLInputValue[]): Generator<Row>;
  run(...values: SQLInputValue[]): void;
}

/** An open database. */
export interface Database extends Disposable {
  prepare(sql: string): Statement;
  /** Runs some writes as one step; inside another transaction, as a part of it. */
  transaction<T>(work: () => T): T;
  /** Gives the space of deleted rows back to the disk. */
  shrink(): void;
}

/** How long to wait for another process's transaction, in ms: a stalled disk may hold one up for long. */
const TIMEOUT = 60_000;

/** How to open a database. */
export interface OpenOptions {
  readonly schema: string;
  readonly warn: (message: string) => void;
  /** Read the whole file first, to find damage that would show only later. */
  readonly check?: boolean;
}

/** Opens (or makes) `root/state.db`; one that is damaged is set aside under another name, with a warning. */
export function openDatabase(root: string, options: OpenOptions): Database {
  const { db, use } = connect(root, options);
  const guard = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw explain(error, root);
    }
  };
  function prepare(sql: string): Statement {
    const statement = guard(() => db.prepare(sql));
    return {
      get: (...values) => guard(() => statement.get(...values)),
      all: (...values) => guard(() => statement.all(...values)),
      run: (...values) => void guard(() => statement.run(...values)),
      *iterate(...values) {
        const rows = guard(() => statement.iterate(...values));
        for (let row = guard(() => rows.next()); !row.done; row = guard(() => rows.next())) yield row.value;
      },
    };
  }
  return {
    prepare,
    transaction<T>(work: () => T): T {
      if (db.isTransaction) return work();
      try {
        db.exec("BEGIN IMMEDIATE");
        const result = work();
        db.exec("COMMIT");
        return result;
      } catch (error) {
        if (db.isTransaction) db.exec("ROLLBACK");
        throw explain(error, root);
      }
    },
    shrink: () => guard(() => db.exec("PRAGMA incremental_vacuum")),
    [Symbol.dispose]() {
      if (!db.isOpen) return;
      const door = tryDoor(root);
      db.close();
      use[Symbol.dispose]();
      door?.[Symbol.dispose]();
    },
  };
}

interface Connection {
  readonly db: DatabaseSync;
  /** Held as long as the database is open, so that nobody sets it aside. */
  readonly use: Lock;
}

function connect(root: string, options: OpenOptions): Connection {
  using _ = waitLockSync(`${root}/state.lock`, { exclusive: true });
  const path = `${root}/state.db`;
  try {
    const db = configure(path, options);
    return { db, use: waitLockSync(useLock(root), { exclusive: false }) };
  } catch (error) {
    if (!isDamage(error)) throw explain(error, root);
    const text = textOf(error).replaceAll(/\s+/g, " ");
    const aside = `${path}.damaged-${Date.now()}`;
    setAside(root, { path, aside });
    options.warn(`${path} is damaged (${text}); it was set aside as ${aside} and its results will be recomputed`);
    const db = configure(path, options);
    return { db, use: waitLockSync(useLock(root), { exclusive: false }) };
  }
}

function configure(path: string, { schema, check = false }: OpenOptions): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: TIMEOUT });
  try {
    // the first holds for a new database alone; a plain VACUUM is not permitted in Deno
    db.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    if (check) {
      const result = db.prepare("PRAGMA integrity_check(1)").get()?.integrity_check;
      if (result !== "ok") throw new Error(`malformed: ${result}`);
    }
    checkForm(db, { path, schema });
    db.exec(schema);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Throws where a table that is there already has other columns than the schema gives it. */
function checkForm(db: DatabaseSync, { path, schema }: { readonly path: string; readonly schema: string }): void {
  const plain = (sql: string) => sql.replace("IF NOT EXISTS ", "").replaceAll(/\s+/g, " ").trim();
  const wanted = new Set(schema.split(";").map(plain));
  const names = new Set([...wanted].flatMap((sql) => /^CREATE TABLE (\w+)/.exec(sql)?.[1] ?? []));
  for (const { name, sql } of db.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all()) {
    if (!names.has(String(name)) || wanted.has(plain(String(sql)))) continue;
    const advice = "use another store, or move that file away: its results will be recomputed";
    throw new StoreError(
      `${path} is of another version of the engine (its table "${name}" has another form); ${advice}`,
    );
  }
}

function setAside(root: string, { path, aside }: { readonly path: string; readonly aside: string }): void {
  // whoever still has the old file open would delete the new one's log when closing
  using alone = tryPermanentLock(useLock(root), { exclusive: true });
  if (alone === null) {
    throw new StoreError(`${path} is damaged, and another run is using it; run again when that has ended`);
  }
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      Deno.renameSync(path + suffix, aside + suffix);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw explainStoreFailure(error, root);
    }
  }
}

const useLock = (root: string) => `${root}/state.use.lock`;

/** The lock for closing; null on a disk that has become read-only, where there is nothing to collide over. */
function tryDoor(root: string): Lock | null {
  try {
    return waitLockSync(`${root}/state.lock`, { exclusive: true });
  } catch {
    return null;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isDamage(error: unknown): boolean {
  return /malformed|not a database/i.test(textOf(error));
}

/** What an error of SQLite means for the user. */
function explain(error: unknown, root: string): unknown {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_SQLITE_ERROR") {
    return explainStoreFailure(error, root);
  }
  if (isDamage(error)) {
    const advice = "run fsck: it sets the database aside, and the next run recomputes what it recorded";
    return new StoreError(`${root}/state.db is damaged (${error.message}); ${advice}`, { cause: error });
  }
  if (/database is locked/i.test(error.message)) {
    const advice = "another process has been writing to it for a minute: is its disk stalled?";
    return new StoreError(`${root}/state.db is locked: ${advice}`, { cause: error });
  }
  if (/disk I\/O error|unable to open/i.test(error.message)) {
    const advice = "is the disk full, or read-only?";
    return new StoreError(`${root}/state.db cannot be used (${error.message}): ${advice}`, { cause: error });
  }
  return explainStoreFailure(error, root);
}
