/**
 * Kernel file locks. The kernel frees them when a process dies, however it dies, so nothing ever needs unlocking by
 * hand. A lock that is given up is unlocked before its file is closed: a process that is being started holds a copy of
 * every open file, and so the lock, until it runs. A lock file is unlinked by its last holder; whoever opened it before
 * that notices by its inode and retries.
 */
import { dirname } from "node:path";
import { explainStoreFailure } from "./errors.ts";

/** A held lock. */
export interface Lock extends Disposable {
  readonly path: string;
}

/** Takes an exclusive lock on a path at once, or returns null where someone else (also in this process) holds it. */
export function tryLock(path: string): Lock | null {
  for (;;) {
    const file = open(path);
    if (!file.tryLockSync(true)) {
      file.close();
      return null;
    }
    if (sameFile(file, path)) {
      return { path, [Symbol.dispose]: () => release(file, path) };
    }
    giveUp(file);
  }
}

/** Waits for a shared or exclusive lock on a path that is never removed. */
export async function waitLock(path: string, { exclusive }: { readonly exclusive: boolean }): Promise<Lock> {
  const file = open(path);
  await file.lock(exclusive);
  return { path, [Symbol.dispose]: () => giveUp(file) };
}

/**
 * As {@link waitLock}, shared, on a disk that cannot be written; where the lock was never made, nobody will take it.
 */
export async function waitLockToRead(path: string): Promise<Lock> {
  const file = await Deno.open(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  await file?.lock(false);
  return { path, [Symbol.dispose]: () => giveUp(file) };
}

/** As {@link waitLock}, for a moment's work: blocks the whole process meanwhile. */
export function waitLockSync(path: string, { exclusive }: { readonly exclusive: boolean }): Lock {
  const file = open(path);
  file.lockSync(exclusive);
  return { path, [Symbol.dispose]: () => giveUp(file) };
}

/** As {@link waitLock}, but returns null at once where it cannot be had. */
export function tryPermanentLock(path: string, { exclusive }: { readonly exclusive: boolean }): Lock | null {
  const file = open(path);
  if (file.tryLockSync(exclusive)) return { path, [Symbol.dispose]: () => giveUp(file) };
  file.close();
  return null;
}

function open(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { create: true, write: true });
  } catch (error) {
    throw explainStoreFailure(error, dirname(path));
  }
}

function release(file: Deno.FsFile, path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // someone cleaned up the folder: the lock itself is what counts
  }
  // nobody asks for a lock of a file that is gone, so that it need not be unlocked first
  file.close();
}

function giveUp(file: Deno.FsFile | null): void {
  file?.unlockSync();
  file?.close();
}

function sameFile(file: Deno.FsFile, path: string): boolean {
  try {
    return Deno.statSync(path).ino === file.statSync().ino;
  } catch {
    return false;
  }
}
