/**
 * Replacing a file as one step, in a folder that is not the store's: new bytes lie beside it under a short name of our
 * own, whatever its own name's length. A process holds a kernel lock on each of its temporary files, so that another
 * one can tell what a killed process left.
 */
import { dirname } from "node:path";
import { type Lock, tryLock } from "./locks.ts";
import { explainPlaceFailure } from "./place.ts";

/** Begins with a dot, so that a source folder leaves it out. */
const NAME = /^\.ftim-[0-9a-f]{8}\.tmp$/;

/** Makes an empty file in a folder, which is removed on disposal unless it was renamed. */
export function temporaryIn(folder: string): Lock {
  for (;;) {
    const lock = tryLock(`${folder}/.ftim-${crypto.randomUUID().slice(0, 8)}.tmp`);
    // another process's sweep may hold the new lock for a moment
    if (lock !== null) return lock;
  }
}

/**
 * Replaces a file's contents as one step: readers see all of the old bytes or all of the new ones. Makes its folder.
 * @throws {PipelineError} where that cannot be done, with what to do
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    using temporary = temporaryIn(dirname(path));
    await Deno.writeFile(temporary.path, bytes);
    await Deno.rename(temporary.path, path);
  } catch (error) {
    throw explainPlaceFailure(error, `${path} cannot be written`);
  }
}

/** Removes from a folder the temporary files whose process is gone. */
export function sweepTemporaries(folder: string): void {
  for (const { name } of Deno.readDirSync(folder)) {
    // releasing the lock removes its file
    if (NAME.test(name)) tryLock(`${folder}/${name}`)?.[Symbol.dispose]();
  }
}
