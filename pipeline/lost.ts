/**
 * Failures that nobody catches: a promise that a stage does not await is rejected, a timer or a worker of its own
 * throws, or it ends the program. They would end the process without a stage's name, and some with a status of success.
 */
import { messageOf, StageError } from "./errors.ts";

/** Which stages run, and what to do about a failure. */
export interface LostOptions {
  /** Labels of the stages that run at the moment. */
  readonly running: () => readonly string[];
  readonly fail: (error: StageError) => void;
}

/**
 * Takes failures that nobody catches for the running stages'; where none runs, they go their way.
 *
 * @returns what ends it
 */
export function watchLost({ running, fail }: LostOptions): () => void {
  function take(event: Event, thrown: unknown, what: string): void {
    const stages = running();
    if (stages.length === 0) return;
    event.preventDefault();
    const message = `${what}: ${messageOf(thrown)}; ${stages.length === 1 ? "it" : "one of them"} must catch it`;
    fail(new StageError(stages.join(", "), message, { cause: thrown }));
  }
  const rejected = (event: PromiseRejectionEvent) =>
    take(event, event.reason, "a promise that nobody awaits was rejected");
  const thrown = (event: ErrorEvent) =>
    take(event, event.error ?? event.message, "a timer or a worker threw an error that nobody catches");
  const left = () => {
    const stages = running();
    // who ends a program with an error knows why: the command does at Ctrl-C
    if (stages.length === 0 || Deno.exitCode !== 0) return;
    const which = stages.length === 1 ? `stage "${stages[0]}"` : `one of the stages ${stages.join(", ")}`;
    console.error(`error: the program ended while ${which} ran, with a status of success: its result is not recorded`);
    Deno.exitCode = 1;
  };
  globalThis.addEventListener("unload", left);
  globalThis.addEventListener("unhandledrejection", rejected);
  globalThis.addEventListener("error", thrown);
  return () => {
    globalThis.removeEventListener("unload", left);
    globalThis.removeEventListener("unhandledrejection", rejected);
    globalThis.removeEventListener("error", thrown);
  };
}
