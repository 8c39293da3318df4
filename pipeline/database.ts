/**
 * The SQLite file `state.db` (write-ahead log), shared by processes. Whoever opens or closes it does it alone: SQLite
 * answers "database is locked" at once, whatever the timeout, to the second of two processes that switch a new database
 * to its log, or that meets the last one leaving. A damaged file is set aside, never repaired: it holds only records.
 * One of another program, or of another version of the engine, is refused by name and left as it is.
 */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";
import { explainStoreFailure, StoreError } from "./errors.ts";
import { type Lock, tryPermanentLock, waitLockSync } from "./locks.ts";
import { stampOf } from "./stamp.ts";

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
  /** `CREATE … IF NOT EXISTS` statements. */
  readonly schema: string;
  /** Number of the schema, from 1; written into the file, so that a version with another one refuses it. */
  readonly form: number;
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
    // a damaged number may be larger than a plain one can be, and reading it must not throw
    guard(() => statement.setReadBigInts(true));
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

/** Copies the database of a store that another process may be writing. */
export function copyDatabase(root: string, folder: string): void {
  const names = ["state.db", "state.db-wal"];
  const looks = () => JSON.stringify(names.map((name) => stampOf(`${root}/${name}`)));
  for (let attempt = 0; attempt < COPIES; attempt++) {
    const before = looks();
    for (const name of names) {
      if (stampOf(`${root}/${name}`) === null) continue;
      Deno.copyFileSync(`${root}/${name}`, `${folder}/${name}`);
      // the copy of a file that is read-only is one too
      Deno.chmodSync(`${folder}/${name}`, 0o600);
    }
    if (looks() === before) return;
  }
  throw new StoreError(`${root}/state.db is being written all the time; wait until the run has ended`);
}

/** How often a database that changes meanwhile is copied again. */
const COPIES = 5;

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

function configure(path: string, { schema, form, check = false }: OpenOptions): DatabaseSync {
  checkHeader(path);
  const db = new DatabaseSync(path, { timeout: TIMEOUT });
  try {
    // the first holds for a new database alone; a plain VACUUM is not permitted in Deno
    db.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    const marked = checkForm(db, { path, schema, form });
    if (check) checkWhole(db);
    if (marked) db.exec(schema);
    else {
      const mark = MARK + form;
      db.exec(`BEGIN IMMEDIATE; ${schema} PRAGMA application_id = ${mark}; PRAGMA user_version = ${mark}; COMMIT;`);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** What says that a database is no longer what SQLite wrote. */
class Damage extends Error {}

/** How SQLite says in bytes 18 and 19 that a file has a log; with another number it would take it for read-only. */
const FORMATS: readonly unknown[] = [1, 2];

function checkHeader(path: string): void {
  const header = new Uint8Array(20);
  try {
    using file = Deno.openSync(path);
    if (file.readSync(header) !== header.length) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (!FORMATS.includes(header[18]) || !FORMATS.includes(header[19])) throw new Damage("malformed header");
}

/** Reads everything once. */
function checkWhole(db: DatabaseSync): void {
  const result = db.prepare("PRAGMA integrity_check(1)").get()?.integrity_check;
  if (result !== "ok") throw new Damage(`malformed: ${result}`);
  for (const { name } of db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()) {
    const rows = db.prepare(`SELECT * FROM "${name}"`);
    rows.setReadBigInts(true);
    for (const _ of rows.iterate());
  }
}

/**
 * "ft" and the number of the form: it stands in both numbers that SQLite's header leaves to the application, so that
 * one flipped bit is told from another version.
 */
const MARK = 0x6674_0000;

/**
 * Throws where a database is another program's or another version's. Returns whether it bears the marks of this one:
 * a new one does not yet.
 */
function checkForm(
  db: DatabaseSync,
  { path, schema, form }: Pick<OpenOptions, "schema" | "form"> & { readonly path: string },
): boolean {
  const advice = "use another store, or move that file away: its results will be recomputed";
  const plain = (sql: string) => sql.replace("IF NOT EXISTS ", "").replaceAll(/\s+/g, " ").trim();
  const wanted = new Set(schema.split(";").map(plain));
  const names = new Set([...wanted].flatMap((sql) => /^CREATE TABLE (\w+)/.exec(sql)?.[1] ?? []));
  const there = db.prepare("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all();
  const other = there.find(({ sql }) => !wanted.has(plain(String(sql))));
  const marks = ["application_id", "user_version"].map((pragma) =>
    Number(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma])
  );
  if (marks.includes(MARK + form)) {
    if (other !== undefined) throw new Damage(`malformed schema of ${other.name}`);
    return marks.every((mark) => mark === MARK + form);
  }
  if (there.length === 0 && marks.every((mark) => mark === 0)) return false;
  const version = marks.find((mark) => mark >> 16 === MARK >> 16);
  if (version !== undefined) {
    const numbers = `its form is ${version - MARK}, and this version reads ${form}`;
    throw new StoreError(`${path} is of another version of the engine (${numbers}); ${advice}`);
  }
  const table = other ?? there[0];
  if (table === undefined || !names.has(String(table.name))) {
    const holds = table === undefined ? "" : ` (it holds "${table.name}")`;
    throw new StoreError(`${path} is a database of another program${holds}; ${advice}`);
  }
  const why = `its table "${table.name}" has another form`;
  throw new StoreError(`${path} is of another version of the engine (${why}); ${advice}`);
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

/** What is wrong with the disk, or with another process, and not with the file. */
const INNOCENT = /is locked|readonly database|disk I\/O error|disk is full|unable to open|interrupted/i;

/** Any other error of SQLite is: the statements are the engine's own, and hold for any file of its form. */
function isDamage(error: unknown): boolean {
  return error instanceof Damage || isSqlite(error) && !INNOCENT.test(error.message);
}

function isSqlite(error: unknown): error is Error {
  return error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR";
}

/** What an error of SQLite means for the user. */
function explain(error: unknown, root: string): unknown {
  if (isDamage(error)) {
    const advice = "run fsck: it sets the database aside, and the next run recomputes what it recorded";
    return new StoreError(`${root}/state.db is damaged (${textOf(error)}); ${advice}`, { cause: error });
  }
  if (!isSqlite(error)) return explainStoreFailure(error, root);
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
