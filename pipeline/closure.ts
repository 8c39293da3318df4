/**
 * What travels to another machine: a finished stage's records with the documents and blobs that they name. Where they
 * are installed, `reproduce` finds the result and runs nothing.
 */
import { PipelineError } from "./errors.ts";
import { sha256 } from "./hash.ts";
import { type ActionPreimage, type NodePreimage, recipeKey } from "./keys.ts";
import { recordedActions } from "./records.ts";
import { latestRuns, readRunFile, runNames, type RunRecord } from "./run_record.ts";
import { type ActionRecord, type NodeRecord, recordSeals, type State } from "./state.ts";
import type { Digest } from "./store.ts";
import type { Listing } from "./tree.ts";

/** A record with its checksum. */
export type Sealed<Record> = Record & { readonly seal: number };

/** A finished stage, complete but for the blobs. */
export interface Bundle {
  readonly node: Sealed<NodeRecord>;
  readonly actions: readonly Sealed<ActionRecord>[];
  /** Texts of the listings, the code and the recipe that the records name by SHA-256. */
  readonly documents: readonly string[];
}

/** The run record of a given id, or the latest one. */
export function readRun(root: string, id?: string): RunRecord {
  if (id === undefined) {
    const latest = latestRuns(root).next().value;
    if (latest === undefined) throw new PipelineError(`${root} has no run yet: run reproduce first`);
    return latest;
  }
  const name = `${id}.json`;
  if (!runNames(root).includes(name)) throw new PipelineError(`${root} has no run "${id}"`);
  const record = readRunFile(root, name);
  if (record !== null) return record;
  throw new PipelineError(`the record ${root}/runs/${name} is damaged; name another run, or run reproduce again`);
}

/** A run's facts; where it computed nothing, and so asked for none, those of the latest run before it that has some. */
export function factsOf(root: string, { id }: RunRecord): RunRecord["facts"] {
  const runs = latestRuns(root).toArray();
  const from = runs.findIndex((run) => run.id === id);
  return runs.slice(from).find(({ facts }) => facts !== null)?.facts ?? null;
}

/** Bundles of finished stages, by node key; keys without a record are left out. */
export function bundlesOf(keys: Iterable<string>, state: State): readonly Bundle[] {
  const byRecipe = new Map<string, ActionRecord[]>();
  for (const action of recordedActions(state)) {
    const { recipe }: ActionPreimage = JSON.parse(action.preimage);
    const actions = byRecipe.get(recipe);
    if (actions === undefined) byRecipe.set(recipe, [action]);
    else actions.push(action);
  }
  return [...new Set(keys)].sort().flatMap((key) => {
    const found = state.node(key);
    if (found === null) return [];
    const { listing: _, ...record } = found;
    const node = { ...record, seal: recordSeals.node(record) };
    const preimage: NodePreimage = JSON.parse(node.preimage);
    const recipe = recipeKey(preimage);
    const digests = new Set([preimage.code, node.tree, recipe.key, ...Object.values(preimage.inputs)]);
    const documents = [...digests].sort().flatMap((digest) => state.document(digest) ?? []);
    const files = new Set(blobsOf({ node, documents }).map(({ sha256 }) => sha256));
    const actions = (byRecipe.get(recipe.key) ?? []).filter((action) =>
      action.files.every(([, sha]) => files.has(sha))
    );
    return [{ node, documents, actions: actions.map((action) => ({ ...action, seal: recordSeals.action(action) })) }];
  });
}

/** The blobs of a bundle's result. */
export function blobsOf({ node, documents }: Pick<Bundle, "node" | "documents">): readonly Digest[] {
  const text = documents.find((document) => sha256(document) === node.tree);
  if (text === undefined) throw new PipelineError(`the records of ${node.stage} lack the listing ${node.tree}`);
  const { files }: Listing = JSON.parse(text);
  return [...new Map(files.map(([, sha, size]) => [sha, { sha256: sha, size }])).values()];
}

/** Reads a bundle, refusing one whose records are not what their names say. */
export function parseBundle(text: string, key: string): Bundle {
  let bundle: Bundle;
  try {
    bundle = JSON.parse(text);
  } catch (cause) {
    throw new PipelineError(`the records of ${key} are not JSON`, { cause });
  }
  const { node, actions } = bundle;
  if (node.seal === undefined) {
    throw new PipelineError(`the records of ${key} are of another version of the engine: export or push them again`);
  }
  if (node.key !== key || sha256(node.preimage) !== key || recordSeals.node(node) !== node.seal) {
    throw new PipelineError(`the records of ${key} are damaged`);
  }
  if (actions.some((action) => sha256(action.preimage) !== action.key || recordSeals.action(action) !== action.seal)) {
    throw new PipelineError(`the item records of ${key} are damaged`);
  }
  blobsOf(bundle);
  return bundle;
}

/** Records bundles whose blobs are in the store by now, as come in before the run of the given number. */
export function installBundles(
  bundles: readonly Bundle[],
  { state, run }: { readonly state: State; readonly run: number },
): void {
  for (const { documents, actions } of bundles) {
    for (const document of documents) state.putDocument(document);
    state.recordActions(actions);
  }
  state.transaction(() => bundles.forEach(({ node }) => state.recordNode(node, run)));
}
