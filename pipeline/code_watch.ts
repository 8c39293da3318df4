/** Looks whether a stage's code changes on the disk: since the program has loaded it, and while a run is on. */
import type { CodeFiles } from "./code.ts";
import { definedAt } from "./loaded.ts";
import { sameStamp, stampOf, writtenAfter } from "./stamp.ts";

/** Names of the files of a stage's module that were edited after this process had loaded them. */
export function editedSinceLoaded(module: string, files: CodeFiles): string[] {
  const moments = { "at the start": performance.timeOrigin, "before the definition": definedAt(module) };
  return [...files.values()].filter(({ stamp, loaded }) =>
    loaded !== "at any time" && writtenAfter(stamp, moments[loaded])
  ).map(({ name }) => name).sort();
}

/**
 * Whether files that a stage may read again may have changed since their stamps were taken. What is loaded once stays
 * in memory as it was.
 */
export function mayHaveChanged(files: CodeFiles): boolean {
  return files.entries().some(([path, { stamp, loaded }]) =>
    loaded === "at any time" && (stamp.racy || !sameStamp(stamp, stampOf(path)))
  );
}
