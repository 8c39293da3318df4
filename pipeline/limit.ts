/** A time limit on one call of a stage's function, as far as one process can hold it to that. */
import { AbortedError } from "./errors.ts";

/** How to limit. */
export interface LimitOptions {
  /** Undefined: no limit. */
  readonly seconds: number | undefined;
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal;
  /** Leave the work to itself soon after the run is to stop, too: nobody waits for it then. */
  readonly leave?: boolean;
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
 * @throws {AbortedError} where work was left because the run is to stop
 * @throws {OverdueError} when the time was up before the work was done, even if it did come to an end
 */
export async function withinLimit<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { seconds, signal, leave = false }: LimitOptions,
): Promise<T> {
  if (leave) return await leftWhenStopped((inner) => withinLimit(work, { seconds, signal: inner }), signal);
  if (seconds === undefined) return await work(signal);
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

/** Waits for some work, but not much longer than to the signal's end. */
async function leftWhenStopped<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = () => {};
  const left = new Promise<never>((_, reject) => {
    stopped = () => timer = setTimeout(() => reject(new AbortedError("interrupted")), GRACE);
  });
  if (signal.aborted) stopped();
  else signal.addEventListener("abort", stopped, { once: true });
  try {
    return await Promise.race([work(signal), left]);
  } finally {
    signal.removeEventListener("abort", stopped);
    clearTimeout(timer);
  }
}
