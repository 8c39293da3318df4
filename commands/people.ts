/** How commands on a person's own photographs run: progress in words, on a terminal in one line. */
import type { Options } from "@ftim/pipeline";
import { peopleReporter } from "../experiments/photographs/progress.ts";
import { type Common, stoppableOptions } from "./common.ts";

/** Writes to standard error, without a new line. */
export function writeError(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

/** The engine's options; with `log` the report is of steps. */
export function peopleOptions(options: Pick<Common, "store" | "jobs" | "log">): Options {
  const screen = { live: Deno.stderr.isTerminal(), write: writeError, columns: columnsOf };
  return { reporter: peopleReporter(screen), ...stoppableOptions(options) };
}

function columnsOf(): number {
  try {
    return Math.max(20, Deno.consoleSize().columns);
  } catch {
    return 80;
  }
}
