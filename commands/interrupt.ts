/**
 * Ctrl-C while the main thread is busy: compiling shaders in a software driver holds it for seconds, in which no signal
 * handler runs. A thread of its own then ends the process. Nothing finished is lost, because the store survives even
 * `kill -9`.
 */
import type { Reporter } from "@ftim/pipeline";

/** How long after the signal the process may take to end by itself, in ms. The engine gives stages 1,400. */
export const PATIENCE = 1700;

/** Watches from the first stage that really runs, so that a warm run pays nothing. Passes all events on. */
export function withWatchdog(reporter: Reporter): Reporter {
  const executed = new Map<string, number>();
  let kept: Int32Array | null = null;
  return (event) => {
    reporter(event);
    if (event.type === "start" && event.todo > 0) kept ??= startWatchdog();
    if (event.type !== "items" || kept === null) return;
    executed.set(event.stage, event.executed);
    Atomics.store(kept, 0, executed.values().reduce((sum, count) => sum + count, 0));
  };
}

/** Starts the thread; it reads how many results are kept from the array. */
function startWatchdog(): Int32Array {
  const kept = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("./interrupt_worker.ts", import.meta.url), { type: "module" });
  // without it, only a busy main thread makes Ctrl-C wait
  worker.onerror = (event) => event.preventDefault();
  worker.postMessage(kept);
  return kept;
}
