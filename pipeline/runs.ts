/** The runs of a store: finding one by what people call it, and publishing its results again. */
import { hasBlob } from "./blobs.ts";
import { PipelineError } from "./errors.ts";
import { nearestName } from "./nearest_name.ts";
import { own } from "./own.ts";
import { type Publication, publish } from "./publish.ts";
import { latestRuns, runNumber, type RunRecord } from "./run_record.ts";
import { openState, type State } from "./state.ts";
import { existingStore, openStore, type Store } from "./store.ts";
import { type Listing, openTree, restrict, storedTree, type Tree } from "./tree.ts";

/** Where the runs are. */
export interface RunsOptions {
  /** The store's folder. Default ".ftim". */
  readonly store?: string;
}

/** All runs whose records can be read, newest first; each with its facts or, where it asked for none, earlier ones. */
export function listRuns({ store = ".ftim" }: RunsOptions = {}): readonly RunRecord[] {
  const records = [...latestRuns(existingStore(store))];
  let facts: RunRecord["facts"] = null;
  return records.toReversed().map((record) => ({ ...record, facts: facts = record.facts ?? facts })).toReversed();
}

/**
 * The run that a text means: "latest", its number, its id, or the start or the end of an id that no other run shares.
 *
 * @throws where there is none, or several
 */
export function findRun(text: string, options: RunsOptions = {}): RunRecord {
  const runs = listRuns(options);
  const [latest] = runs;
  if (latest === undefined) throw new PipelineError("there is no run yet");
  if (text === "latest") return latest;
  const numbered = /^\d{1,8}$/.test(text) ? runs.find(({ id }) => runNumber(id) === Number(text)) : undefined;
  if (numbered !== undefined) return numbered;
  // a run's number that is gone must not mean another run, whose checksum happens to end in it
  const ends = (id: string) => !/^[1-9]\d{0,6}$/.test(text) && id.endsWith(text);
  const found = runs.filter(({ id }) => id === text || id.startsWith(text) || ends(id));
  const [run] = found;
  if (run !== undefined && (found.length === 1 || run.id === text)) return run;
  if (run !== undefined) {
    throw new PipelineError(`"${text}" means ${found.length} runs: ${found.map(({ id }) => id).join(", ")}`);
  }
  const near = nearestName(text, runs.map(({ id }) => id));
  throw new PipelineError(
    `there is no run "${text}"; ${near === null ? '"runs" lists them' : `did you mean "${near}"?`}`,
  );
}

/** The listing of a run's target; null where the store has lost it, or the target is the user's own files. */
export function targetListing(run: RunRecord, target: string, state: State): Listing | null {
  const tree = own(run.stages, own(run.targets, target) ?? "")?.tree ?? null;
  const listing = tree === null ? null : state.document(tree);
  if (tree === null || listing === null) return null;
  return (own(run.picks, target) ?? []).reduce(restrict, storedTree({ tree, listing })).listing();
}

/** What to publish again, and where. */
export interface PublishRunOptions extends RunsOptions {
  /** The folder of a target. */
  readonly folderOf: (target: string) => string;
}

/**
 * Publishes the results of a run again, as far as they are in the store.
 *
 * @returns by target
 * @throws where a file of any of them is gone; then nothing is written
 */
export async function publishRun(
  run: RunRecord,
  { store: root = ".ftim", folderOf }: PublishRunOptions,
): Promise<Readonly<Record<string, Publication>>> {
  using store = await openStore(existingStore(root));
  using state = openState(store.root, { warn: console.error });
  const trees = Object.keys(run.targets).map((
    target,
  ): [string, Tree] => [target, wholeTree(run, { target, state, store })]);
  const done: Record<string, Publication> = {};
  for (const [target, tree] of trees) {
    done[target] = await publish(tree, folderOf(target), { remember: { store: root, target } });
  }
  return done;
}

interface WholeOptions {
  readonly target: string;
  readonly state: State;
  readonly store: Store;
}

function wholeTree(run: RunRecord, { target, state, store }: WholeOptions): Tree {
  const listing = targetListing(run, target, state);
  const gone = listing?.files.filter(([, sha256, size]) => !hasBlob(store, { sha256, size })).length ?? 1;
  if (listing === null || gone > 0) {
    throw new PipelineError(
      `run ${run.id}: the store no longer has "${target}", so nothing was published; gc keeps what the last runs made`,
    );
  }
  return openTree(listing, { store, source: null });
}
