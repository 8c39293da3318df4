/**
 * A file's stamp (device, inode, size, mtime, ctime) stands for its contents, except while the file is so young that
 * a later write could leave the same stamp (git's "racy" rule).
 */

/** What identifies a version of a file without reading it. Times in ms. */
export interface Stamp {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtime: number;
  readonly ctime: number;
  /** The file was modified so shortly before that its stamp proves nothing. */
  readonly racy: boolean;
}

/** File times advance in steps of up to 10 ms on common kernels (2 s on FAT). */
const RACY_MS = 50;

/** A file's stamp now, or null where there is no file. */
export function stampOf(path: string): Stamp | null {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const mtime = info.mtime?.getTime() ?? 0;
  const ctime = info.ctime?.getTime() ?? mtime;
  const racy = Date.now() - Math.max(mtime, ctime) < RACY_MS;
  return { dev: info.dev, ino: info.ino ?? 0, size: info.size, mtime, ctime, racy };
}

/** Whether two stamps are of the same version of a file. */
export function sameStamp(a: Omit<Stamp, "racy"> | null, b: Omit<Stamp, "racy"> | null): boolean {
  if (a === null || b === null) return a === b;
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtime === b.mtime && a.ctime === b.ctime;
}

/** Numbers that a stamp takes in a flat array: dev, ino, size, mtime, ctime. */
export const STAMP_FIELDS = 5;
/** Which of them is the size. */
export const SIZE_FIELD = 2;

/** Writes a file's stamp into a flat array; a racy one with NaN for its times, which equals nothing. */
export function stampInto(
  stamps: Float64Array,
  { index, path }: { readonly index: number; readonly path: string },
): void {
  const stamp = stampOf(path);
  if (stamp === null) throw new Error(`${path}: no such file`);
  stamps.set([stamp.dev, stamp.ino, stamp.size, stamp.mtime, stamp.ctime], index * STAMP_FIELDS);
  if (stamp.racy) markRacy(stamps, index);
}

/** Makes a stamp in a flat array one that equals nothing. */
export function markRacy(stamps: Float64Array, index: number): void {
  stamps.fill(NaN, index * STAMP_FIELDS + SIZE_FIELD + 1, (index + 1) * STAMP_FIELDS);
}

/** Reads a stamp from a flat array. */
export function stampFrom(stamps: Float64Array, index: number): Stamp {
  const [dev = 0, ino = 0, size = 0, mtime = NaN, ctime = NaN] = stamps.subarray(index * STAMP_FIELDS);
  return { dev, ino, size, mtime, ctime, racy: Number.isNaN(mtime) };
}
