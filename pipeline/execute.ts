/** Brings a stage's missing actions to an end: locks, lanes, resources. */
import { type Batch, keepBatch, runBatch, shareOf } from "./batch.ts";
import { AbortedError, asStageError, messageOf, PipelineError, StageError } from "./errors.ts";
import { DamagedInput } from "./failure.ts";
import { type Action, actionsOf, type Job, usableRecord } from "./job.ts";
import { type Lock, tryLock } from "./locks.ts";
import { fileAndFolder } from "./path.ts";
import { requestOf } from "./resources.ts";
import type { ActionRecord } from "./state.ts";
import { type Listing, sortListing } from "./tree.ts";

/** Lanes of a stage for each batch that the cores allow at once. */
const LANES = 4;

/** Executes what has no usable record and assembles the stage's listing. Throws {@link DamagedInput}. */
export async function execute(job: Job): Promise<Listing> {
  const { session, label } = job;
  const actions = actionsOf(job);
  const records = new Map<string, ActionRecord>();
  const tally = { total: actions.length, executed: 0, cached: 0, skipped: 0 };
  for (const action of actions) {
    const record = recordOf(action, job);
    if (record === null) continue;
    records.set(action.key, record);
    tally.cached++;
    tally.skipped += record.skipped.length;
  }
  const todo = actions.filter(({ key }) => !records.has(key));
  job.count({ ...tally });
  session.emit({ type: "start", stage: label, total: actions.length, todo: todo.length });
  const settle = (record: ActionRecord, how: "executed" | "cached") => {
    records.set(record.key, record);
    tally[how]++;
    tally.skipped += record.skipped.length;
    job.count({ ...tally });
    session.emit({ type: "items", stage: label, seconds: job.clock.seconds(), ...tally });
  };
  if (todo.length > 0) await burst(todo, { job, settle });
  return assemble(actions.map(({ key }) => records.get(key)), label);
}

/** What is recorded of an action and may be used. */
function recordOf(action: Action, { again = false, session }: Job): ActionRecord | null {
  return again ? null : usableRecord(action, session);
}

function assemble(records: readonly (ActionRecord | undefined)[], label: string): Listing {
  const made = records.map((record) => {
    if (record === undefined) throw new PipelineError(`stage "${label}": an item came to no result; run again`);
    return record;
  });
  const listing = sortListing({
    files: made.flatMap(({ files }) => files),
    skipped: made.flatMap(({ skipped }) => skipped),
  });
  for (const [index, [path]] of listing.files.entries()) {
    if (listing.files[index + 1]?.[0] === path) throw new StageError(label, `two items wrote "${path}"`);
  }
  const both = fileAndFolder(listing.files.map(([path]) => path));
  if (both !== null) throw new StageError(label, `one item wrote the file "${both}", another has it as a folder`);
  return listing;
}

interface BurstOptions {
  readonly job: Job;
  readonly settle: (record: ActionRecord, how: "executed" | "cached") => void;
}

/** Works off a queue of actions in lanes that share what `open` returned. */
async function burst(todo: readonly Action[], { job, settle }: BurstOptions): Promise<void> {
  const { node: { stage }, session, label, clock } = job;
  const { gpu = false, cores = 1, memoryMiB = 0 } = await requestOf(stage.resources).catch((error) => {
    throw asStageError(error, { stage: label, what: "the question whether it needs the GPU" });
  });
  const shared = shareOf(job, { gpu });
  const leaveQueue = clock.enter(gpu ? "gpu" : "cores");
  const releaseGpu = await session.pool.take({ gpu }, () => session.emit({ type: "wait", stage: label, gpu: true }))
    .finally(leaveQueue);
  // last first, so that taking one costs nothing
  let queue = todo.toReversed();
  let busy: Action[] = [];
  let failure: { error: unknown } | null = null;

  /** Locks up to a batch of actions; takes over what another process has finished meanwhile. */
  function claim(claimed: { action: Action; lock: Lock }[]): void {
    if (queue.length === 0) [queue, busy] = [busy.toReversed(), []];
    while (claimed.length < stage.batch) {
      const action = queue.pop();
      if (action === undefined) return;
      const lock = tryLock(`${session.store.root}/locks/${action.key}`);
      if (lock === null) {
        busy.push(action);
        continue;
      }
      // from here on the lane gives it up, whatever happens
      claimed.push({ action, lock });
      const record = recordOf(action, job);
      if (record === null) continue;
      claimed.pop();
      lock[Symbol.dispose]();
      settle(record, "cached");
    }
  }
  const left = () => queue.length + busy.length;
  // the GPU does not say whose work went wrong, so what it did beside a batch that fails is in doubt
  const doubtful = () => gpu && shared.failing;
  const goesOn = () => failure === null && !doubtful() && !session.signal.aborted;
  /** The first failure is that of the stage; another one is told, since it may be the cause of the first. */
  function fail(error: unknown): void {
    if (failure === null) failure = { error };
    else if (!(error instanceof AbortedError || error instanceof DamagedInput)) {
      session.emit({ type: "log", stage: label, message: `this failed, too: ${messageOf(error)}` });
    }
  }
  async function lane(): Promise<void> {
    for (let idle = 0; left() > 0 && goesOn();) {
      const granted = clock.enter("cores");
      const release = await session.pool.take({ cores, memoryMiB });
      granted();
      const rest = workOn(job);
      const claimed: { action: Action; lock: Lock }[] = [];
      try {
        if (goesOn()) claim(claimed);
        if (claimed.length > 0) {
          idle = 0;
          const batch = await attempt(claimed.map(({ action }) => action), { job, shared });
          if (doubtful()) {
            for (const { sink } of batch.products) sink.discard();
            continue;
          }
          // the disk is waited for without a core
          const flushed = await session.disk.take({ cores: 1 });
          release();
          try {
            for (const record of await keepBatch(batch)) settle(record, "executed");
          } finally {
            flushed();
          }
        }
      } catch (error) {
        fail(error);
      } finally {
        for (const { lock } of claimed) lock[Symbol.dispose]();
        release();
        rest();
      }
      if (claimed.length === 0 && left() > 0) {
        if (idle++ === 4) session.emit({ type: "wait", stage: label, items: left() });
        const waited = clock.enter("others");
        await new Promise((resolve) => setTimeout(resolve, Math.min(20 * idle, 300)));
        waited();
      }
    }
  }
  // more than there are cores, so that some can wait for the disk; the pool says how many run
  const most = gpu ? gpuLanes(stage) : LANES * Math.max(1, Math.floor(session.jobs / cores));
  session.running.add(label);
  try {
    // all of them come to their end, as what they share is closed afterwards
    const count = Math.min(most, Math.ceil(todo.length / stage.batch));
    await Promise.all(Array.from({ length: count }, () => lane().catch(fail)));
    await shared.close().catch(fail);
  } finally {
    session.running.delete(label);
    releaseGpu();
  }
  rethrow(failure);
  session.checkAborted();
}

/**
 * Two, so that one batch is read and written while the other is on the GPU; one where a failed batch is tried again,
 * since an error of the GPU may be that of the other.
 */
function gpuLanes({ retries }: Job["node"]["stage"]): number {
  return retries === 0 ? 2 : 1;
}

/** Notes that a lane works; call the result when it does not. */
function workOn({ clock, memory }: Job): () => void {
  const ends = [clock.enter("work"), memory.follow()];
  return () => ends.forEach((end) => end());
}

/** As {@link runBatch}; what a stage allows to be tried again is. */
function attempt(actions: readonly Action[], options: Parameters<typeof runBatch>[1]): Promise<Batch> {
  return options.job.node.stage.retries === 0 ? runBatch(actions, options) : attempts(actions, options);
}

async function attempts(actions: readonly Action[], options: Parameters<typeof runBatch>[1]): Promise<Batch> {
  const { session, label, node: { stage: { retries } } } = options.job;
  for (let count = 1;; count++) {
    try {
      return await runBatch(actions, options);
    } catch (error) {
      if (!(error instanceof StageError) || count > retries || session.signal.aborted) throw error;
      options.shared.failing = false;
      session.emit({ type: "retry", stage: label, attempt: count, attempts: retries + 1, message: error.message });
    }
  }
}

function rethrow(failure: { error: unknown } | null): void {
  if (failure !== null) throw failure.error;
}
