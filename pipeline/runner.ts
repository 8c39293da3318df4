/** Walks the graph: takes what is recorded, executes what is not, repairs what is damaged. */
import type { StageNode } from "./artifact.ts";
import { hasBlob } from "./blobs.ts";
import { type Clock, openClock, type Span } from "./clock.ts";
import { AbortedError, messageOf, PipelineError } from "./errors.ts";
import { execute } from "./execute.ts";
import { DamagedInput } from "./failure.ts";
import { changesSince } from "./forced.ts";
import { type Key, nodeKey, recipeKey } from "./keys.ts";
import type { MemoryWatch } from "./memory.ts";
import type { Vertex } from "./plan.ts";
import type { StageCount, StageReport } from "./report.ts";
import type { OpenRun } from "./run_record.ts";
import type { Session } from "./session.ts";
import { resolveSource } from "./sources.ts";
import { type Listing, listingText, type Resolved, restrict, storedTree } from "./tree.ts";

/** A damaged input is recomputed at most so often before the run gives up. */
const REPAIRS = 5;

/** What each stage has come to, by label. */
export type Stages = ReadonlyMap<string, StageReport>;

/** How to walk. */
export interface RunnerOptions {
  readonly run: OpenRun;
  readonly memory: MemoryWatch;
  /** When the run began, by `performance.now()`. */
  readonly origin: number;
  /** Labels of stages that run again though they are recorded. */
  readonly force?: readonly string[];
}

/** The state of a graph in the making. */
export interface Runner {
  /** The vertex's tree; computed once. */
  start(vertex: Vertex): Promise<Resolved>;
  /** As `start`, and makes sure that its files are there. */
  complete(vertex: Vertex): Promise<Resolved>;
  /** Resolves when nothing runs any more. */
  settled(): Promise<unknown>;
  /** The first error that was not an interruption. */
  failure(): unknown;
  /** What failed by itself, and not for want of an input, by label. */
  readonly failed: ReadonlyMap<string, unknown>;
  /** As it stands. */
  readonly stages: Stages;
  /** When each stage that ran something worked, by label. */
  readonly spans: ReadonlyMap<string, readonly Span[]>;
  /** Node key, and tree digest, by label. */
  readonly keys: Map<string, string>;
  readonly trees: Map<string, string>;
}

/** Opens a runner in a session, for a run that has begun. Nothing is computed before it is asked for. */
export function openRunner(session: Session, { run, memory: watch, origin, force = [] }: RunnerOptions): Runner {
  const { state, store } = session;
  const results = new Map<Vertex, Promise<Resolved>>();
  const repairs = new Map<Vertex, Promise<Resolved>>();
  const reports = new Map<string, () => StageReport>();
  const keys = new Map<string, string>();
  const trees = new Map<string, string>();
  const clocks = new Map<string, Clock>();
  const errors = new Map<Vertex, unknown>();
  const failed = new Map<string, unknown>();
  const forced = new Set(force);
  let failure: unknown;

  function start(vertex: Vertex): Promise<Resolved> {
    const known = results.get(vertex);
    if (known !== undefined) return known;
    const result = resolve(vertex);
    results.set(vertex, result);
    result.catch((error) => {
      errors.set(vertex, error);
      if (error instanceof AbortedError) return;
      failure ??= error;
      const inherited = Object.values(vertex.inputs).some((input) => errors.get(input) === error);
      if (!inherited) failed.set(vertex.label, error);
    });
    return result;
  }

  async function resolve(vertex: Vertex): Promise<Resolved> {
    const { node, inputs } = vertex;
    if (node.type === "source") return await resolveSource(node, session);
    if (node.type === "pick") return restrict(await start(only(inputs)), node.patterns);
    for (let attempt = 0;; attempt++) {
      try {
        return await resolveStage(vertex, node);
      } catch (error) {
        if (!(error instanceof DamagedInput)) throw error;
        if (attempt === REPAIRS) {
          throw new PipelineError(`${vertex.label}: inputs keep being damaged: ${error.message}`);
        }
        session.emit({ type: "warning", message: `${vertex.label}: ${error.message}; recomputing it` });
        for (const input of Object.values(inputs)) await repair(input, error.blobs);
      }
    }
  }

  async function resolveStage({ label, inputs: vertices }: Vertex, node: StageNode): Promise<Resolved> {
    // without a prototype: an optional role may have the name of what objects inherit
    const inputs: Record<string, Resolved> = Object.create(null);
    for (const [role, vertex] of Object.entries(vertices)) inputs[role] = await start(vertex);
    session.checkAborted();
    const recipe = await session.recipe(node);
    const digests = Object.entries(inputs).map(([role, { digest }]) => [role, digest]);
    const document = { ...recipe, inputs: Object.fromEntries(digests) };
    const full = nodeKey(document);
    keys.set(label, full.key);
    for (const input of Object.values(inputs)) keepListing(input);
    const record = state.node(full.key);
    const again = forced.has(label);
    if (record !== null && !again) {
      const count = { total: record.items, executed: 0, cached: record.items, skipped: record.skipped };
      finish(label, { ...count, seconds: 0 });
      trees.set(label, record.tree);
      run.note(full.key);
      return storedTree(record);
    }
    run.save();
    const recipeDigest = state.transaction(() => {
      // by this document, named by the key, what an interrupted run has done of the stage can travel
      state.putDocument(full.preimage);
      return state.putDocument(recipeKey(document).preimage);
    });
    const clock = openClock({ origin });
    const memory = watch.follower();
    clocks.set(label, clock);
    const report = (count: StageCount): StageReport => {
      const { seconds, waited } = clock.read();
      return { ...count, seconds, waited, ...(memory.peak() > 0 ? { peakMemory: memory.peak() } : {}) };
    };
    // a stage that is repaired counts both of its executions
    const earlier = reports.get(label)?.().executed ?? 0;
    let counted: StageCount = { total: 0, executed: 0, cached: 0, skipped: 0 };
    function count(now: StageCount): void {
      counted = { ...now, executed: earlier + now.executed };
      reports.set(label, () => report(counted));
    }
    const listing = await execute({
      node,
      label,
      recipe: recipeDigest,
      inputs,
      session,
      count,
      again,
      clock,
      memory,
    })
      .catch((error) => {
        if (!(error instanceof DamagedInput || error instanceof AbortedError)) {
          session.emit({ type: "failed", stage: label, message: messageOf(error) });
        }
        throw error;
      });
    if (again && record !== null) {
      const { determinism } = node.stage;
      const before = storedTree(record).listing();
      const lines = await changesSince(before, { after: listing, determinism, store });
      for (const message of lines) session.emit({ type: "warning", message: `${label}: ${message}` });
    }
    const resolved = keep(full, { stage: node.stage.name, total: counted.total, listing });
    forced.delete(label);
    trees.set(label, resolved.digest);
    finish(label, report(counted));
    return resolved;
  }

  const listed = new Set<string>();

  /**
   * Input listings are stored, so that a later miss can be compared with this run file by file, and so that what a
   * result was made from can be told. One that was lost is stored again.
   */
  function keepListing({ listing, digest }: Resolved): void {
    if (listed.has(digest)) return;
    if (!state.hasDocument(digest)) state.putDocument(listingText(listing()));
    listed.add(digest);
  }

  function keep(
    { key, preimage }: Key,
    { stage, total, listing }: { stage: string; total: number; listing: Listing },
  ): Resolved {
    session.checkOpen();
    const tree = state.transaction(() => {
      const digest = state.putDocument(listingText(listing));
      const { length: skipped } = listing.skipped;
      state.recordNode({ key, stage, preimage, tree: digest, items: total, skipped, ended: Date.now() }, run.number);
      return digest;
    });
    return { digest: tree, listing: () => listing, source: null };
  }

  function finish(label: string, count: StageReport): void {
    if (!reports.has(label) || count.executed > 0) reports.set(label, () => count);
    session.emit({ type: "done", stage: label, ...count });
  }

  /** Recomputes the stage that made some blobs; once, however many consumers ask. */
  async function repair(vertex: Vertex, blobs: readonly string[]): Promise<void> {
    const tree = await start(vertex);
    const concerned = tree.listing().files.filter(([, sha]) => blobs.includes(sha));
    if (tree.source !== null || concerned.length === 0) return;
    if (concerned.every(([, sha256, size]) => hasBlob(store, { sha256, size }))) return;
    const running = repairs.get(vertex);
    if (running !== undefined) return void await running;
    state.forgetBlobs(blobs);
    if (vertex.node.type === "pick") await repair(only(vertex.inputs), blobs);
    results.delete(vertex);
    const again = start(vertex);
    repairs.set(vertex, again);
    await again.finally(() => repairs.delete(vertex));
  }

  async function complete(vertex: Vertex): Promise<Resolved> {
    for (let attempt = 0;; attempt++) {
      const tree = await start(vertex);
      if (tree.source !== null) return tree;
      const gone = tree.listing().files.filter(([, sha256, size]) => !hasBlob(store, { sha256, size }));
      if (gone.length === 0) return tree;
      if (attempt === REPAIRS) throw new PipelineError(`${vertex.label}: results keep being damaged`);
      session.emit({
        type: "warning",
        message: `${vertex.label}: ${gone.length} stored files are gone; recomputing them`,
      });
      await repair(vertex, gone.map(([, sha]) => sha));
    }
  }

  return {
    start,
    complete,
    get stages() {
      return new Map([...reports].map(([label, report]) => [label, report()] as const));
    },
    failed,
    get spans() {
      return new Map([...clocks].map(([label, clock]) => [label, clock.read().spans] as const));
    },
    keys,
    trees,
    settled: () => Promise.allSettled(results.values()),
    failure: () => failure,
  };
}

function only(inputs: Readonly<Record<string, Vertex>>): Vertex {
  const [vertex] = Object.values(inputs);
  if (vertex === undefined) throw new PipelineError("unreachable: a pick without an input");
  return vertex;
}
