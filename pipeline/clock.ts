/**
 * Where a stage's time goes. A stage works on several batches at once, so each moment counts once: as work if any of
 * its batches runs, else as a wait for what it lacks. What is added up is wall time.
 */

/** What a stage does at a moment; where several hold, the first one here counts. */
type Activity = "work" | "gpu" | "others" | "cores";

/** Seconds that a stage waited: for its inputs, the GPU, another run that makes the same, cores or memory. */
export interface Waits {
  readonly inputs: number;
  readonly gpu: number;
  readonly others: number;
  readonly cores: number;
}

/** A moment's start and end, in seconds since the run began. */
export type Span = readonly [from: number, to: number];

/** What a clock shows. */
export interface Times {
  /** Seconds of work. */
  readonly seconds: number;
  readonly waited: Waits;
  /** When it worked; gaps too short to be seen are closed. */
  readonly spans: readonly Span[];
}

/** A stage's clock. */
export interface Clock {
  /** Says what something of the stage does from now on; call the result when that ends. */
  enter(activity: Activity): () => void;
  /** Seconds of work so far. */
  seconds(): number;
  read(): Times;
}

/** Spans that a clock keeps at most. */
const SPANS = 64;

/** Starts a clock for a stage whose inputs have just become known; `origin` is when the run began, by `now`. */
export function openClock({ origin, now = performance.now.bind(performance) }: {
  readonly origin: number;
  readonly now?: () => number;
}): Clock {
  const active = { work: 0, gpu: 0, others: 0, cores: 0 };
  const sums = { work: 0, gpu: 0, others: 0, cores: 0 };
  const began = now();
  let last = began;
  let spans: [from: number, to: number][] = [];

  function advance(): void {
    const time = now();
    if (active.work > 0) {
      sums.work += time - last;
      spans = extend(spans, { from: last - origin, to: time - origin });
    } else if (active.gpu > 0) sums.gpu += time - last;
    else if (active.others > 0) sums.others += time - last;
    else if (active.cores > 0) sums.cores += time - last;
    last = time;
  }
  return {
    enter(activity) {
      advance();
      active[activity]++;
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        advance();
        active[activity]--;
      };
    },
    seconds() {
      advance();
      return seconds(sums.work);
    },
    read() {
      advance();
      const { work, gpu, others, cores } = sums;
      return {
        seconds: seconds(work),
        waited: {
          inputs: seconds(began - origin),
          gpu: seconds(gpu),
          others: seconds(others),
          cores: seconds(cores),
        },
        spans: spans.map(([from, to]): Span => [seconds(from), seconds(to)]),
      };
    },
  };
}

/** Milliseconds as seconds, to a tenth of a millisecond: more digits would only make records longer. */
function seconds(milliseconds: number): number {
  return Math.round(10 * milliseconds) / 10_000;
}

/** Adds a span at the end; where there are too many, closes the shortest half of the gaps. */
function extend(
  spans: [from: number, to: number][],
  { from, to }: { readonly from: number; readonly to: number },
): [from: number, to: number][] {
  const end = spans.at(-1);
  if (end !== undefined && from <= end[1]) {
    end[1] = to;
    return spans;
  }
  spans.push([from, to]);
  if (spans.length <= SPANS) return spans;
  const gaps = spans.slice(1).map(([start], index) => start - spans[index]![1]).sort((a, b) => a - b);
  const least = gaps[gaps.length >> 1]!;
  const merged: [from: number, to: number][] = [];
  for (const span of spans) {
    const before = merged.at(-1);
    if (before !== undefined && span[0] - before[1] <= least) before[1] = span[1];
    else merged.push(span);
  }
  return merged;
}
