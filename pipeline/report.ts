/**
 * What a run says while it runs: events, and the ways to show them (a live tree, plain lines, JSON lines). The tree is
 * drawn by hand: listr2 shows just tasks that it runs itself, and log-update, which would replace ten lines, needs
 * six packages.
 */

/** How a stage stands. Counts are of items (a whole stage is one item). */
export interface StageCount {
  readonly total: number;
  readonly executed: number;
  readonly cached: number;
  /** Of those, items without a result. */
  readonly skipped: number;
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
  | ({ readonly type: "done"; readonly stage: string; readonly seconds: number } & StageCount)
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
  readonly stages: Readonly<Record<string, StageCount & { readonly seconds: number }>>;
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
  return (event) => {
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
  let drawn = 0;
  let last = 0;
  const paint = (code: number, text: string) => color ? `\x1b[${code}m${text}\x1b[0m` : text;
  function draw(lines: readonly string[], force: boolean): void {
    if (!force && Date.now() - last < 80) return;
    last = Date.now();
    // no more than can be redrawn: the cursor does not go above the screen
    const room = consoleSize().rows - 2;
    const live = [...running].slice(0, room).map(([stage, text]) =>
      `${paint(36, "●")} ${clip(`${stage}${text === "" ? "" : `: ${text}`}`)}`
    );
    if (running.size > room) live.push(`  and ${running.size - room} more`);
    const up = drawn === 0 ? "" : `\x1b[${drawn}A\x1b[J`;
    write(up + [...lines, ...live].map((line) => `${line}\n`).join(""));
    drawn = live.length;
  }
  return (event) => {
    if (event.type === "start") running.set(event.stage, "");
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
      return event.executed === 0 ? null : `${event.stage}: ${countText(event)} in ${duration(event.seconds)}`;
    case "failed":
      return `${event.stage}: FAILED: ${event.message}`;
    case "log":
      return `${event.stage}: ${event.message}`;
    case "wait":
      if ("gpu" in event) return `${event.stage}: another run has the GPU; waiting for it`;
      return `${event.stage}: another run is computing ${event.items} of the same items; waiting for it`;
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

function endText({ status, executed, cached, skipped, seconds }: Summary): string {
  const words = { done: "done", failed: "failed", aborted: "interrupted; finished work is kept" };
  const missed = skipped > 0 ? `, ${skipped} skipped` : "";
  return `${words[status]}: ${executed} executed, ${cached} cached${missed}, ${duration(seconds)}`;
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
