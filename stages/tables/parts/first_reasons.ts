/** Why items were skipped, each once. */

/**
 * The first reason of each key, without the key before it: a stage further on may repeat the skip of an earlier one,
 * and the first is the cause.
 *
 * @param skipped reasons by key, of one stage after the other
 */
export function firstReasons(skipped: Iterable<ReadonlyMap<string, string>>): Map<string, string> {
  const found = new Map<string, string>();
  for (const reasons of skipped) {
    for (const [key, reason] of reasons) {
      if (!found.has(key)) found.set(key, reason.startsWith(`${key}: `) ? reason.slice(key.length + 2) : reason);
    }
  }
  return found;
}
