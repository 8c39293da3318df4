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

/** Whether some files may have changed since their stamps were taken. */
export function mayHaveChanged(files: CodeFiles): boolean {
  return files.entries().some(([path, { stamp }]) => stamp.racy || !sameStamp(stamp, stampOf(path)));
}

/** One in so many moments is spent on looking, at most. */
const SHARE = 50;

/** Says when it is time to look again, so that short batches are not held up by it. */
export interface Pace {
  isDue(): boolean;
  /** Notes how long a look took, in ms. */
  note(took: number): void;
}

/** Starts to keep a pace: the first look is due at once. */
export function openPace({ now = () => performance.now() } = {}): Pace {
  let next = 0;
  return { isDue: () => now() >= next, note: (took) => void (next = now() + took * SHARE) };
}
