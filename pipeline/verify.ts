/** Runs recorded stages again on their recorded inputs and compares: is this result what the code makes? */
import type { Artifact } from "./artifact.ts";
import { callStage, shareOf } from "./batch.ts";
import { blobPath, readBlob } from "./blobs.ts";
import { openClock } from "./clock.ts";
import { compareFiles } from "./compare.ts";
import type { Product } from "./context.ts";
import { PipelineError, type StageError } from "./errors.ts";
import { DamagedInput } from "./failure.ts";
import { type Action, actionsOf, type Job, usableRecord } from "./job.ts";
import { nodeKey, recipeKey } from "./keys.ts";
import { watchMemory } from "./memory.ts";
import { watchLost } from "./lost.ts";
import { didYouMean } from "./nearest_name.ts";
import { type Plan, planOf, type Vertex } from "./plan.ts";
import { requestOf } from "./resources.ts";
import { openSession, type Options, type Session } from "./session.ts";
import { resolveSource } from "./sources.ts";
import type { ActionRecord } from "./state.ts";
import { existingStore } from "./store.ts";
import { type Resolved, restrict, storedTree } from "./tree.ts";

/** What is verified, and how much of it. */
export interface VerifyOptions extends Options {
  /** Labels of the stages to run again. Default: all that have a result. */
  readonly stages?: readonly string[];
  /** At most so many items a stage, evenly spread. Default: all. */
  readonly items?: number;
}

/** How a stage's rerun compared. */
export interface Verification {
  readonly label: string;
  /** "seeded": differs, which its class allows. "absent": has no result to compare with. */
  readonly verdict: "same" | "within tolerance" | "seeded" | "differs" | "absent";
  readonly items: number;
  /** One line a file that differs (within tolerance or not). */
  readonly differences: readonly string[];
}

/** Reruns stages without recording anything. The inputs of a stage are the recorded ones, not other reruns. */
export async function verify(
  targets: Readonly<Record<string, Artifact>>,
  options: VerifyOptions = {},
): Promise<readonly Verification[]> {
  const plan = planOf(targets);
  existingStore(options.store ?? ".ftim");
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  using session = await openSession(plan, { ...options, signal });
  const lost: StageError[] = [];
  const endLost = watchLost({
    running: () => [...session.running],
    fail(error) {
      lost.push(error);
      stop.abort();
    },
  });
  try {
    const rows = await rerunAll(plan, { options, session });
    if (lost.length > 0) throw lost[0];
    return rows;
  } catch (error) {
    throw lost[0] ?? error;
  } finally {
    endLost();
  }
}

async function rerunAll(
  plan: Plan,
  { options, session }: { readonly options: VerifyOptions; readonly session: Session },
): Promise<readonly Verification[]> {
  using memory = watchMemory();
  const trees = new Map<Vertex, Resolved>();
  const rows: Verification[] = [];
  const labels = plan.vertices.flatMap(({ node, label }) => node.type === "stage" ? [label] : []);
  for (const name of options.stages ?? []) {
    if (!labels.includes(name)) throw new PipelineError(`there is no stage "${name}"; ${didYouMean(name, labels)}`);
  }
  for (const vertex of plan.vertices) {
    const { node, label, inputs: vertices } = vertex;
    session.checkAborted();
    if (node.type === "source") {
      trees.set(vertex, await resolveSource(node, session));
      continue;
    }
    const inputs: Record<string, Resolved> = Object.create(null);
    for (const [role, input] of Object.entries(vertices)) {
      const tree = trees.get(input);
      if (tree !== undefined) inputs[role] = tree;
    }
    const ready = Object.keys(inputs).length === Object.keys(vertices).length;
    if (node.type === "pick") {
      if (ready) trees.set(vertex, restrict(Object.values(inputs)[0] ?? missing(), node.patterns));
      continue;
    }
    const recipe = await session.recipe(node);
    const digests = Object.entries(inputs).map(([role, { digest }]) => [role, digest]);
    const document = { ...recipe, inputs: Object.fromEntries(digests) };
    const record = ready ? session.state.node(nodeKey(document).key) : null;
    if (record !== null) trees.set(vertex, storedTree(record));
    if (options.stages !== undefined && !options.stages.includes(label)) continue;
    if (record === null) {
      rows.push({ label, verdict: "absent", items: 0, differences: [] });
      continue;
    }
    const { key } = recipeKey(document);
    const clock = openClock({ origin: performance.now() });
    const job = { node, label, inputs, session, recipe: key, count: () => {}, clock, memory: memory.follower() };
    const row = await rerun(job, options.items ?? Infinity);
    session.emit({ type: "log", stage: label, message: `${row.items} run again: ${row.verdict}` });
    rows.push(row);
  }
  return rows;
}

function missing(): never {
  throw new PipelineError("unreachable: a pick without an input");
}

async function rerun(job: Job, limit: number): Promise<Verification> {
  const { node: { stage }, session, label } = job;
  const actions = spread(actionsOf(job), limit);
  const request = await requestOf(stage.resources);
  const shared = shareOf(job, request);
  const release = await session.pool.take(request);
  session.running.add(label);
  const differences: string[] = [];
  let broken = false;
  let failure: { error: unknown } | null = null;
  try {
    for (let start = 0; start < actions.length; start += stage.batch) {
      const batch = actions.slice(start, start + stage.batch);
      const scratch = `${session.store.temporary}/verify-${start}`;
      const products = await callStage(batch, { job, shared, scratch });
      for (const product of products) {
        const found = await compare(product, { job, record: recorded(product.action, job) });
        differences.push(...found.lines);
        broken ||= found.broken;
        product.sink.discard();
      }
    }
  } catch (error) {
    failure = { error };
  }
  await shared.close().catch((error) => failure ??= { error });
  session.running.delete(label);
  release();
  if (failure !== null) throw explained(failure.error, label);
  const { determinism } = stage;
  const verdict = differences.length === 0
    ? "same"
    : determinism === "seeded"
    ? "seeded"
    : broken
    ? "differs"
    : "within tolerance";
  return { label, verdict, items: actions.length, differences };
}

function explained(error: unknown, label: string): unknown {
  if (!(error instanceof DamagedInput)) return error;
  return new PipelineError(`${label}: ${error.message}; run reproduce, which makes it again`, { cause: error });
}

function recorded(action: Action, { session, label }: Job): ActionRecord {
  const record = usableRecord(action, session);
  if (record === null) {
    throw new PipelineError(`${label}: the result of ${action.item ?? "the stage"} is damaged; run fsck`);
  }
  return record;
}

interface CompareOptions {
  readonly job: Job;
  readonly record: ActionRecord;
}

async function compare(
  product: Product,
  { job, record }: CompareOptions,
): Promise<{ lines: string[]; broken: boolean }> {
  const { session: { store }, node: { stage: { determinism } } } = job;
  const lines: string[] = [];
  let broken = false;
  const note = (line: string, bad = true) => {
    lines.push(line);
    broken ||= bad;
  };
  const after = new Map(product.sink.files.map(([path, sha256, size]) => [path, { sha256, size }]));
  const [old, now] = [JSON.stringify(record.skipped), JSON.stringify(product.skipped)];
  if (old !== now) note(`skipped: ${old} became ${now}`);
  for (const [path, sha256, size] of record.files) {
    const made = after.get(path);
    after.delete(path);
    if (made === undefined) note(`${path}: was not written again`);
    else if (made.sha256 !== sha256) {
      const place = product.sink.staged.find((staged) => staged.sha256 === made.sha256)?.temporary;
      const bytes = await Deno.readFile(place ?? blobPath(store, made.sha256));
      const pair = { before: await readBlob(store, { sha256, size }), after: bytes };
      const detail = await compareFiles(path, pair, determinism);
      note(`${path}: ${detail ?? "within tolerance"}`, detail !== null);
    }
  }
  for (const path of after.keys()) note(`${path}: was not written before`);
  return { lines, broken };
}

/** At most `limit` of some actions, evenly spread. */
function spread(actions: readonly Action[], limit: number): readonly Action[] {
  if (actions.length <= limit) return actions;
  return Array.from({ length: limit }, (_, index) => actions[Math.floor(index * actions.length / limit)]).flatMap((
    action,
  ) => action ?? []);
}
