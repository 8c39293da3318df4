/** Calls a stage's function on some actions: inputs checked before and after, outputs checked, records written last. */
import { checkAhead, commit, quarantine } from "./blobs.ts";
import type { ErasedContext } from "./contract.ts";
import { checkProduct, contextOf, found, type Product } from "./context.ts";
import { asStageError, StageError } from "./errors.ts";
import { asFailure, askGpu, DamagedInput } from "./failure.ts";
import { openHints } from "./hints.ts";
import type { Action, Job } from "./job.ts";
import { OverdueError, withinLimit } from "./limit.ts";
import { forget } from "./records.ts";
import type { Request } from "./resources.ts";
import { groupTrees } from "./roles.ts";
import type { Session } from "./session.ts";
import { type ActionRecord, type FileRow, openState } from "./state.ts";
import { remove } from "./store.ts";
import { corruption, openTree, overwritten, recheck, type Resolved, type Touched, untouched } from "./tree.ts";
import { openSink } from "./writer.ts";

/** What all calls of a stage share: the whole inputs and the opened resource, made when first needed. */
export interface Share {
  /** Whether the calls are on the GPU. */
  readonly gpu: boolean;
  /** What is worked on at the moment. */
  readonly atWork: Set<Action>;
  /** A call has failed: set at once, before anything is asked or waited for, because others go on meanwhile. */
  failing: boolean;
  open(): Promise<unknown>;
  /** Has as long as a call of `run`; throws {@link StageError}. */
  close(): Promise<void>;
  readonly inputs: ErasedContext["inputs"];
  readonly touched: Touched;
}

export function shareOf(
  { node: { stage, params }, inputs, session, label }: Job,
  { gpu = false }: Pick<Request, "gpu">,
): Share {
  const touched = untouched();
  const roles = Object.keys(inputs).filter((role) => !stage.each.includes(role));
  const opened = roles.map((role) => {
    const { listing, source } = found(inputs, role);
    return [role, openTree(listing(), { store: session.store, source, touched })] as const;
  });
  const trees = groupTrees(opened, stage.roles);
  let resource: Promise<unknown> | undefined;
  async function start(): Promise<unknown> {
    await checkInputs(roles.flatMap((role) => inStore(found(inputs, role))), session);
    return await stage.open?.({ inputs: trees, params, signal: session.signal, log: logger(session, label) });
  }
  return {
    gpu,
    atWork: new Set(),
    failing: false,
    inputs: trees,
    touched,
    // a retry opens it again
    open: () =>
      resource ??= start().catch((error) => {
        resource = undefined;
        throw error;
      }),
    async close() {
      if (resource === undefined || stage.close === undefined) return;
      // an overdue one may never be there
      const opening = resource.then((value) => ({ value }), () => null);
      const close = async () => {
        const opened = await opening;
        if (opened !== null) await stage.close?.(opened.value);
      };
      try {
        await withinLimit(close, { seconds: stage.timeLimit, signal: session.signal, leave: true });
      } catch (error) {
        throw asStageError(error, { stage: label, what: "close" });
      }
    },
  };
}

function inStore({ listing, source }: Resolved): readonly FileRow[] {
  return source === null ? listing().files : [];
}

async function checkInputs(files: readonly FileRow[], { store }: Session): Promise<void> {
  const bad: string[] = [];
  for (const [, sha256, size] of files) {
    const state = await checkAhead(store, { sha256, size });
    if (state === "corrupt") quarantine(store, sha256);
    if (state !== "ok") bad.push(sha256);
  }
  if (bad.length > 0) throw new DamagedInput(bad);
}

function logger({ emit }: Session, stage: string): (message: string) => void {
  return (message) => emit({ type: "log", stage, message });
}

interface BatchOptions {
  readonly job: Job;
  readonly shared: Share;
}

/** What a batch made, to be kept in the store and recorded by {@link keepBatch}. */
export interface Batch {
  readonly job: Job;
  readonly products: readonly Product[];
  readonly scratch: string;
  readonly started: number;
  readonly ended: number;
}

/** How many attempts of this process went on after their time was up, by the folder that the first of them has. */
const leftBehind = new Map<string, number>();

/** An overdue attempt may still write to its folder, so the next one gets another. */
function scratchOf(folder: string): string {
  const left = leftBehind.get(folder) ?? 0;
  return left === 0 ? folder : `${folder}-${left}`;
}

/** Runs some locked actions. */
export async function runBatch(actions: readonly Action[], options: BatchOptions): Promise<Batch> {
  const { job } = options;
  const folder = `${job.session.store.root}/scratch/${actions[0]?.key}`;
  const scratch = scratchOf(folder);
  const started = Date.now();
  try {
    const products = await callStage(actions, { ...options, scratch });
    return { job, products, scratch, started, ended: Date.now() };
  } catch (error) {
    if (error instanceof StageError && error.cause instanceof OverdueError) {
      leftBehind.set(folder, (leftBehind.get(folder) ?? 0) + 1);
      // of an earlier process
      remove(scratchOf(folder));
    }
    throw error;
  }
}

/** Makes what a batch made durable, then records it. */
export async function keepBatch({ job, products, scratch, started, ended }: Batch): Promise<readonly ActionRecord[]> {
  const { session, node } = job;
  try {
    await commit(session.store, products.flatMap(({ sink }) => sink.staged));
    const records = products.map(({ action: { key, preimage, item }, sink, skipped }) => {
      return { key, stage: node.stage.name, item, preimage, files: sink.files, skipped, started, ended };
    });
    session.checkOpen();
    session.state.recordActions(records);
    for (const product of products) product.recorded = true;
    remove(scratch);
    return records;
  } catch (error) {
    for (const { sink } of products) sink.discard();
    throw await asFailure(error, { job, actions: products.map(({ action }) => action) });
  }
}

/** Runs some actions and returns what they made, checked but neither visible in the store nor recorded. */
export async function callStage(
  actions: readonly Action[],
  { job, shared, scratch }: BatchOptions & { readonly scratch: string },
): Promise<readonly Product[]> {
  const { node: { stage, params }, inputs, session, label } = job;
  const touched = untouched();
  const products = actions.map((action): Product => {
    return { action, sink: openSink(session.store, action), skipped: [], recorded: false };
  });
  let listened = false;
  for (const action of actions) shared.atWork.add(action);
  try {
    const files = actions.flatMap(({ files }) => Object.entries(files));
    await checkInputs(files.flatMap(([role, rows]) => found(inputs, role).source === null ? rows : []), session);
    const common = (resource: unknown, signal: AbortSignal) => ({
      inputs: shared.inputs,
      params,
      resource,
      log: logger(session, label),
      hints: (name: string) => openHints(session.store, name),
      progress: (done: number, total: number) => session.emit({ type: "progress", stage: label, done, total }),
      get signal() {
        listened = true;
        return signal;
      },
      get scratch() {
        Deno.mkdirSync(scratch, { recursive: true });
        return scratch;
      },
    });
    const run = async (signal: AbortSignal) =>
      await stage.run(contextOf(common(await shared.open(), signal), { job, products, touched }));
    await session.checkLoaded(job.node);
    const started = Date.now();
    await withinLimit(run, { seconds: stage.timeLimit, signal: session.signal });
    for (const product of products) product.sink.seal((what) => late(product, { job, what, started }));
    // a stage that listens to the signal may have returned early: what it wrote may be partial
    if (listened) session.checkAborted();
    if (shared.gpu) await askGpu(job);
    await session.checkCode(job.node);
    for (const product of products) checkProduct(label, product);
    for (const read of [touched, shared.touched]) await checkRead(read, { session, label });
    return products;
  } catch (error) {
    shared.failing = true;
    for (const { sink } of products) {
      // it may go on in the background
      if (error instanceof OverdueError) sink.seal((what) => new StageError(label, `${what} after its time was up`));
      sink.discard();
    }
    const damaged = corruption(error)?.sha256 ?? "";
    // it was whole when the stage was given its path
    if ([touched, shared.touched].some(({ stored }) => stored.has(damaged))) throw writtenOver(label, [damaged]);
    throw await asFailure(error, { job, actions, shared });
  } finally {
    for (const action of actions) shared.atWork.delete(action);
  }
}

/** Throws where something that a stage read is not what it was when its hash entered the key. */
async function checkRead(touched: Touched, { session, label }: Pick<Job, "session" | "label">): Promise<void> {
  if (touched.sources.size > 0) await recheck(touched);
  if (touched.stored.size === 0) return;
  const damaged = await overwritten(touched, session.store);
  if (damaged.length > 0) throw writtenOver(label, damaged);
}

/** Running the stage again would only repeat it. */
function writtenOver(label: string, shas: readonly string[]): StageError {
  const what = `its stored input ${shas.join(", ")} was written over while it ran`;
  return new StageError(
    label,
    `${what}; a stage must not write to a path that file() gave it, but to a copy in scratch`,
  );
}

interface Lateness {
  readonly job: Job;
  /** What it did: 'wrote "a.txt"'. */
  readonly what: string;
  /** When the call began, in ms since the epoch. */
  readonly started: number;
}

/** A stage that goes on after it has returned: what it made is not whole, so the run fails and its records go. */
function late({ action: { key, item }, recorded }: Product, { job, what, started }: Lateness): StageError {
  const { session, label, node: { stage } } = job;
  const message = `${what} after it had returned: is an "await" missing? Its result is not recorded`;
  const error = new StageError(label, message, { items: item === null ? [] : [item] });
  session.fail(error);
  if (!recorded) return error;
  // the run may be over, and its database closed
  using state = openState(session.store.root, { warn: (message) => session.emit({ type: "warning", message }) });
  const nodes = state.recentNodes(stage.name, Number.MAX_SAFE_INTEGER).filter(({ ended }) => ended >= started);
  forget(state, { nodes: nodes.map(({ key }) => key), actions: [key] });
  return error;
}
