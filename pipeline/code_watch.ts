/** Looks whether a stage's code changes on the disk: since the program has loaded it, and while a run is on. */
import type { CodeFile, CodeFiles } from "./code.ts";
import { definedAt, ENGINE_LOADED, firstContent } from "./loaded.ts";
import { sameStamp, stampOf, writtenAfter } from "./stamp.ts";

/** Files of a stage's module that this process may have in memory as they were before. */
export interface Edited {
  readonly names: readonly string[];
  /** By how much, in ms, the youngest of them is ahead of this machine's clock; 0 where none is. */
  readonly ahead: number;
}

/**
 * The files of a stage's module that were edited after this process had loaded them, or may have. What is loaded or
 * read at any time may have been so since the module was there: at the first look, it must not be younger.
 */
export function editedSinceLoaded(module: string, files: CodeFiles): Edited {
  const edited = [...files].filter(([path, file]) => {
    const before = firstContent(path);
    return before === null ? isLate(module, file) : before !== file.sha256;
  }).map(([, file]) => file);
  return {
    names: edited.map(({ name }) => name).sort(),
    ahead: Math.max(0, ...edited.map(({ stamp }) => stamp.ctime - Date.now())),
  };
}

function isLate(module: string, { since, stamp, readAt }: CodeFile): boolean {
  const start = performance.timeOrigin;
  const moments = { "the start": start, "the engine": ENGINE_LOADED, "the definition": definedAt(module) };
  if (since === null || !writtenAfter(stamp, moments[since])) return false;
  // by a clock that is ahead of this one; an earlier program has seen the file as it is
  return stamp.ctime <= Date.now() || readAt >= start;
}

/**
 * Whether files that a stage may read again may have changed since their stamps were taken. What is loaded once stays
 * in memory as it was.
 */
export function mayHaveChanged(files: CodeFiles): boolean {
  return files.entries().some(([path, { stamp, isReadAgain }]) =>
    isReadAgain && (stamp.racy || !sameStamp(stamp, stampOf(path)))
  );
}
