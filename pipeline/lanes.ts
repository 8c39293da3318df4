/** Some waiting at a time: transfers overlap, yet neither the network nor the memory is flooded. */
import { AbortedError } from "./errors.ts";

/** Runs work, at most so many pieces at once, in the order in which they came. */
export type Lanes = <T>(work: () => Promise<T>) => Promise<T>;

/** Opens some lanes. */
export function openLanes(count: number): Lanes {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

interface EachOptions<T> {
  readonly lanes: Lanes;
  readonly signal: AbortSignal;
  /** Its signal is aborted when another piece of work fails, too. */
  readonly work: (item: T, signal: AbortSignal) => Promise<void>;
}

/** Does something with each item. The first failure stops the others, and is thrown when they have ended. */
export async function inLanes<T>(items: readonly T[], { lanes, signal, work }: EachOptions<T>): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let failure: { readonly error: unknown } | null = null;
  await Promise.all(items.map((item) =>
    lanes(async () => {
      if (both.aborted) return;
      await work(item, both).catch((error) => {
        failure ??= { error };
        stop.abort();
      });
    })
  ));
  checkAborted(signal);
  rethrow(failure);
}

/** Throws {@link AbortedError} once a transfer's signal is aborted. */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError("interrupted: what has arrived is kept; start again to go on");
}

function rethrow(failure: { readonly error: unknown } | null): void {
  if (failure !== null) throw failure.error;
}
