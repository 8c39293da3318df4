/**
 * Where a stage's time goes. A stage works on several batches at once, so each moment counts once: as work if any of
 * its batches runs, else as a wait for what it lacks. What is added up is wall time.
 */

/** What a stage does at a moment; where several hold, the first one here counts. */
const STATES = ["work", "gpu", "others", "cores"] as const;
type Activity = typeof STATES[number];

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
    const state = STATES.find((state) => active[state] > 0);
    if (state !== undefined) sums[state] += time - last;
    if (state === "work") spans = extend(spans, { from: last - origin, to: time - origin });
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
    read() {
      advance();
      const { work, gpu, others, cores } = sums;
      const waited = { inputs: began - origin, gpu, others, cores };
      return {
        seconds: work / 1000,
        waited: seconds(waited),
        spans: spans.map(([from, to]): Span => [from / 1000, to / 1000]),
      };
    },
  };
}

function seconds(waits: Waits): Waits {
  const { inputs, gpu, others, cores } = waits;
  return { inputs: inputs / 1000, gpu: gpu / 1000, others: others / 1000, cores: cores / 1000 };
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
