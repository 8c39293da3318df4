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

/** The memory of a process, sampled until it is closed. */
export interface MemoryWatch extends Disposable {
  /** Makes a follower for a stage. */
  follower(): PeakMemory;
}

/** Starts to sample, for as long as anybody follows. */
export function watchMemory(): MemoryWatch {
  const following = new Set<{ peak: number }>();
  let sampled = -Infinity;
  let bytes = 0;

  function sample(): void {
    if (following.size === 0) return;
    const now = performance.now();
    if (now - sampled >= FRESH) [sampled, bytes] = [now, Deno.memoryUsage().rss];
    for (const each of following) if (each.peak < bytes) each.peak = bytes;
  }
  const timer = setInterval(sample, EVERY);
  return {
    follower() {
      const own = { peak: 0 };
      let depth = 0;
      return {
        follow() {
          if (depth++ === 0) following.add(own);
          sample();
          return () => {
            sample();
            if (--depth === 0) following.delete(own);
          };
        },
        peak: () => own.peak,
      };
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
