/**
 * How much memory the process had while a stage worked: its resident set, sampled. Stages share the process, so what
 * ran beside a stage counts too.
 */

/** Follows the memory of one stage. */
export interface PeakMemory {
  /** Samples from now on; call the result to stop. */
  follow(): () => void;
  /** The largest sample, in bytes; 0 before the first. */
  peak(): number;
}

/** Time between samples in ms. */
const EVERY = 250;
/** A sample counts for so many ms, for stages that are shorter. */
const FRESH = 20;

/** Makes followers that share their samples. */
export function openMemory(): () => PeakMemory {
  const following = new Set<{ peak: number }>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let sampled = -Infinity;
  let bytes = 0;

  function sample(): void {
    const now = performance.now();
    if (now - sampled >= FRESH) [sampled, bytes] = [now, Deno.memoryUsage().rss];
    for (const each of following) each.peak = Math.max(each.peak, bytes);
  }
  return () => {
    const own = { peak: 0 };
    let depth = 0;
    return {
      follow() {
        if (depth++ === 0) following.add(own);
        timer ??= setInterval(sample, EVERY);
        sample();
        return () => {
          sample();
          if (--depth === 0) following.delete(own);
          if (following.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        };
      },
      peak: () => own.peak,
    };
  };
}
