/**
 * Sizes for what changes in size from batch to batch: the device's pool keeps a buffer of each size that was ever asked
 * for.
 */

/** The next of four sizes an octave. */
export function roomFor(count: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, count))) - 2);
  return step * Math.ceil(count / step);
}

/** The share of a limit up to which `roomFor` of any count stays within the limit. */
export const USED_ROOM = 4 / 5;
