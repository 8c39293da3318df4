/** Long work on the main thread lets signals and other stages through, and stops when it is to stop. */
import { AbortedError } from "./errors.ts";

/**
 * Called often, it costs a look at the clock; now and then it gives the others a turn. With a time in ms, it waits.
 *
 * @throws {AbortedError} once the signal is aborted
 */
export type Pause = (ms?: number) => Promise<void>;

/** How long work may go on without a pause, in ms. */
const TURN = 50;

/** Opens a {@link Pause} that a signal ends. */
export function openPause(signal: AbortSignal): Pause {
  let turn = performance.now();
  return async (ms = 0) => {
    if (ms === 0 && performance.now() - turn < TURN && !signal.aborted) return;
    const end = performance.now() + ms;
    do {
      await new Promise((resolve) => setTimeout(resolve, Math.min(TURN, Math.max(0, end - performance.now()))));
      if (signal.aborted) throw new AbortedError("interrupted");
    } while (performance.now() < end);
    turn = performance.now();
  };
}
