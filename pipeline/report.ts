/**
 * What a run says while it runs: events, and the ways to show them (a live tree, plain lines, JSON lines). The tree is
 * drawn by hand: listr2 shows just tasks that it runs itself, and log-update, which would replace ten lines, needs
 * six packages.
 */
import type { Waits } from "./clock.ts";

/** How a stage stands. Counts are of items (a whole stage is one item). */
export interface StageCount {
  readonly total: number;
  readonly executed: number;
  readonly cached: number;
  /** Of those, items without a result. */
  readonly skipped: number;
}

/** How a stage stands, and what it took. */
export interface StageReport extends StageCount {
  /** Seconds in which it worked. */
  readonly seconds: number;
  /** Where it ran something: seconds in which it did not work, by what it lacked. */
  readonly waited?: Waits;
  /** Where it ran something: the largest resident set of the process while it worked, sampled, in bytes. */
  readonly peakMemory?: number;
}

/** Something that happened in a run. `stage` is the stage's label in the graph. */
export type PipelineEvent =
  | { readonly type: "plan"; readonly stages: readonly string[] }
  | { readonly type: "start"; readonly stage: string; readonly total: number; readonly todo: number }
  | ({ readonly type: "items"; readonly stage: string; readonly seconds: number } & StageCount)
  | { readonly type: "progress"; readonly stage: string; readonly done: number; readonly total: number }
  | { readonly type: "log"; readonly stage: string; readonly message: string }
  | { readonly type: "wait"; readonly stage: string; readonly items: number }
  | { readonly type: "wait"; readonly stage: string; readonly gpu: true }
  | {
    readonly type: "retry";
    readonly stage: string;
    readonly attempt: number;
    readonly attempts: number;
    readonly message: string;
  }
  /** About how long the run has to go, from earlier runs of the same stages. */
  | { readonly type: "estimate"; readonly seconds: number }
  | ({ readonly type: "done"; readonly stage: string } & StageReport)
  | { readonly type: "failed"; readonly stage: string; readonly message: string }
  | { readonly type: "warning"; readonly message: string }
  | ({ readonly type: "end" } & Summary);

/** What a run came to. */
export interface Summary {
  readonly status: "done" | "failed" | "aborted";
  readonly seconds: number;
  /** Totals over all stages. */
  readonly executed: number;
  readonly cached: number;
  readonly skipped: number;
  readonly stages: Readonly<Record<string, StageReport>>;
  /** Labels of what failed, and of the stages that did not come to an end or were not tried. */
  readonly failed: readonly string[];
  readonly unfinished: readonly string[];
}

/** Takes events. */
export type Reporter = (event: PipelineEvent) => void;

type Write = (text: string) => void;

/** Says nothing. */
export function silentReporter(): Reporter {
  return () => {};
}

/** One JSON document a line. */
export function jsonReporter(write: Write = toStderr): Reporter {
  return (event) => write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
}

/** One line when a stage starts, ends or says something, and now and then in long stages. */
export function plainReporter(write: Write = toStderr, { every = 10_000 }: { readonly every?: number } = {}): Reporter {
  const last = new Map<string, number>();
  const pace = paces();
  let estimated = -Infinity;
  return (event) => {
    if (event.type === "estimate") {
      const now = Date.now();
      if (now - estimated < 6 * every) return;
      estimated = now;
      write(`${estimateText(event.seconds)}\n`);
      return;
    }
    if (event.type === "start") last.set(event.stage, Date.now());
    if (event.type === "items" || event.type === "progress") {
      const text = pace(event);
      const now = Date.now();
      if (now - (last.get(event.stage) ?? now) < every) return;
      last.set(event.stage, now);
      write(`${event.stage}: ${text}\n`);
      return;
    }
    const line = lineOf(event);
    if (line !== null) write(`${line}\n`);
  };
}

/** A live tree on a terminal: running stages redraw in place below the lines of finished ones. */
export function treeReporter(write: Write = toStderr, { color = true }: { readonly color?: boolean } = {}): Reporter {
  const running = new Map<string, string>();
  const pace = paces();
  let estimate: { readonly end: number } | null = null;
  let drawn = 0;
  let last = 0;
  const paint = (code: number, text: string) => color ? `\x1b[${code}m${text}\x1b[0m` : text;
  function draw(lines: readonly string[], force: boolean): void {
    if (!force && Date.now() - last < 80) return;
    last = Date.now();
    // no more than can be redrawn: the cursor does not go above the screen
    const room = consoleSize().rows - 3;
    const live = [...running].slice(0, room).map(([stage, text]) =>
      `${paint(36, "●")} ${clip(`${stage}${text === "" ? "" : `: ${text}`}`)}`
    );
    if (running.size > room) live.push(`  and ${running.size - room} more`);
    const left = estimate === null ? 0 : (estimate.end - Date.now()) / 1000;
    if (running.size > 0 && left > 0) live.push(paint(2, clip(estimateText(left))));
    const up = drawn === 0 ? "" : `\x1b[${drawn}A\x1b[J`;
    write(up + [...lines, ...live].map((line) => `${line}\n`).join(""));
    drawn = live.length;
  }
  return (event) => {
    if (event.type === "start") running.set(event.stage, "");
    if (event.type === "estimate") {
      estimate = { end: Date.now() + 1000 * event.seconds };
      return draw([], false);
    }
    if (event.type === "items" || event.type === "progress") {
      if (running.has(event.stage)) running.set(event.stage, pace(event));
      return draw([], false);
    }
    if (event.type === "done" || event.type === "failed") running.delete(event.stage);
    if (event.type === "end") running.clear();
    const line = lineOf(event);
    if (line === null) return draw([], event.type === "start");
    const mark = event.type === "failed" ? paint(31, "✗ ") : event.type === "done" ? paint(32, "✓ ") : "";
    draw([mark + line], true);
  };
}

/** The live tree on a terminal, plain lines elsewhere; `NO_COLOR` is respected. */
export function defaultReporter(): Reporter {
  if (!Deno.stderr.isTerminal()) return plainReporter();
  return treeReporter(toStderr, { color: !Deno.noColor });
}

/** "1m 05s", "3.2 s". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  const rest = `${String(minutes).padStart(hours > 0 ? 2 : 1, "0")}m ${String(whole % 60).padStart(2, "0")}s`;
  return hours > 0 ? `${hours}h ${rest}` : rest;
}

function lineOf(event: PipelineEvent): string | null {
  switch (event.type) {
    case "done":
      // a stage with nothing to do is counted at the end, not announced
      return event.executed === 0
        ? null
        : `${event.stage}: ${countText(event)} in ${duration(event.seconds)}${waitText(event.waited)}`;
    case "failed":
      return `${event.stage}: FAILED: ${event.message}`;
    case "log":
      return `${event.stage}: ${event.message}`;
    case "wait":
      if ("gpu" in event) return `${event.stage}: another run has the GPU; waiting for it`;
      return `${event.stage}: another run is computing ${event.items} of the same items; waiting for it`;
    case "retry":
      return `${event.stage}: attempt ${event.attempt} of ${event.attempts} failed: ${event.message}; trying again`;
    case "warning":
      return `warning: ${event.message}`;
    case "end":
      return endText(event);
    default:
      return null;
  }
}

function countText({ cached, skipped, total }: StageCount): string {
  if (total === 1 && skipped === 0) return "done";
  const parts = [`${total - skipped} done`];
  if (skipped > 0) parts.push(`${skipped} skipped`);
  return parts.join(", ") + (cached > 0 ? ` (${cached} kept from before)` : "");
}

/** What failed, and what did not come to an end for it. */
export function failureText({ failed, unfinished }: Pick<Summary, "failed" | "unfinished">): string {
  const rest = unfinished.length === 0 ? "" : `; not made: ${unfinished.join(", ")}`;
  return `failed: ${failed.join(", ")}${rest}`;
}

/** What a stage waited for beside its inputs, where that was a second or more. */
export function waitText(waited: Waits | undefined): string {
  if (waited === undefined) return "";
  const { gpu, others, cores } = waited;
  const names = [["the GPU", gpu], ["another run", others], ["a core", cores]] as const;
  const parts = names.flatMap(([name, seconds]) => seconds >= 1 ? [`${duration(seconds)} for ${name}`] : []);
  return parts.length === 0 ? "" : `, after waiting ${parts.join(" and ")}`;
}

function estimateText(seconds: number): string {
  return `about ${duration(Math.max(1, Math.round(seconds))).replace(".0 s", " s")} left, by earlier runs`;
}

function endText({ status, executed, cached, skipped, seconds, failed, unfinished }: Summary): string {
  const words = { done: "done", failed: "failed", aborted: "interrupted; finished work is kept" };
  const missed = skipped > 0 ? `, ${skipped} skipped` : "";
  const counts = `${words[status]}: ${executed} executed, ${cached} cached${missed}, ${duration(seconds)}`;
  if (status !== "failed" || failed.length === 0) return counts;
  return `${counts}\n${failureText({ failed, unfinished })}`;
}

type Advance = Extract<PipelineEvent, { type: "items" | "progress" }>;

/**
 * Says how far each stage is and, once it can, how fast it goes and how long it will take: from its first finished
 * item on, before which it may have waited or compiled.
 */
function paces(): (event: Advance) => string {
  const firsts = new Map<string, { readonly fresh: number; readonly time: number }>();
  return (event) => {
    const fresh = event.type === "items" ? event.executed : event.done;
    const done = event.type === "items" ? event.executed + event.cached : event.done;
    const now = Date.now();
    const first = firsts.get(event.stage);
    if (first === undefined && fresh > 0) firsts.set(event.stage, { fresh, time: now });
    const since = fresh - (first?.fresh ?? fresh);
    if (since <= 0) return `${done}/${event.total}`;
    const rate = since / Math.max((now - first!.time) / 1000, 1e-3);
    const speed = rate >= 1 ? `${rate.toFixed(1)}/s` : `${(1 / rate).toFixed(1)} s each`;
    return `${done}/${event.total}, ${speed}, ${duration((event.total - done) / rate)} left`;
  };
}

/** A live line must not wrap, or it could not be redrawn; two columns go to its mark. */
function clip(line: string): string {
  const width = consoleSize().columns - 2;
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

function consoleSize(): { readonly columns: number; readonly rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: Math.max(columns, 20), rows: Math.max(rows, 4) };
  } catch {
    return { columns: 120, rows: 40 };
  }
}

function toStderr(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
