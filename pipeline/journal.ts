/** What the stages of a run said: the last lines of each, for the run record. */
import type { Reporter } from "./report.ts";

/** A reporter that passes events on, and what it has kept of them. */
export interface Journal {
  readonly reporter: Reporter;
  /** What a stage logged, its failed attempts and its failure, by label. */
  linesOf(stage: string): readonly string[];
}

/** Lines of a stage that are kept, and characters of a line. */
const [LINES, WIDTH] = [200, 2000];

/** Keeps a journal of what a reporter is told. */
export function openJournal(reporter: Reporter): Journal {
  const lines = new Map<string, string[]>();
  function note(stage: string, text: string): void {
    const kept = lines.get(stage) ?? [];
    if (kept.length === 0) lines.set(stage, kept);
    kept.push(text.length > WIDTH ? `${text.slice(0, WIDTH)}…` : text);
    // seldom, because it moves all that are left
    if (kept.length > 2 * LINES) kept.splice(0, LINES);
  }
  return {
    linesOf: (stage) => lines.get(stage)?.slice(-LINES) ?? [],
    reporter(event) {
      if (event.type === "log") note(event.stage, event.message);
      if (event.type === "retry") note(event.stage, `attempt ${event.attempt} failed: ${event.message}`);
      if (event.type === "failed") note(event.stage, `FAILED: ${event.message}`);
      reporter(event);
    },
  };
}
