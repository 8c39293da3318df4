/**
 * Blobs by content: `store/sha256/ab/abcd…`, read-only, written as tmp → fsync → rename, checked before use.
 * Each process has a temporary folder of its own, guarded by a kernel lock; what a killed process left is swept away.
 */
import { CorruptBlobError, explainStoreFailure, PipelineError } from "./errors.ts";
import { hashFile, hashFileSync, sha256 } from "./hash.ts";
import { type Lock, tryLock, waitLock } from "./locks.ts";

/** Name of some bytes. */
export interface Digest {
  readonly sha256: string;
  readonly size: number;
}

/** An open store; `root` is the `.ftim` folder. */
export interface Store extends Disposable {
  readonly root: string;
  readonly temporary: string;
  /** Blobs whose bytes this process has already checked or written. */
  readonly verified: Set<string>;
}

/** Bytes that are on disk under a temporary name (null where the store already had them). */
export interface Staged extends Digest {
  readonly temporary: string | null;
}

/** Whether a blob can be used. */
export type BlobState = "ok" | "missing" | "corrupt";

/** Hashing blocks for at most a few milliseconds up to this size. */
const SMALL = 1 << 20;

/** Opens (or makes) a store; waits while a garbage collection runs there. */
export async function openStore(path: string): Promise<Store> {
  let use: Lock | null = null;
  try {
    Deno.mkdirSync(path, { recursive: true });
    const root = Deno.realPathSync(path);
    const held = use = await waitLock(`${root}/use.lock`, { exclusive: false });
    // the last one says that it is a whole store
    for (const folder of ["tmp", "locks", "quarantine", "scratch", "hints", "runs", "store/sha256"]) {
      Deno.mkdirSync(`${root}/${folder}`, { recursive: true });
    }
    sweep(root);
    layReserve(root);
    const { session, temporary } = openTemporary(root);
    return { root, temporary, verified: new Set(), [Symbol.dispose]: () => close(temporary, [session, held]) };
  } catch (error) {
    use?.[Symbol.dispose]();
    throw explainStoreFailure(error, path);
  }
}

/** Room that {@link freeReserve} gives up, so that a collection can open the database on a full disk. In bytes. */
const RESERVE = 256 << 10;

function layReserve(root: string): void {
  const path = `${root}/reserve`;
  if (sizeOnDisk(path) !== null) return;
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

/** The real path of a store that must be there already, for those who only look after it. */
export function existingStore(root: string): string {
  try {
    Deno.statSync(`${root}/store/sha256`);
    return Deno.realPathSync(root);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new PipelineError(`there is no store at ${root}: run reproduce first, or name another with --store`);
  }
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

/** Where a blob lies (or would lie). */
export function blobPath(store: Pick<Store, "root">, sha: string): string {
  return `${store.root}/store/sha256/${sha.slice(0, 2)}/${sha}`;
}

/** Names some bytes and puts them beside the store, to be made visible by {@link commit}. */
export function stageBytes(store: Store, bytes: Uint8Array): Staged {
  const sha = sha256(bytes);
  const staged = { sha256: sha, size: bytes.length };
  if (alreadyStored(store, staged)) return { ...staged, temporary: null };
  const temporary = `${store.temporary}/${crypto.randomUUID()}`;
  try {
    Deno.writeFileSync(temporary, bytes, { createNew: true, mode: 0o444 });
  } catch (error) {
    discard([{ ...staged, temporary }]);
    throw explainStoreFailure(error, store.root);
  }
  return { ...staged, temporary };
}

/** True for a blob that is there and sound; a damaged one is moved away, as good bytes are at hand. */
function alreadyStored(store: Store, { sha256, size }: Digest): boolean {
  const path = blobPath(store, sha256);
  if (sizeOnDisk(path) !== size) return false;
  if (store.verified.has(sha256) || hashFileSync(path).sha256 === sha256) {
    store.verified.add(sha256);
    return true;
  }
  quarantine(store, sha256);
  return false;
}

/** Makes staged bytes durable and visible. */
export async function commit(store: Store, staged: readonly Staged[]): Promise<void> {
  try {
    await Promise.all(staged.map(({ temporary }) => temporary === null ? null : flush(temporary)));
    for (const { sha256, temporary } of staged) {
      if (temporary === null) continue;
      publish(temporary, blobPath(store, sha256));
      store.verified.add(sha256);
    }
  } catch (error) {
    throw explainStoreFailure(error, store.root);
  }
}

async function flush(path: string): Promise<void> {
  using file = Deno.openSync(path, { read: true });
  await file.syncData();
}

function publish(temporary: string, path: string): void {
  try {
    Deno.renameSync(temporary, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // the first blob with its beginning
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.renameSync(temporary, path);
  }
}

/** Forgets staged bytes. */
export function discard(staged: readonly Staged[]): void {
  for (const { temporary } of staged) {
    try {
      if (temporary !== null) Deno.removeSync(temporary);
    } catch {
      // never written, or renamed already
    }
  }
}

/** Whether a blob is there with its size; does not read it. */
export function hasBlob(store: Pick<Store, "root">, { sha256, size }: Digest): boolean {
  return sizeOnDisk(blobPath(store, sha256)) === size;
}

/** Checks size, and the bytes themselves the first time in this process. */
export async function checkBlob(store: Store, digest: Digest): Promise<BlobState> {
  const path = blobPath(store, digest.sha256);
  const size = sizeOnDisk(path);
  if (size === null) return "missing";
  if (size !== digest.size) return "corrupt";
  if (store.verified.has(digest.sha256)) return "ok";
  const found = size <= SMALL ? hashFileSync(path) : await hashFile(path);
  if (found.sha256 !== digest.sha256) return "corrupt";
  store.verified.add(digest.sha256);
  return "ok";
}

/** A blob's bytes, checked. Quarantines a damaged blob and throws {@link CorruptBlobError}. */
export async function readBlob(store: Store, digest: Digest): Promise<Uint8Array> {
  const state = await checkBlob(store, digest);
  if (state === "ok") return await Deno.readFile(blobPath(store, digest.sha256));
  quarantine(store, digest.sha256);
  throw new CorruptBlobError(digest.sha256);
}

/** Moves a damaged blob out of the store, where it can be looked at and cannot be used. */
export function quarantine(store: Store, sha: string): void {
  store.verified.delete(sha);
  moveAway(store, blobPath(store, sha));
}

/** Moves a file that has no business in the store to `quarantine/`. */
export function moveAway({ root }: Pick<Store, "root">, path: string): void {
  try {
    Deno.renameSync(path, `${root}/quarantine/${path.slice(path.lastIndexOf("/") + 1)}.${Date.now()}`);
  } catch (error) {
    // another process was faster
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A file's size, or null where there is no file. */
export function sizeOnDisk(path: string): number | null {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
