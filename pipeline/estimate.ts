/**
 * About how long a run has to go, by what the same stages took in earlier runs: each stage after its inputs, those that
 * need the one GPU one after the other; but not less than all work takes on all cores.
 */
import type { StageNode } from "./artifact.ts";
import type { Plan, Vertex } from "./plan.ts";
import type { Reporter, StageReport } from "./report.ts";
import { requestOf } from "./resources.ts";
import { latestRuns } from "./run_record.ts";

/** What is known of earlier runs: a stage's last report with something executed, by label. */
type Earlier = (label: string) => StageReport | undefined;

/** How far a run has come. */
export interface Progress {
  /** What stages have come to so far. */
  readonly stages: ReadonlyMap<string, StageReport>;
  /** Labels of stages that have come to their end. */
  readonly done: ReadonlyMap<string, unknown>;
  readonly earlier: Earlier;
  readonly jobs: number;
}

/** Seconds to go; null where a stage that may have to run never ran before. */
export async function secondsLeft({ vertices }: Plan, progress: Progress): Promise<number | null> {
  const ends = new Map<Vertex, number>();
  let [last, gpuFree, work] = [0, 0, 0];
  for (const vertex of vertices) {
    const { node, label, inputs } = vertex;
    const seconds = node.type !== "stage" || progress.done.has(label) ? 0 : ownSeconds(label, progress);
    if (seconds === null) return null;
    let start = Math.max(0, ...Object.values(inputs).map((input) => ends.get(input) ?? 0));
    if (seconds > 0 && node.type === "stage") {
      const request = await requestOf(node.stage.resources);
      work += seconds * coresOf(node, { items: progress.earlier(label)?.total ?? 1, ...request, jobs: progress.jobs });
      if (request.gpu === true) {
        start = Math.max(start, gpuFree);
        gpuFree = start + seconds;
      }
    }
    ends.set(vertex, start + seconds);
    last = Math.max(last, start + seconds);
  }
  return Math.max(last, work / progress.jobs);
}

function ownSeconds(label: string, { stages, earlier }: Progress): number | null {
  const before = earlier(label);
  if (before === undefined) return null;
  const now = stages.get(label);
  const each = before.seconds / before.executed;
  if (now === undefined) return each * before.total;
  const left = each * (now.total - now.executed - now.cached);
  // a stage of one item says nothing of how far it has come
  return now.total === 1 ? Math.max(0, left - now.seconds) : left;
}

/** How many cores a stage keeps busy. */
function coresOf(
  { stage }: StageNode,
  { items, jobs, gpu = false, cores = 1 }: {
    readonly items: number;
    readonly jobs: number;
    readonly gpu?: boolean;
    readonly cores?: number;
  },
): number {
  return gpu ? Math.min(cores, jobs) : Math.min(jobs, cores * Math.ceil(items / stage.batch));
}

/** What is told how long the run has to go. */
export interface Watch {
  readonly root: string;
  /** How far the run has come by now. */
  readonly progress: () => Omit<Progress, "earlier">;
  readonly emit: Reporter;
}

/** When a run is first looked at, which shorter ones do not live to see, and then again, in ms. */
const [FIRST, AGAIN] = [1000, 5000];
/** How many earlier runs are asked. */
const RUNS = 20;

/** Tells how long a run has to go, from a second after its start on; call the result when it has ended. */
export function watchEstimate(plan: Plan, { root, emit, progress }: Watch): () => void {
  let earlier: Earlier | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  async function look(): Promise<void> {
    earlier ??= earlierReports(root);
    const seconds = await secondsLeft(plan, { ...progress(), earlier });
    if (ended) return;
    if (seconds !== null && seconds > 0) emit({ type: "estimate", seconds });
    wait(AGAIN);
  }
  function wait(milliseconds: number): void {
    timer = setTimeout(
      () => look().catch((error) => emit({ type: "warning", message: `no estimate: ${error}` })),
      milliseconds,
    );
  }
  wait(FIRST);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

function earlierReports(root: string): Earlier {
  const reports = new Map<string, StageReport>();
  // read as far back as is asked
  const runs = latestRuns(root).take(RUNS);
  return (label) => {
    while (!reports.has(label)) {
      const { done, value } = runs.next();
      if (done) break;
      for (const [label, report] of Object.entries(value.summary.stages)) {
        if (report.executed > 0 && !reports.has(label)) reports.set(label, report);
      }
    }
    return reports.get(label);
  };
}
