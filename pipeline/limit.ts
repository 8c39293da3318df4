/** A time limit on one call of a stage's function, as far as one process can hold it to that. */

/** How to limit. */
export interface LimitOptions {
  /** Undefined: no limit. */
  readonly seconds: number | undefined;
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal;
}

/** Work took longer than it may. */
export class OverdueError extends Error {
  override name = "OverdueError";
}

/** How long work may take to come to an end after its signal was aborted, in ms. */
const GRACE = 1400;

/**
 * Does some work whose signal is aborted when its time is up. Work that does not listen is left to itself soon after;
 * whatever it returns then is dropped.
 *
 * @throws {OverdueError} when the time was up before the work was done, even if it did come to an end
 */
export function withinLimit<T>(work: Work<T>, { seconds, signal }: LimitOptions): Promise<T> {
  return seconds === undefined ? work(signal) : limited(work, { seconds, signal });
}

type Work<T> = (signal: AbortSignal) => Promise<T>;

async function limited<T>(
  work: Work<T>,
  { seconds, signal }: { readonly seconds: number; readonly signal: AbortSignal },
): Promise<T> {
  const limit = new AbortController();
  const error = new OverdueError(`ran longer than its limit of ${seconds} s`);
  const end = performance.now() + 1000 * seconds;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      limit.abort(error);
      timer = setTimeout(() => reject(error), GRACE);
    }, 1000 * seconds);
  });
  try {
    const result = await Promise.race([work(AbortSignal.any([signal, limit.signal])), overdue]);
    // work that held the thread has held up the timer too
    if (limit.signal.aborted || performance.now() >= end) throw error;
    return result;
  } catch (cause) {
    if (cause === error || !limit.signal.aborted) throw cause;
    throw new OverdueError(error.message, { cause });
  } finally {
    clearTimeout(timer);
  }
}
