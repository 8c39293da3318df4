/**
 * Blobs by content: `store/sha256/ab/abcd…`, read-only, written as tmp → fsync → rename, checked before use.
 */
import { CorruptBlobError, explainStoreFailure } from "./errors.ts";
import { hashFile, hashFileSync, sha256 } from "./hash.ts";
import { kindOf } from "./layout.ts";
import { sameStamp, type Stamp, stampOf } from "./stamp.ts";
import type { Store } from "./store.ts";

/** Name of some bytes. */
export interface Digest {
  readonly sha256: string;
  readonly size: number;
}

/** Bytes that are on disk under a temporary name (null where the store already had them). */
export interface Staged extends Digest {
  readonly temporary: string | null;
}

/** Whether a blob can be used. */
export type BlobState = "ok" | "missing" | "corrupt";

/** Hashing blocks for at most a few milliseconds up to this size. */
const SMALL = 1 << 20;

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
  if (!hasBlob(store, { sha256, size })) return false;
  if (isUnchanged(store, sha256) || verifySync(store, sha256)) return true;
  quarantine(store, sha256);
  return false;
}

/** Whether a blob's file looks as it did when its bytes were checked, and was old enough then to be known by that. */
function isUnchanged(store: Store, sha256: string): boolean {
  const known = store.verified.get(sha256) ?? null;
  return known !== null && !known.racy && sameStamp(known, blobStamp(blobPath(store, sha256)));
}

/** What a blob's file looks like; null where nothing is, or a link that leads back to itself. */
function blobStamp(path: string): Stamp | null {
  try {
    return stampOf(path);
  } catch (error) {
    if (error instanceof Deno.errors.FilesystemLoop || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

/** Reads a blob to check it. */
function verifySync(store: Store, sha256: string): boolean {
  const path = blobPath(store, sha256);
  const stamp = stampOf(path);
  if (hashFileSync(path).sha256 !== sha256) return false;
  store.verified.set(sha256, stamp);
  return true;
}

/** Makes staged bytes durable and visible. */
export async function commit(store: Store, staged: readonly Staged[]): Promise<void> {
  try {
    await Promise.all(staged.map(({ temporary }) => temporary === null ? null : flush(temporary)));
    for (const { sha256, temporary } of staged) {
      if (temporary === null) continue;
      publish(temporary, blobPath(store, sha256));
      store.verified.set(sha256, null);
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
    if (error instanceof Deno.errors.IsADirectory) moveAway({ root: path.slice(0, -STORED) }, path);
    else if (!(error instanceof Deno.errors.NotFound)) throw error;
    // the first blob with its beginning
    else Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
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

/** Length of "/store/sha256/ab/" and a blob's name. */
const STORED = "/store/sha256/ab/".length + 64;

/** Whether a blob is there with its size; does not read it. */
export function hasBlob(store: Pick<Store, "root">, { sha256, size }: Digest): boolean {
  return fileSize(blobPath(store, sha256)) === size;
}

/** Checks size, and the bytes themselves unless they were checked and the file looks the same. */
export async function checkBlob(store: Store, digest: Digest): Promise<BlobState> {
  const path = blobPath(store, digest.sha256);
  const stamp = blobStamp(path);
  if (stamp === null) return "missing";
  if (stamp.size !== digest.size) return "corrupt";
  if (isUnchanged(store, digest.sha256)) return "ok";
  if (kindOf(path) !== "file") return "corrupt";
  const found = stamp.size <= SMALL ? hashFileSync(path) : await hashFile(path);
  if (found.sha256 !== digest.sha256) return "corrupt";
  store.verified.set(digest.sha256, stamp);
  return "ok";
}

/**
 * As {@link checkBlob} for a blob that will be read through {@link readBlob} or {@link handOut}, which read a young
 * small one themselves: here it is not read once more.
 */
export async function checkAhead(store: Store, digest: Digest): Promise<BlobState> {
  const known = store.verified.get(digest.sha256);
  if (known === undefined || digest.size > SMALL) return await checkBlob(store, digest);
  const path = blobPath(store, digest.sha256);
  const whole = known === null ? sizeOnDisk(path) === digest.size : sameStamp(known, blobStamp(path));
  return whole ? "ok" : await checkBlob(store, digest);
}

/** A blob's bytes, checked as they are read. Quarantines a damaged blob and throws {@link CorruptBlobError}. */
export async function readBlob(store: Store, { sha256: sha, size }: Digest): Promise<Uint8Array> {
  const known = size > SMALL && isUnchanged(store, sha);
  const bytes = await readWhole(blobPath(store, sha), size);
  // a large one need not be hashed if it is known and nothing has touched it meanwhile
  const whole = bytes?.length === size && ((known && isUnchanged(store, sha)) || sha256(bytes) === sha);
  if (whole) return bytes;
  quarantine(store, sha);
  throw new CorruptBlobError(sha);
}

/** Nothing is there, or a thing that is no file. */
const UNREADABLE = [
  Deno.errors.NotFound,
  Deno.errors.NotADirectory,
  Deno.errors.IsADirectory,
  Deno.errors.FilesystemLoop,
];

async function readWhole(path: string, size: number): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    // a promise costs more than the reading of a small file
    return size <= SMALL ? Deno.readFileSync(path) : await Deno.readFile(path);
  } catch (error) {
    if (UNREADABLE.some((kind) => error instanceof kind)) return null;
    throw error;
  }
}

/** A blob's path for somebody who reads it, checked before. Otherwise as {@link readBlob}. */
export function handOut(store: Store, { sha256, size }: Digest): string {
  const path = blobPath(store, sha256);
  const stamp = blobStamp(path);
  if (stamp?.size === size && kindOf(path) === "file") {
    const known = store.verified.get(sha256) ?? null;
    // a large one was checked a moment ago
    const same = known !== null && sameStamp(known, stamp) && (!known.racy || size > SMALL);
    if (same || verifySync(store, sha256)) return path;
  }
  quarantine(store, sha256);
  throw new CorruptBlobError(sha256);
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

/** A file's size, or null where nothing is; -1 for what is there and is no file. */
export function sizeOnDisk(path: string): number | null {
  return fileSize(path) ?? (kindOf(path) === null ? null : -1);
}

/** A file's size, or null where no file is. */
function fileSize(path: string): number | null {
  try {
    const { isFile, size } = Deno.statSync(path);
    return isFile ? size : null;
  } catch (error) {
    if (UNREADABLE.some((kind) => error instanceof kind)) return null;
    throw error;
  }
}
