/** Makes targets: starts the graph's stages, and brings the run to its end, good or bad. */
import type { Artifact } from "./artifact.ts";
import { AbortedError, messageOf, PipelineError, type StageError, StoreError } from "./errors.ts";
import { watchEstimate } from "./estimate.ts";
import { openJournal } from "./journal.ts";
import { watchLost } from "./lost.ts";
import { watchMemory } from "./memory.ts";
import { didYouMean } from "./nearest_name.ts";
import { type Plan, planOf, type Vertex } from "./plan.ts";
import { defaultReporter, failureText, type Summary } from "./report.ts";
import { beginRun, writeRunRecord } from "./run_record.ts";
import { openRunner, type Stages } from "./runner.ts";
import { openSession, type Options } from "./session.ts";
import { openTree, type Tree } from "./tree.ts";

/** Targets as readable trees, and what it took. */
export interface Reproduction<T> {
  readonly trees: { readonly [Name in keyof T]: Tree };
  readonly summary: Summary;
  /** The run's id; null where no record of it could be written. */
  readonly run: string | null;
}

/** Stages failed in a run that was to go on without them. */
export class UnfinishedError extends PipelineError {
  override name = "UnfinishedError";
  /** What was made nevertheless. */
  readonly made: Omit<Reproduction<unknown>, "trees"> & { readonly trees: Readonly<Record<string, Tree>> };
  constructor(errors: readonly unknown[], made: UnfinishedError["made"]) {
    const messages = errors.map(messageOf);
    super([...messages, failureText(made.summary)].join("\n"), { cause: errors[0] });
    this.made = made;
  }
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
  const origin = performance.now();
  const plan = planOf(targets);
  const force = labelsOf(plan, options.force ?? []);
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const { reporter, linesOf } = openJournal(options.reporter ?? defaultReporter());
  using session = await openSession(plan, { ...options, reporter, signal });
  using memory = watchMemory();
  const run = beginRun(session.store);
  const { started } = run;
  const runner = openRunner(session, { run, memory, origin, force });
  const deadline = openDeadline(signal);
  const labels = stageLabels(plan);
  session.emit({ type: "plan", stages: labels });
  const { emit, jobs, store: { root } } = session;
  const progress = () => ({ stages: runner.stages, done: runner.trees, jobs });
  const endEstimate = watchEstimate(plan, { root, emit, progress });

  let lost: StageError | null = null;
  const endLost = watchLost({
    running: () => [...session.running],
    fail(error) {
      lost ??= error;
      session.fail(error);
      session.emit({ type: "failed", stage: error.stage, message: error.message });
      stop.abort();
    },
  });
  let id: string | null = null;
  let made: Readonly<Record<string, Tree>> = {};

  async function treeOf([name, vertex]: [name: string, vertex: Vertex]): Promise<[name: string, tree: Tree]> {
    const { listing, source } = await runner.complete(vertex);
    return [name, openTree(listing(), { store: session.store, source })];
  }
  async function end(status: Summary["status"]): Promise<Summary> {
    endEstimate();
    const failed = [...runner.failed.keys()];
    const unfinished = labels.filter((label) => !runner.trees.has(label) && !failed.includes(label));
    const summary = { ...summarise({ status, started, stages: runner.stages }), failed, unfinished };
    try {
      const { keys, trees, spans } = runner;
      const about = options.about === undefined ? {} : { about: options.about };
      id = await writeRunRecord(session, { run, summary, plan, keys, trees, spans, linesOf, ...about });
    } catch (error) {
      // must not hide what ended the run
      session.emit({ type: "warning", message: `no record of this run could be written: ${messageOf(error)}` });
    }
    session.emit({ type: "end", ...summary });
    return summary;
  }
  try {
    for (const vertex of plan.vertices) {
      runner.start(vertex).catch((error) => {
        // without a disk nothing can go on
        if (options.keepGoing !== true || error instanceof StoreError) stop.abort();
      });
    }
    if (options.keepGoing === true) {
      await Promise.race([runner.settled(), deadline.passed]);
      const tried = await Promise.allSettled([...plan.targets].map(treeOf));
      made = Object.fromEntries(tried.flatMap((one) => one.status === "fulfilled" ? [one.value] : []));
    }
    const wanted = Promise.all([...plan.targets].map(treeOf));
    const trees = Object.fromEntries(await Promise.race([wanted, deadline.passed]));
    session.checkOpen();
    return { trees: trees as Reproduction<T>["trees"], summary: await end("done"), run: id };
  } catch (error) {
    // the first failure stopped the others; report that one, after they have had their time
    stop.abort();
    await Promise.race([runner.settled(), deadline.passed.catch(() => null)]);
    const first = lost ?? runner.failure() ?? error;
    const aborted = options.signal?.aborted === true && (first instanceof AbortedError || first === error);
    const summary = await end(aborted ? "aborted" : "failed");
    if (options.keepGoing === true && lost === null && !aborted && summary.failed.length > 0) {
      throw new UnfinishedError([...runner.failed.values()], { trees: made, summary, run: id });
    }
    if (!aborted) throw first;
    throw new AbortedError(`interrupted: ${summary.executed} results of this run are kept; run again to go on`);
  } finally {
    endEstimate();
    endLost();
    deadline.cancel();
  }
}

function stageLabels({ vertices }: Plan): readonly string[] {
  return vertices.flatMap(({ node, label }) => node.type === "stage" ? [label] : []);
}

/** Labels of the stages that some names mean: a label, or a stage's name, which means all its uses. */
function labelsOf(plan: Plan, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const labels = plan.vertices.flatMap(({ node, label }) =>
      node.type === "stage" && (label === name || node.stage.name === name) ? [label] : []
    );
    if (labels.length > 0) return labels;
    throw new PipelineError(`there is no stage "${name}" to force; ${didYouMean(name, stageLabels(plan))}`);
  });
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

function summarise(
  run: { status: Summary["status"]; started: number; stages: Stages },
): Omit<Summary, "failed" | "unfinished"> {
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
