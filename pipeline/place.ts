/** Folders and files that a caller names: which are refused before anything is written, and what errors there mean. */
import { basename, dirname, join, resolve } from "node:path";
import { PipelineError, StoreError } from "./errors.ts";

/** Why a text names no folder or file, or null: followed by "/a.txt", an empty one would lead to the disk's root. */
export function placeFault(path: string): string | null {
  if (path === "") return 'is empty: name a folder or a file, or "." for the current folder';
  if (path.includes("\0")) return "holds a NUL: choose another name";
  return null;
}

/** Throws for a text that names no folder or file; `what` says whose it is. */
export function checkPlace(path: string, what: string): void {
  const fault = placeFault(path);
  if (fault !== null) throw new PipelineError(`${what} ${fault}`);
}

/** Throws for a place that is a store or lies inside one, links followed: what is written there would damage it. */
export function checkOutsideStores(path: string, what: string): void {
  const real = realest(resolve(path));
  for (let at = real;; at = dirname(at)) {
    if (isThere(`${at}/store/sha256`) && isThere(`${at}/use.lock`)) {
      throw new PipelineError(`${what} ${path} lies in the store ${at}, and would damage it: choose another folder`);
    }
    if (at === dirname(at)) return;
  }
}

/** The real path of as much of a path as there is, with the rest. */
function realest(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    // not there, or not to be looked at: then its folder decides
    return dirname(path) === path ? path : join(realest(dirname(path)), basename(path));
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    // what cannot be looked at cannot be written either
    return false;
  }
}

const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: "it, or a folder above it, does not exist, or is a link that leads nowhere: make it, or choose another",
  EEXIST: "something else is in its place: move that away, or choose another folder",
  EISDIR: "a folder is in its place: move that away, or choose another folder",
  ENOTEMPTY: "a folder is in its place: move that away, or choose another folder",
  ENOTDIR: "a file is where a folder must be: move that away, or choose another folder",
  ELOOP: "it is a link that leads back to itself: remove that, or choose another folder",
  ENAMETOOLONG: "the path is longer than the file system allows: choose a shorter one",
  ENOSPC: "there is no space left on its disk: free some, then run again",
  EDQUOT: "the quota of its disk is used up: free some space, then run again",
  EACCES: "you have no permission there: choose another folder, or change its permissions",
  EPERM: "you have no permission there: choose another folder, or change its permissions",
  EROFS: "its disk is read-only: choose another folder",
};

/** An error of the file system as one line that says what failed, where, and what to do; passes anything else on. */
export function explainPlaceFailure(error: unknown, failed: string): unknown {
  // a lock's error speaks of the store, which it need not be
  const cause = error instanceof StoreError ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const meaning = MEANINGS[code];
  return meaning === undefined ? error : new PipelineError(`${failed}: ${meaning}`, { cause: error });
}
