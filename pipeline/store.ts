/**
 * The folder of a store: opened by every process that uses it, and closed again. Each process has a temporary folder of
 * its own there, guarded by a kernel lock; what a killed process left is swept away. The blobs in it are blobs.ts.
 */
import { explainStoreFailure, isUnwritable, PipelineError, StoreError } from "./errors.ts";
import { copyDatabase } from "./database.ts";
import { checkLayout, kindOf } from "./layout.ts";
import { type Lock, tryLock, waitLock, waitLockToRead } from "./locks.ts";
import { checkPlace, explainPlaceFailure } from "./place.ts";
import type { Stamp } from "./stamp.ts";

/** An open store; `root` is the `.ftim` folder. */
export interface Store extends Disposable {
  readonly root: string;
  /** Where the database lies: `root`, or a copy of it in a temporary folder where the store cannot be written. */
  readonly records: string;
  readonly temporary: string;
  /**
   * Blobs whose bytes this process has checked, with what the files looked like then; null for those that it wrote
   * itself. A file that looks otherwise now, or that was too young to be known by its looks, is read again.
   */
  readonly verified: Map<string, Stamp | null>;
}

/**
 * Opens (or makes) a store; waits while a garbage collection runs there. With `readOnly`, for those who only look, none
 * is made, and one that cannot be written is opened all the same.
 */
export async function openStore(path: string, { readOnly = false } = {}): Promise<Store> {
  checkPlace(path, "the store's name");
  if (readOnly) existingStore(path);
  let use: Lock | null = null;
  try {
    Deno.mkdirSync(path, { recursive: true });
    const root = Deno.realPathSync(path);
    checkLayout(root);
    const held = use = await waitLock(`${root}/use.lock`, { exclusive: false });
    // the last one says that it is a whole store
    for (const folder of ["tmp", "locks", "quarantine", "scratch", "hints", "runs", "store/sha256"]) {
      Deno.mkdirSync(`${root}/${folder}`, { recursive: true });
    }
    sweep(root);
    layReserve(root);
    const { session, temporary } = openTemporary(root);
    const dispose = () => close(temporary, [session, held]);
    return { root, records: root, temporary, verified: new Map(), [Symbol.dispose]: dispose };
  } catch (error) {
    use?.[Symbol.dispose]();
    const known = explainStoreFailure(error, path);
    const failure = known instanceof PipelineError
      ? known
      : explainPlaceFailure(known, `the store ${path} cannot be opened`);
    if (readOnly && isUnwritable(failure)) return await openUnwritable(existingStore(path));
    throw failure;
  }
}

/** A store on a read-only disk, or of somebody else's: its records are read, and noted on, in a copy. */
async function openUnwritable(root: string): Promise<Store> {
  const use = await waitLockToRead(`${root}/use.lock`);
  const temporary = Deno.makeTempDirSync({ prefix: "pipeline-" });
  try {
    copyDatabase(root, temporary);
  } catch (error) {
    close(temporary, [use]);
    throw error;
  }
  return { root, records: temporary, temporary, verified: new Map(), [Symbol.dispose]: () => close(temporary, [use]) };
}

/** Room that {@link freeReserve} gives up, so that a collection can open the database on a full disk. In bytes. */
const RESERVE = 256 << 10;

function layReserve(root: string): void {
  const path = `${root}/reserve`;
  if (kindOf(path) !== null) return;
  try {
    Deno.writeFileSync(path, new Uint8Array(RESERVE));
  } catch {
    // no room even for this: what the run is for will say so
    freeReserve(root);
  }
}

/** Gives up the reserve; the next run lays it again. */
export function freeReserve(root: string): void {
  remove(`${root}/reserve`);
}

function openTemporary(root: string): { session: Lock; temporary: string } {
  for (;;) {
    const temporary = `${root}/tmp/${crypto.randomUUID()}`;
    const session = tryLock(`${temporary}.lock`);
    // another process's sweep may hold the new lock for a moment
    if (session === null) continue;
    Deno.mkdirSync(temporary);
    return { session, temporary };
  }
}

function close(temporary: string, locks: readonly Lock[]): void {
  try {
    remove(temporary);
  } finally {
    for (const lock of locks) lock[Symbol.dispose]();
  }
}

/**
 * The real path of a store that must be there already, for those who only look after it.
 * @throws {StoreError} where one of its own files or folders is something else; not with `damaged`
 */
export function existingStore(root: string, { damaged = false } = {}): string {
  checkPlace(root, "the store's name");
  try {
    const kind = kindOf(`${root}/store`);
    if (kind !== null && (kind !== "folder" || kindOf(`${root}/store/sha256`) !== null)) {
      const path = Deno.realPathSync(root);
      if (!damaged) checkLayout(path);
      return path;
    }
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw explainPlaceFailure(error, `the store ${root} cannot be opened`);
  }
  throw new PipelineError(`there is no store at ${root}: run reproduce first, or name another with --store`);
}

/** Removes temporary folders whose process is gone, and locks that were taken for a folder that was never made. */
function sweep(root: string): void {
  const names = [...Deno.readDirSync(`${root}/tmp`)].map(({ name }) => name.replace(/\.lock$/, ""));
  for (const name of new Set(names)) {
    // releasing the lock removes its file
    using lock = tryLock(`${root}/tmp/${name}.lock`);
    if (lock !== null) remove(`${root}/tmp/${name}`);
  }
}

/** Removes a file or folder, if there is one. */
export function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
