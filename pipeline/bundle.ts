/**
 * What travels to another machine: a stage's records with the documents and blobs that they name. Where they are
 * installed, `reproduce` finds the result and runs nothing; of a stage that an interruption left unfinished, the items
 * that are done. Nothing that comes in is believed: form, hashes, paths, and that the parts belong together.
 */
import { z } from "zod";
import { type Digest, hasBlob } from "./blobs.ts";
import { BadObjectError, PipelineError } from "./errors.ts";
import { sha256 } from "./hash.ts";
import { usableRecord } from "./job.ts";
import { type ActionPreimage, type NodePreimage, recipeKey } from "./keys.ts";
import { fileAndFolder, isOfItem, pathFault } from "./path.ts";
import { recordedActions } from "./records.ts";
import { type ActionRecord, type FileRow, hasResult, type NodeRecord, type State } from "./state.ts";
import type { Store } from "./store.ts";
import type { Listing } from "./tree.ts";

interface Records {
  readonly actions: readonly ActionRecord[];
  /** Texts of the listings, the code and the recipe that the records name by SHA-256. */
  readonly documents: readonly string[];
}

/** A finished stage, complete but for the blobs. */
export interface Bundle extends Records {
  readonly node: NodeRecord;
}

/** What there is of an unfinished stage: some of its items. */
export interface UnfinishedBundle extends Records {
  readonly node: Pick<NodeRecord, "key" | "stage" | "preimage"> & { readonly tree: null };
}

/** Either, as it travels. */
export type AnyBundle = Bundle | UnfinishedBundle;

/** Whether a bundle is of a finished stage. */
export function isFinished(bundle: AnyBundle): bundle is Bundle {
  return bundle.node.tree !== null;
}

/** Bundles of finished stages, by node key; keys without a record are left out. */
export function bundlesOf(keys: Iterable<string>, state: State): readonly Bundle[] {
  return anyBundlesOf(keys, state).filter(isFinished);
}

/** As {@link bundlesOf}, with what there is of the unfinished ones. */
export function anyBundlesOf(keys: Iterable<string>, state: State): readonly AnyBundle[] {
  const byRecipe = new Map<string, ActionRecord[]>();
  for (const action of recordedActions(state)) {
    const { recipe }: ActionPreimage = JSON.parse(action.preimage);
    const actions = byRecipe.get(recipe);
    if (actions === undefined) byRecipe.set(recipe, [action]);
    else actions.push(action);
  }
  return [...new Set(keys)].sort().flatMap((key): AnyBundle[] => {
    const node = recordOf(key, state);
    // the runner stores the preimage of a stage that it begins, under its digest, which is the key
    const text = node?.preimage ?? state.document(key);
    if (text === null) return [];
    const preimage: NodePreimage = JSON.parse(text);
    const recipe = recipeKey(preimage);
    const digests = [preimage.code, recipe.key, ...Object.values(preimage.inputs), ...node === null ? [] : [node.tree]];
    const documents = [...new Set(digests)].sort().flatMap((digest) => state.document(digest) ?? []);
    const actions = byRecipe.get(recipe.key) ?? [];
    if (node === null) {
      if (actions.length === 0) return [];
      return [{ node: { key, stage: preimage.stage, preimage: text, tree: null }, documents, actions }];
    }
    // the recipe may have served other items before
    const within = rowsOf(listingOf({ node, documents }));
    return [{ node, documents, actions: actions.filter((action) => within.holds(action)) }];
  });
}

function recordOf(key: string, state: State): NodeRecord | null {
  const found = state.node(key);
  if (found === null) return null;
  const { stage, preimage, tree, items, skipped, ended } = found;
  return { key, stage, preimage, tree, items, skipped, ended };
}

/** The blobs of a bundle's result. */
export function blobsOf(bundle: AnyBundle): readonly Digest[] {
  const files = isFinished(bundle) ? listingOf(bundle).files : bundle.actions.flatMap((action) => action.files);
  return [...new Map(files.map(([, sha, size]) => [sha, { sha256: sha, size }])).values()];
}

/** A finished stage's result as a list of files. */
export function listingOf({ node, documents }: Pick<Bundle, "node" | "documents">): Listing {
  const text = documents.find((document) => sha256(document) === node.tree);
  if (text === undefined) throw new PipelineError(`the records of ${node.stage} lack the listing ${node.tree}`);
  return JSON.parse(text);
}

/** Whether all that an execution made, and all that it skipped, is in a listing. */
function rowsOf({ files, skipped }: Listing): { holds(action: ActionRecord): boolean } {
  const rows = new Set([...files, ...skipped].map((row) => JSON.stringify(row)));
  return { holds: (action) => [...action.files, ...action.skipped].every((row) => rows.has(JSON.stringify(row))) };
}

/** A bundle as text: JSON that ends in the hash of all before it, so that no flipped bit gets in as another result. */
export function bundleText({ node, actions, documents }: AnyBundle): string {
  const body = JSON.stringify({ node, actions, documents });
  return `${body.slice(0, -1)},"sum":"${sha256(body)}"}`;
}

const SHA = z.string().regex(/^[0-9a-f]{64}$/, "is no SHA-256");
const FILE = z.tuple([z.string(), SHA, z.int().nonnegative()]).readonly();
const SKIP = z.tuple([z.string(), z.string()]).readonly();
const LISTING = z.object({ files: z.array(FILE), skipped: z.array(SKIP) });
const NAMED = z.object({ key: SHA, stage: z.string(), preimage: z.string() });
const TIME = z.int().nonnegative();
const COUNT = z.int().nonnegative();
const ACTION = NAMED.extend({
  item: z.string().nullable(),
  files: z.array(FILE),
  skipped: z.array(SKIP),
  started: TIME,
  ended: TIME,
});
const RECORDS = z.object({ actions: z.array(ACTION), documents: z.array(z.string()) });
const FINISHED = RECORDS.extend({ node: NAMED.extend({ tree: SHA, items: COUNT, skipped: COUNT, ended: TIME }) });
const UNFINISHED = RECORDS.extend({ node: NAMED.extend({ tree: z.null() }) });
const NODE_PREIMAGE = z.looseObject({ stage: z.string(), code: SHA, inputs: z.record(z.string(), SHA) });
const ACTION_PREIMAGE = z.looseObject({ recipe: SHA, item: z.string().nullable() });

/**
 * Reads a bundle.
 * @throws {BadObjectError} that names it and where it is from, unless it is sound: see the module's header.
 */
export function parseBundle(
  bytes: Uint8Array,
  { key, from }: { readonly key: string; readonly from: string },
): AnyBundle {
  const refuse = (why: string): never => {
    throw new BadObjectError(`${from}: the records ${key} ${why}`);
  };
  const text = decode(bytes) ?? refuse("are damaged: they are not UTF-8");
  const [, start, sum] = /^(.*),"sum":"([0-9a-f]{64})"\}$/s.exec(text) ??
    refuse("are damaged, or of an earlier version: they lack their checksum");
  if (sha256(`${start}}`) !== sum) refuse("are damaged: their checksum is another");
  const value = fromJson(text);
  const finished = FINISHED.safeParse(value);
  const parsed = finished.success ? finished : UNFINISHED.safeParse(value);
  if (!parsed.success) return refuse(`are damaged: they have another form ${place(finished.error ?? parsed.error)}`);
  const bundle: AnyBundle = parsed.data;
  const fault = faultOf(bundle, key);
  return fault === null ? bundle : refuse(fault);
}

/** What is wrong with a bundle of the right form, or null. */
function faultOf(bundle: AnyBundle, key: string): string | null {
  const { node, actions } = bundle;
  if (node.key !== key || sha256(node.preimage) !== key) return "are those of another stage";
  const preimage = NODE_PREIMAGE.safeParse(fromJson(node.preimage));
  if (!preimage.success || preimage.data.stage !== node.stage) {
    return "are damaged: their key document has another form";
  }
  // its form has just been checked, as far as it is read here
  const recipe = recipeKey(JSON.parse(node.preimage)).key;
  for (const action of actions) {
    const own = ACTION_PREIMAGE.safeParse(fromJson(action.preimage));
    const belongs = own.success && sha256(action.preimage) === action.key && own.data.recipe === recipe &&
      own.data.item === action.item && action.stage === node.stage;
    if (!belongs) return `hold the item record ${action.key}, which is not the stage's`;
    const fault = filesFault(action.files) ?? itemFault(action);
    if (fault !== null) return fault;
  }
  if (!isFinished(bundle)) return null;
  const text = bundle.documents.find((document) => sha256(document) === bundle.node.tree);
  if (text === undefined) return `lack the listing ${bundle.node.tree}`;
  const listing = LISTING.safeParse(fromJson(text));
  if (!listing.success) return `are damaged: their listing has another form ${place(listing.error)}`;
  const fault = filesFault(listing.data.files);
  if (fault !== null) return fault;
  if (listing.data.skipped.length !== bundle.node.skipped) return "count other skipped items than they list";
  const within = rowsOf(listing.data);
  const stranger = actions.find((action) => !within.holds(action));
  return stranger === undefined ? null : `hold the item record ${stranger.key}, whose files the listing does not have`;
}

/** What is wrong with the paths of a result, or null. */
function filesFault(files: readonly FileRow[]): string | null {
  const paths = new Set<string>();
  for (const [path] of files) {
    const fault = pathFault(path);
    if (fault !== null) return `name the file ${JSON.stringify(path)}, which ${fault}`;
    if (paths.has(path)) return `name the file ${JSON.stringify(path)} twice`;
    paths.add(path);
  }
  const both = fileAndFolder(paths);
  return both === null ? null : `name ${JSON.stringify(both)} as a file and as a folder`;
}

/** What is wrong with what an execution left, or null. */
function itemFault({ key, item, files, skipped }: ActionRecord): string | null {
  const stranger = item === null ? undefined : files.find(([path]) => !isOfItem(path, item));
  if (stranger !== undefined) return `give the item ${JSON.stringify(item)} the file ${JSON.stringify(stranger[0])}`;
  return hasResult({ item, files, skipped }) ? null : `hold the item record ${key} without a result`;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Undefined where the text is not JSON, which no schema takes. */
function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Where a value is not as it should be. */
function place({ issues: [issue] }: z.ZodError): string {
  return issue === undefined || issue.path.length === 0 ? "as a whole" : `at "${issue.path.join(".")}"`;
}

interface InstallOptions {
  readonly state: State;
  readonly store: Store;
  readonly run: number;
}

/**
 * Records bundles whose blobs are in the store by now, in one step, as come in before the run of the given number.
 * Where another result of the same key is there and whole, as of a stage that is not the same to the bit every time,
 * that one stays: what was made here is made of it.
 */
export function installBundles(bundles: readonly AnyBundle[], { state, store, run }: InstallOptions): void {
  state.transaction(() => {
    for (const bundle of bundles) {
      const { node, documents, actions } = bundle;
      const here = wholeRecord(node.key, { state, store });
      const taken = isFinished(bundle) && (here === null || here.tree === node.tree);
      for (const document of documents) state.putDocument(document);
      state.recordActions(
        taken ? actions : actions.filter((action) => usableRecord(action, { state, store }) === null),
      );
      if (taken) state.recordNode(bundle.node, run);
      else if (here !== null) state.recordNode(here, run);
      else state.putDocument(node.preimage);
    }
  });
}

/** The record of a stage whose files are all there, or null. */
function wholeRecord(key: string, { state, store }: Pick<InstallOptions, "state" | "store">): NodeRecord | null {
  const record = recordOf(key, state);
  const listing: Listing | null = JSON.parse(state.node(key)?.listing ?? "null");
  const whole = listing?.files.every(([, sha256, size]) => hasBlob(store, { sha256, size })) ?? false;
  return whole ? record : null;
}
