/** Makes targets: starts the graph's stages, and brings the run to its end, good or bad. */
import type { Artifact } from "./artifact.ts";
import { AbortedError } from "./errors.ts";
import { planOf } from "./plan.ts";
import type { Summary } from "./report.ts";
import { beginRun, writeRunRecord } from "./run_record.ts";
import { openRunner, type Stages } from "./runner.ts";
import { openSession, type Options } from "./session.ts";
import { openTree, type Tree } from "./tree.ts";

/** Targets as readable trees, and what it took. */
export interface Reproduction<T> {
  readonly trees: { readonly [Name in keyof T]: Tree };
  readonly summary: Summary;
}

/** How long an interrupted stage may take to come to an end before it is abandoned, in ms. */
const GRACE = 1400;

/**
 * Computes what the targets need and is not recorded yet, and returns the targets' trees.
 * @throws {AbortedError} when the signal stopped it, {@link StageError} when a stage failed, and as errors.ts lists.
 */
export async function reproduce<T extends Readonly<Record<string, Artifact>>>(
  targets: T,
  options: Options = {},
): Promise<Reproduction<T>> {
  const plan = planOf(targets);
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  using session = await openSession(plan, { ...options, signal });
  const run = beginRun(session.store);
  const { started } = run;
  const runner = openRunner(session, run);
  const deadline = openDeadline(signal);
  session.emit({
    type: "plan",
    stages: plan.vertices.flatMap(({ node, label }) => node.type === "stage" ? [label] : []),
  });

  async function end(status: Summary["status"]): Promise<Summary> {
    const summary = summarise({ status, started, stages: runner.stages });
    try {
      await writeRunRecord(session, { run, summary, plan, keys: runner.keys, trees: runner.trees });
    } catch (error) {
      // must not hide what ended the run
      session.emit({ type: "warning", message: `no record of this run could be written: ${error}` });
    }
    session.emit({ type: "end", ...summary });
    return summary;
  }
  try {
    for (const vertex of plan.vertices) runner.start(vertex).catch(() => stop.abort());
    const wanted = Promise.all([...plan.targets.values()].map((vertex) => runner.complete(vertex)));
    await Promise.race([wanted, deadline.passed]);
    session.checkOpen();
    const entries = await Promise.all(
      [...plan.targets].map(async ([name, vertex]) => {
        const { listing, source } = await runner.start(vertex);
        return [name, openTree(listing(), { store: session.store, source })];
      }),
    );
    return { trees: Object.fromEntries(entries), summary: await end("done") };
  } catch (error) {
    // the first failure stopped the others; report that one, after they have had their time
    stop.abort();
    await Promise.race([runner.settled(), deadline.passed.catch(() => null)]);
    const first = runner.failure() ?? error;
    const aborted = options.signal?.aborted === true && (first instanceof AbortedError || first === error);
    const summary = await end(aborted ? "aborted" : "failed");
    if (!aborted) throw first;
    throw new AbortedError(`interrupted: ${summary.executed} results of this run are kept; run again to go on`);
  } finally {
    deadline.cancel();
  }
}

/** Rejects some time after the signal is aborted, unless it is cancelled before. */
function openDeadline(signal: AbortSignal): { readonly passed: Promise<never>; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = () => {};
  const passed = new Promise<never>((_, reject) => {
    wait = () => timer = setTimeout(() => reject(new AbortedError("interrupted")), GRACE);
    if (signal.aborted) wait();
    else signal.addEventListener("abort", wait, { once: true });
  });
  passed.catch(() => null);
  return {
    passed,
    cancel() {
      signal.removeEventListener("abort", wait);
      clearTimeout(timer);
    },
  };
}

function summarise(run: { status: Summary["status"]; started: number; stages: Stages }): Summary {
  const rows = [...run.stages.values()];
  const sum = (field: "executed" | "cached" | "skipped") => rows.reduce((total, row) => total + row[field], 0);
  return {
    status: run.status,
    seconds: (Date.now() - run.started) / 1000,
    executed: sum("executed"),
    cached: sum("cached"),
    skipped: sum("skipped"),
    stages: Object.fromEntries(run.stages),
  };
}
