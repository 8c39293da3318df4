/**
 * Fetches from a shared store what it has of a graph: stages whose inputs and code are the same here as there. What is
 * damaged there is named, and costs just the stages that need it.
 */
import { distinct, RECORDS_LIMIT, type Transfer, transferOf } from "./archive.ts";
import type { Artifact, StageNode } from "./artifact.ts";
import { type Digest, hasBlob } from "./blobs.ts";
import { type AnyBundle, blobsOf, installBundles, isFinished, listingOf, parseBundle } from "./bundle.ts";
import { type Chunks, collect } from "./chunks.ts";
import { BadObjectError, PipelineError } from "./errors.ts";
import { nodeKey } from "./keys.ts";
import { inLanes, openLanes } from "./lanes.ts";
import { planOf, type Vertex } from "./plan.ts";
import { receive } from "./receive.ts";
import { blobName, MARK, recordsName, type Remote } from "./remote.ts";
import { nextRun } from "./run_record.ts";
import { openSession, type Options, type Session } from "./session.ts";
import { resolveSource } from "./sources.ts";
import { openTally, type TravelOptions } from "./tally.ts";
import { type Listing, type Resolved, restrict, storedTree } from "./tree.ts";

/** How to fetch. */
export type PullOptions = Options & Pick<TravelOptions, "progress">;

/** What was fetched. */
export interface Pull extends Transfer {
  /** Stages of the graph that are neither here nor there. */
  readonly absent: number;
  /** Stages that are not whole in the shared store, and why: nothing of them was recorded. */
  readonly incomplete: readonly { readonly stage: string; readonly reason: string }[];
}

/** Transfers at a time. */
const LANES = 8;

/**
 * Fetches what the remote has of the targets' graph, and objects that this store has lost.
 * @throws {PipelineError} where there is no shared store at all, or it does not answer.
 */
export async function pull(
  remote: Remote,
  targets: Readonly<Record<string, Artifact>>,
  options: PullOptions = {},
): Promise<Pull> {
  const { signal = new AbortController().signal, progress } = options;
  const plan = planOf(targets);
  using session = await openSession(plan, { ...options, signal });
  const place = { remote, session, signal };
  const finds = await findStages(plan.vertices, place);
  if (finds.every(({ bundle }) => bundle === null)) await checkStore(place);
  const blobs = distinct(finds.flatMap(({ blobs }) => blobs)).filter((blob) => !hasBlob(session.store, blob));
  const tally = openTally(blobs, progress);
  const arrived: Digest[] = [];
  const faults = new Map<string, string>();
  async function fetchBlob(blob: Digest, stop: AbortSignal): Promise<void> {
    const { sha256 } = blob;
    const take = (chunks: Chunks) =>
      receive(tally.counted(chunks), { store: session.store, blob, from: remote.place }).then(() => true);
    const fault = await remote.get(blobName(sha256), { take, signal: stop }).then(
      (found) => found === null ? `${remote.place}: object ${sha256} is not there` : null,
      ifBad,
    );
    if (fault === null) arrived.push(blob);
    else faults.set(sha256, fault);
    tally.done();
  }
  await inLanes(blobs, { lanes: openLanes(LANES), signal, work: fetchBlob });
  const judged = finds.map((find) => ({ ...find, fault: find.fault ?? faultOf(find.blobs, faults) }));
  const whole = judged.flatMap(({ bundle, fault }) => bundle !== null && fault === null ? [bundle] : []);
  installBundles(whole, { state: session.state, store: session.store, run: nextRun(session.store.root) });
  return {
    ...transferOf(whole, arrived),
    absent: judged.filter(({ state, fault }) => state === "absent" && fault === null).length,
    incomplete: judged.flatMap(({ stage, fault }) => fault === null ? [] : [{ stage, reason: fault }]),
  };
}

/** What of a result could not be had, or null. */
function faultOf(blobs: readonly Digest[], faults: ReadonlyMap<string, string>): string | null {
  const [first, ...more] = blobs.flatMap(({ sha256 }) => faults.get(sha256) ?? []);
  if (first === undefined) return null;
  return more.length === 0 ? first : `${first}, and ${more.length} more objects are not whole`;
}

function ifBad(error: unknown): string {
  if (error instanceof BadObjectError) return error.message;
  throw error;
}

interface Place {
  readonly remote: Remote;
  readonly session: Session;
  readonly signal: AbortSignal;
}

/** What is known of a stage. */
interface Find {
  readonly stage: string;
  readonly state: "here" | "there" | "absent";
  /** Its records, where they are there and not here. */
  readonly bundle: AnyBundle | null;
  /** The objects of its result. */
  readonly blobs: readonly Digest[];
  /** What is wrong with its records. */
  readonly fault: string | null;
}

/** Looks for every stage's records, here and there; a stage can be looked for once its inputs' listings are known. */
async function findStages(vertices: readonly Vertex[], { remote, session, signal }: Place): Promise<readonly Find[]> {
  const { state } = session;
  const lanes = openLanes(LANES);
  const trees = new Map<Vertex, Promise<Resolved | null>>();
  const finds: Find[] = [];

  async function treeOf({ node, label, inputs }: Vertex): Promise<Resolved | null> {
    if (node.type === "source") return await resolveSource(node, session);
    const known: Record<string, Resolved> = {};
    for (const [role, input] of Object.entries(inputs)) {
      const tree = await trees.get(input);
      if (tree) known[role] = tree;
    }
    const all = Object.keys(inputs).every((role) => known[role] !== undefined);
    if (node.type === "pick") return all && known.from !== undefined ? restrict(known.from, node.patterns) : null;
    const find = all ? await findStage(node, known) : ABSENT;
    finds.push({ ...find, stage: label });
    return find.tree;
  }

  async function findStage(node: StageNode, inputs: Readonly<Record<string, Resolved>>): Promise<Found> {
    const digests = Object.fromEntries(Object.entries(inputs).map(([role, { digest }]) => [role, digest]));
    const { key } = nodeKey({ ...await session.recipe(node), inputs: digests });
    const record = state.node(key);
    if (record !== null) {
      const tree = storedTree(record);
      return { state: "here", bundle: null, blobs: blobsIn(tree.listing()), fault: null, tree };
    }
    const from = remote.place;
    const take = async (chunks: Chunks) =>
      parseBundle(await collect(chunks, { limit: RECORDS_LIMIT, what: `${from}: the records ${key}` }), { key, from });
    const bundle = await lanes(() => remote.get(recordsName(key), { take, signal })).catch(ifBad);
    if (bundle === null) return ABSENT;
    if (typeof bundle === "string") return { ...ABSENT, fault: bundle };
    const listing = isFinished(bundle) ? listingOf(bundle) : null;
    const tree = listing && { digest: String(bundle.node.tree), listing: () => listing, source: null };
    return { state: "there", bundle, blobs: blobsOf(bundle), fault: null, tree };
  }
  for (const vertex of vertices) trees.set(vertex, treeOf(vertex));
  await Promise.all(trees.values());
  return finds;
}

type Found = Omit<Find, "stage"> & { readonly tree: Resolved | null };

const ABSENT: Found = { state: "absent", bundle: null, blobs: [], fault: null, tree: null };

function blobsIn({ files }: Listing): readonly Digest[] {
  return files.map(([, sha256, size]) => ({ sha256, size }));
}

/** Throws where nobody has ever pushed. */
async function checkStore({ remote, signal }: Place): Promise<void> {
  if (await remote.get(MARK, { take: () => Promise.resolve(true), signal }) === true) return;
  throw new PipelineError(`there is no store of ours in ${remote.place}: nobody has pushed there. Is it mistyped?`);
}
