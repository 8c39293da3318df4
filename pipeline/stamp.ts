/**
 * A file's stamp (device, inode, size, mtime, ctime) stands for its contents, except while the file is so young that
 * a later write could leave the same stamp (git's "racy" rule).
 */
import { PipelineError } from "./errors.ts";

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

/** File times advance in steps of up to 10 ms on common kernels. */
const TICK = 50;

/**
 * For how long a write can leave a time that a file has, in ms. Whole seconds come from file systems that count 1 s
 * (old ext3 and ext4, some NFS) or 2 s (FAT), and from Deno itself, whose ctimes are whole seconds everywhere.
 */
function stepAt(time: number): number {
  return TICK + (time % 2000 === 0 ? 2000 : time % 1000 === 0 ? 1000 : 0);
}

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
  return { dev: info.dev, ino: info.ino ?? 0, size: info.size, mtime, ctime, racy: isYoung({ mtime, ctime }) };
}

/**
 * Whether a write now could leave the same times. Anyone can set a file's mtime, into the future too; its ctime is of
 * the kernel's clock, and only a clock that was wrong, or another machine's, puts that into the future.
 */
function isYoung({ mtime, ctime }: Pick<Stamp, "mtime" | "ctime">): boolean {
  const now = Date.now();
  return now - ctime < stepAt(ctime) || (mtime <= now && now - mtime < stepAt(mtime));
}

/**
 * Whether a file was written after a moment, in ms since the epoch, as far as its times tell. A time in whole seconds
 * is of any moment of that second: in the moment's own second only the mtime tells, if the kernel has set both at once.
 */
export function writtenAfter({ mtime, ctime }: Pick<Stamp, "mtime" | "ctime">, moment: number): boolean {
  if (ctime > moment) return true;
  return ctime % 1000 === 0 && moment < ctime + 1000 && mtime > moment && mtime < ctime + 1000;
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

/** What {@link stampInto} finds where nothing is to be waited for: the stamp stands for the file, or is marked. */
export const SETTLED = 0;
/** Only a write that also puts back the mtime of a moment ago could leave this stamp. */
export const YOUNG = -1;

/**
 * Writes a file's stamp into a flat array, with NaN for the times, which equals nothing, where a mere write could leave
 * the same. One of the future stays as it is: returns how long to wait, in ms, before the file may be read to be
 * remembered by it. By then the clock that gave the stamp has moved on, whatever it shows.
 *
 * @returns {@link SETTLED}, {@link YOUNG} or how long to wait
 */
export function stampInto(
  stamps: Float64Array,
  { index, path }: { readonly index: number; readonly path: string },
): number {
  const stamp = stampOf(path);
  if (stamp === null) {
    // a name that is no text comes with this in place of what could not be read
    const odd = path.includes("\uFFFD") ? ", or its name is not UTF-8: rename it" : "";
    throw new PipelineError(`${path} is gone${odd}`);
  }
  const { dev, ino, size, mtime, ctime, racy } = stamp;
  stamps.set([dev, ino, size, mtime, ctime], index * STAMP_FIELDS);
  if (!racy) return SETTLED;
  const now = Date.now();
  if (ctime > now) return stepAt(ctime);
  // the kernel has set both, at one time
  const together = ctime <= mtime && mtime - ctime < 1000;
  if (together && now - mtime >= stepAt(mtime)) return YOUNG;
  markRacy(stamps, index);
  return SETTLED;
}

/** How long from now a write could still leave a stamp's ctime, in ms. */
export function settlingTime({ ctime }: Pick<Stamp, "ctime">): number {
  return Math.max(0, ctime + stepAt(ctime) - Date.now());
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
