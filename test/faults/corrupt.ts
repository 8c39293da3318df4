/**
 * One fault in a store, by seed: in its objects, in the database as a file or column by column, in the run records, or
 * something else in the place of one of its files or folders.
 */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { filesBelow, foldersBelow, pickOf, type Random, randomOf } from "./random.ts";

/** Damages a store; returns what was done. */
export function corrupt(store: string, seed: number): string {
  const random = randomOf(seed);
  const place = random(110);
  if (place >= 100) return replaceEntry(store, random);
  if (place < 45) return corruptRow(`${store}/state.db`, random);
  if (place < 65) return corruptFile([`${store}/state.db`], { store, random });
  if (place < 85) return corruptFile(filesBelow(`${store}/store`), { store, random });
  if (place < 95) return corruptFile(filesBelow(`${store}/runs`), { store, random });
  const others = filesBelow(store).filter((path) => !/\/(store\/sha256|runs)\//.test(path.slice(store.length)));
  return corruptFile(others, { store, random });
}

const THINGS = {
  file: (path: string) => Deno.writeTextFileSync(path, "something else"),
  folder: (path: string) => Deno.mkdirSync(`${path}/in`, { recursive: true }),
  "dangling link": (path: string) => Deno.symlinkSync("nowhere", path),
  "looping link": (path: string) => Deno.symlinkSync(path, path),
};

/** Puts a thing of another kind into the place of a file or folder. */
function replaceEntry(store: string, random: Random): string {
  const path = pickOf([...filesBelow(store), ...foldersBelow(store)], random);
  const isFolder = Deno.statSync(path).isDirectory;
  const [kind, put] = pickOf(
    Object.entries(THINGS).filter(([kind]) => kind !== (isFolder ? "folder" : "file")),
    random,
  );
  Deno.removeSync(path, { recursive: true });
  put(path);
  return `${kind} for ${path.slice(store.length + 1)}`;
}

const FILE_FAULTS = ["flip", "flip", "truncate", "zero a page", "zero a part", "delete", "swap"] as const;

function corruptFile(paths: readonly string[], { store, random }: { store: string; random: Random }): string {
  const path = pickOf(paths, random);
  const fault = pickOf(FILE_FAULTS, random);
  const what = `${fault} ${path.slice(store.length + 1)}`;
  Deno.chmodSync(path, 0o644);
  const bytes = Deno.readFileSync(path);
  if (fault === "delete") Deno.removeSync(path);
  else if (fault === "swap") {
    const other = pickOf(paths, random);
    Deno.chmodSync(other, 0o644);
    const second = Deno.readFileSync(other);
    Deno.writeFileSync(other, bytes);
    Deno.writeFileSync(path, second);
    return `${what} and ${other.slice(store.length + 1)}`;
  } else {
    const at = random(bytes.length);
    if (fault === "flip") bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    const page = at - at % 4096;
    if (fault === "zero a page") bytes.fill(0, page, page + 4096);
    if (fault === "zero a part") bytes.fill(0, at, at + 1 + random(64));
    Deno.writeFileSync(path, fault === "truncate" ? bytes.subarray(0, at) : bytes);
    return `${what} at ${at} of ${bytes.length}`;
  }
  return what;
}

const ROW_FAULTS = [
  "flip",
  "flip",
  "flip",
  "truncate",
  "zero",
  "empty",
  "null",
  "swap",
  "delete",
  "delete all",
] as const;

/** Every column of every table, each as often as any other. */
function columnsOf(db: DatabaseSync): readonly (readonly [table: string, column: string, key: string])[] {
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
  return tables.flatMap(({ name }) => {
    const columns = db.prepare(`SELECT name, pk FROM pragma_table_info(?)`).all(String(name));
    const key = String(columns.find(({ pk }) => pk === 1)?.name);
    return columns.map((column) => [String(name), String(column.name), key] as const);
  });
}

function corruptRow(path: string, random: Random): string {
  const db = new DatabaseSync(path);
  try {
    const [table, column, key] = pickOf(columnsOf(db), random);
    const fault = pickOf(ROW_FAULTS, random);
    const select = db.prepare(
      `SELECT ${key} AS key, typeof(${column}) AS type, CAST(${column} AS BLOB) AS bytes FROM ${table} ORDER BY ${key}`,
    );
    const rows = select.all();
    const row = pickOf(rows, random);
    const set = (where: SQLInputValue, { type, value }: { type: unknown; value: Uint8Array | null }) => {
      const cast = type === "blob" || value === null ? "?" : `CAST(CAST(? AS TEXT) AS ${type})`;
      // a key that is there already is as good as one that is gone
      db.prepare(`UPDATE OR REPLACE ${table} SET ${column} = ${cast} WHERE ${key} = ?`).run(value, where);
    };
    const bytes = row.bytes instanceof Uint8Array ? row.bytes.slice() : new Uint8Array();
    const at = random(Math.max(1, bytes.length));
    const at_ = row.key as SQLInputValue;
    if (fault === "delete") db.prepare(`DELETE FROM ${table} WHERE ${key} = ?`).run(at_);
    else if (fault === "delete all") db.prepare(`DELETE FROM ${table}`).run();
    else if (fault === "swap") {
      const other = pickOf(rows, random);
      const theirs = other.bytes instanceof Uint8Array ? other.bytes : null;
      set(at_, { type: other.type, value: theirs });
      if (column !== key) set(other.key as SQLInputValue, { type: row.type, value: row.bytes as Uint8Array | null });
    } else if (fault === "null") {
      db.prepare(`UPDATE OR REPLACE ${table} SET ${column} = NULL WHERE ${key} = ?`).run(at_);
    } else if (row.type === "integer" && fault === "flip") {
      const flipped = BigInt(new TextDecoder().decode(bytes)) ^ (1n << BigInt(random(62)));
      db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`).run(flipped, at_);
    } else {
      if (fault === "flip") bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
      if (fault === "zero") bytes.fill(0, at, at + 1 + random(16));
      const value = fault === "empty" ? new Uint8Array() : fault === "truncate" ? bytes.subarray(0, at) : bytes;
      set(at_, { type: row.type === "null" ? "text" : row.type, value });
    }
    // a finished stage is taken as a whole; without it, the items' records are read
    if (table === "actions") db.exec("DELETE FROM nodes");
    return `${fault} ${table}.${column}`;
  } catch (error) {
    // a key that cannot be null is the one thing that SQLite refuses
    if (error instanceof Error && /constraint/.test(error.message)) return "nothing";
    throw error;
  } finally {
    db.close();
  }
}
