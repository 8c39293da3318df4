/**
 * Frees space. Never beside a run: a run holds the store's lock shared, the collection takes it alone. Of the stages'
 * results, these stay:
 *
 * - what the last `runs` runs used, by the runs' own order;
 * - what made the files that the caller names (the committed results);
 * - what a run used or made that was killed, failed or was interrupted, for `graceMs` after it was last heard of: it
 *   will be run again;
 * - the targets of each run that ended less than an hour ago (and than `graceMs`), however few `runs` are kept: their
 *   publishing may still be to come;
 * - what was imported or pulled since the last run began, which no run could use yet.
 *
 * Of the rest, the least recently used goes first. Of a stage that was not finished, the items that were executed stay
 * for `graceMs`.
 */
import { checkAmount } from "./amounts.ts";
import { PipelineError } from "./errors.ts";
import { hashFile } from "./hash.ts";
import { tryPermanentLock } from "./locks.ts";
import { type ActionPreimage, type NodePreimage, recipeKey } from "./keys.ts";
import { type FinishedNode, finishedNodes, forget, recordedActions, storedBlobs, storedDocuments } from "./records.ts";
import { lastUses, latestRuns, nextRun, removeMarks, unfinishedRuns } from "./run_record.ts";
import { openState, type State } from "./state.ts";
import { existingStore, freeReserve } from "./store.ts";

/** What to keep. */
export interface GcOptions {
  /** The store's folder. Default ".ftim". */
  readonly store?: string;
  /** Results that the last so many runs used are kept. Default 5. */
  readonly runs?: number;
  /** Files whose makers are kept, however old: the committed results. */
  readonly keep?: readonly string[];
  /** Keep up to so many bytes of other results, the most recently used ones. Default 0. */
  readonly maxBytes?: number;
  /** Unfinished work (of runs and stages that never came to an end) younger than this stays. Default one day. */
  readonly graceMs?: number;
  /** Count, but delete nothing. */
  readonly dryRun?: boolean;
}

/** What was (or would be) deleted. */
export interface GcReport {
  readonly kept: { readonly blobs: number; readonly bytes: number };
  readonly removed: { readonly blobs: number; readonly bytes: number; readonly records: number };
  readonly dryRun: boolean;
}

/** Deletes what nothing needs. Throws where a run is using the store, or where an option is no amount. */
export async function gc(options: GcOptions = {}): Promise<GcReport> {
  const { store = ".ftim", runs = 5, keep = [], maxBytes = 0, graceMs = 86_400_000, dryRun = false } = options;
  checkAmount(runs, { name: 'gc: the option "runs"', least: 0, whole: true, endless: true });
  checkAmount(graceMs, { name: 'gc: the option "graceMs"', least: 0, endless: true });
  checkAmount(maxBytes, { name: 'gc: the option "maxBytes"', least: 0, endless: true });
  const root = existingStore(store);
  using lock = tryPermanentLock(`${root}/use.lock`, { exclusive: true });
  if (lock === null) throw new PipelineError(`a run is using ${root}; collect when it has ended`);
  const young = Date.now() - graceMs;
  // before the database is opened, which needs some room
  if (!dryRun) {
    freeReserve(root);
    sweepFolders(root, young);
    removeMarks(root, young);
  }
  using state = openState(root, { warn: console.error });
  const files = new Set(await Promise.all(keep.map(async (path) => (await hashFile(path)).sha256)));
  const nodes = finishedNodes(state, { uses: lastUses(root) });
  const roots = rootKeys(root, { nodes, runs, young });
  const live = liveNodes(nodes, { roots, files, maxBytes });
  const kept = nodes.filter(({ key }) => live.has(key));
  const blobs = new Set(kept.flatMap(shas));
  const { actions, documents } = deadRecords(state, { nodes, kept, blobs, young, roots });
  const dead = nodes.filter(({ key }) => !live.has(key)).map(({ key }) => key);
  // bytes first, so that it works on a full disk: a record whose bytes are gone counts as none
  const report = sweep(root, { blobs, dryRun });
  if (!dryRun) {
    forget(state, { nodes: dead, actions, documents });
    state.db.shrink();
  }
  const records = dead.length + actions.length;
  return { ...report, removed: { ...report.removed, records }, dryRun };
}

interface DeadOptions {
  readonly nodes: readonly FinishedNode[];
  readonly kept: readonly FinishedNode[];
  /** What stays in the store; the results of young unfinished work are added. */
  readonly blobs: Set<string>;
  readonly young: number;
  /** Keys that the last runs used: by their documents, what is done of an unfinished stage can travel. */
  readonly roots: ReadonlySet<string>;
}

/** Keys of the executions, and digests of the documents, that go. */
function deadRecords(state: State, { nodes, kept, blobs, young, roots }: DeadOptions) {
  const finished = new Set(nodes.flatMap(shas));
  const documents = new Set(roots);
  for (const { preimage, tree } of kept) {
    const document: NodePreimage = JSON.parse(preimage);
    for (const digest of [tree, document.code, recipeKey(document).key]) documents.add(digest);
    for (const digest of Object.values(document.inputs)) documents.add(digest);
  }
  const actions: string[] = [];
  for (const { key, preimage, files, ended } of recordedActions(state)) {
    const { recipe }: ActionPreimage = JSON.parse(preimage);
    // one that skipped its item has no files: it stays with its stage
    const used = files.length === 0 ? documents.has(recipe) : files.every(([, sha]) => blobs.has(sha));
    const unfinished = files.every(([, sha]) => !finished.has(sha));
    if (!used && !(unfinished && ended >= young)) {
      actions.push(key);
      continue;
    }
    documents.add(recipe);
    for (const [, sha] of files) blobs.add(sha);
  }
  const unused = storedDocuments(state).filter((digest) => !documents.has(digest));
  return { actions, documents: unused };
}

function shas({ listing }: FinishedNode): readonly string[] {
  return listing?.files.map(([, sha]) => sha) ?? [];
}

/** How long after a run its targets are taken to wait for their publishing, in ms. */
const PUBLISHING = 3_600_000;

interface RootOptions {
  readonly nodes: readonly FinishedNode[];
  readonly runs: number;
  readonly young: number;
}

/** Keys of the nodes that stay on the runs' account. */
function rootKeys(root: string, { nodes, runs, young }: RootOptions): ReadonlySet<string> {
  const keys = new Set<string>();
  const recent = Math.max(young, Date.now() - PUBLISHING);
  for (const [index, { stages, targets, ended }] of latestRuns(root).toArray().entries()) {
    const names = index < runs ? Object.keys(stages) : Date.parse(ended) >= recent ? Object.values(targets) : [];
    for (const name of names) keys.add(stages[name]?.key ?? "");
  }
  const unfinished = unfinishedRuns(root).filter(({ time }) => time >= young);
  for (const run of unfinished) for (const key of run.keys) keys.add(key);
  const numbers = new Set([...unfinished.map(({ number }) => number), nextRun(root)]);
  for (const { key, run } of nodes) if (numbers.has(run)) keys.add(key);
  return keys;
}

interface LiveOptions {
  readonly roots: ReadonlySet<string>;
  readonly files: ReadonlySet<string>;
  readonly maxBytes: number;
}

function liveNodes(nodes: readonly FinishedNode[], { roots, files, maxBytes }: LiveOptions): ReadonlySet<string> {
  const live = new Set<string>();
  const sizes = new Map<string, number>();
  const rooted = nodes.filter((node) => roots.has(node.key) || shas(node).some((sha) => files.has(sha)));
  for (const node of rooted) {
    live.add(node.key);
    for (const [, sha, size] of node.listing?.files ?? []) sizes.set(sha, size);
  }
  let spent = 0;
  for (const { key, listing } of nodes) {
    if (live.has(key) || listing === null) continue;
    const fresh = new Map(listing.files.filter(([, sha]) => !sizes.has(sha)).map(([, sha, size]) => [sha, size]));
    const cost = [...fresh.values()].reduce((sum, size) => sum + size, 0);
    if (spent + cost > maxBytes) break;
    spent += cost;
    live.add(key);
    for (const [sha, size] of fresh) sizes.set(sha, size);
  }
  return live;
}

function sweep(root: string, { blobs, dryRun }: { readonly blobs: ReadonlySet<string>; readonly dryRun: boolean }) {
  const kept = { blobs: 0, bytes: 0 };
  const removed = { blobs: 0, bytes: 0 };
  for (const { sha256, size, path } of storedBlobs(root)) {
    const side = blobs.has(sha256) ? kept : removed;
    side.blobs++;
    side.bytes += size;
    if (side === removed && !dryRun) Deno.removeSync(path);
  }
  return { kept, removed };
}

/** Old scratch folders, quarantined blobs and leftovers of killed processes. */
function sweepFolders(root: string, young: number): void {
  for (const folder of ["tmp", "locks", "scratch", "quarantine"]) {
    for (const { name } of Deno.readDirSync(`${root}/${folder}`)) {
      const path = `${root}/${folder}/${name}`;
      const mtime = Deno.lstatSync(path).mtime?.getTime() ?? 0;
      const disposable = folder === "tmp" || folder === "locks";
      if (disposable || mtime < young) Deno.removeSync(path, { recursive: true });
    }
  }
}
