/** A run's results as one tar file, for another machine: records and blobs, checked when they are taken in. */
import { dirname, join, resolve } from "node:path";
import { blobPath, checkBlob, type Digest, hasBlob } from "./blobs.ts";
import {
  type AnyBundle,
  anyBundlesOf,
  blobsOf,
  bundleText,
  installBundles,
  isFinished,
  parseBundle,
} from "./bundle.ts";
import { collect, fileChunks, once } from "./chunks.ts";
import { readRun } from "./closure.ts";
import { BadObjectError, PipelineError } from "./errors.ts";
import { checkAborted } from "./lanes.ts";
import { receive } from "./receive.ts";
import { checkOutsideStores, checkPlace, explainPlaceFailure } from "./place.ts";
import { nextRun } from "./run_record.ts";
import { openState, type State } from "./state.ts";
import { existingStore, openStore, type Store } from "./store.ts";
import { openTally, type TravelOptions } from "./tally.ts";
import { readTar, type TarEntry, type TarFile, writeTar } from "./tar.ts";

/** What travelled. */
export interface Transfer {
  /** Finished stages. */
  readonly stages: number;
  /** Unfinished stages, of which the items that were done travelled. */
  readonly unfinished: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** Where from, and which run; default: the latest. */
export interface ExportOptions extends TravelOptions {
  readonly run?: string;
}

/**
 * Writes a run's results to a tar file: its finished stages, and of those that an interruption left unfinished the
 * items that are done. Refuses damaged blobs, and a run that has nothing. The same results give the same bytes.
 */
export async function exportRun(path: string, options: ExportOptions = {}): Promise<Transfer> {
  const { store: root = ".ftim", run, signal, progress } = options;
  checkTarget(path);
  using store = await openStore(existingStore(root), { readOnly: true });
  using state = openState(store.records, { warn: console.error });
  const bundles = bundlesOfRun({ store, state, run });
  const blobs = distinct(bundles.flatMap((bundle) => blobsOf(bundle)));
  const tally = openTally(blobs, progress);
  for (const blob of blobs) {
    checkAborted(signal);
    const found = await checkBlob(store, blob);
    if (found !== "ok") {
      throw new PipelineError(`blob ${blob.sha256} is ${found}; run fsck, then reproduce, then export`);
    }
  }
  const entries: TarEntry[] = blobs.map((blob) => ({
    name: `sha256/${blob.sha256}`,
    size: blob.size,
    read: () => tally.counted(fileChunks(blobPath(store, blob.sha256), { size: blob.size, signal })),
    written: tally.done,
  }));
  for (const bundle of bundles) entries.push(textEntry(`nodes/${bundle.node.key}.json`, bundleText(bundle)));
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await writeTar(temporary, entries);
    Deno.renameSync(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => null);
    checkAborted(signal);
    throw explainPlaceFailure(error, `${path} cannot be written`);
  }
  return transferOf(bundles, blobs);
}

/** Throws for what cannot be the file of an export, before the work is done. */
function checkTarget(path: string): void {
  checkPlace(path, "the name of the export's file");
  checkOutsideStores(dirname(resolve(path)), "the export's folder");
  try {
    if (isFolder(path)) {
      throw new PipelineError(`${path} is a folder: name a file in it, such as ${join(path, "run.tar")}`);
    }
    // as a file is made there
    Deno.statSync(`${dirname(path)}/.`);
  } catch (error) {
    throw explainPlaceFailure(error, `${path} cannot be written`);
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Records of more bytes than this are refused: nothing that was taken in should fill the memory. */
export const RECORDS_LIMIT = 256 << 20;

/** Takes a tar file's results into a store. Nothing is recorded unless all of it is sound. */
export async function importRun(path: string, options: TravelOptions = {}): Promise<Transfer> {
  const { store: root = ".ftim", signal, progress } = options;
  checkPlace(path, "the name of the import's file");
  using store = await openStore(root);
  using state = openState(store.records, { warn: console.error });
  const bundles = new Map<string, AnyBundle>();
  const blobs: Digest[] = [];
  const tally = openTally(null, progress);
  for await (const file of readTar(path)) {
    checkAborted(signal);
    const [, sha256] = /^sha256\/([0-9a-f]{64})$/.exec(file.name) ?? [];
    if (sha256 === undefined) {
      const bundle = await readBundle(file, path).catch(recordedNothing);
      const { key } = bundle.node;
      if (bundles.has(key)) throw new BadObjectError(`${path} holds the records ${key} twice; nothing was recorded`);
      bundles.set(key, bundle);
      continue;
    }
    const blob = { sha256, size: file.size };
    await receive(tally.counted(file.chunks), { store, blob, from: path }).catch(recordedNothing);
    tally.done();
    blobs.push(blob);
  }
  const absent = [...bundles.values()].flatMap((bundle) => blobsOf(bundle)).filter((blob) => !hasBlob(store, blob));
  if (absent.length > 0) throw new BadObjectError(`${path} lacks ${absent.length} objects; nothing was recorded`);
  installBundles([...bundles.values()], { state, store, run: nextRun(store.root) });
  return transferOf([...bundles.values()], blobs);
}

async function readBundle({ name, chunks }: TarFile, path: string): Promise<AnyBundle> {
  const [, key] = /^nodes\/([0-9a-f]{64})\.json$/.exec(name) ?? [];
  if (key === undefined) throw new BadObjectError(`${path} is not an export: it holds ${JSON.stringify(name)}`);
  const bytes = await collect(chunks, { limit: RECORDS_LIMIT, what: `${path}: the file of the records ${key}` });
  return parseBundle(bytes, { key, from: path });
}

function recordedNothing(error: unknown): never {
  if (!(error instanceof BadObjectError)) throw error;
  throw new BadObjectError(`${error.message}; nothing was recorded`, { cause: error });
}

/** What a run has to give. Throws where that is nothing. */
export function bundlesOfRun(
  { store, state, run }: { readonly store: Store; readonly state: State; readonly run: string | undefined },
): readonly AnyBundle[] {
  const { id, stages } = readRun(store.root, run);
  const bundles = anyBundlesOf(Object.values(stages).map(({ key }) => key), state);
  if (bundles.length > 0) return bundles;
  throw new PipelineError(`the run ${id} has no finished stage and no finished item, so there is nothing to send`);
}

/** Counts bundles and blobs. */
export function transferOf(bundles: readonly AnyBundle[], blobs: readonly Digest[]): Transfer {
  const stages = bundles.filter(isFinished).length;
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  return { stages, unfinished: bundles.length - stages, blobs: blobs.length, bytes };
}

/** Each blob once, in order of its name. */
export function distinct(blobs: readonly Digest[]): readonly Digest[] {
  const byName = new Map(blobs.map((blob) => [blob.sha256, blob]));
  return [...byName.values()].sort((a, b) => a.sha256 < b.sha256 ? -1 : 1);
}

function textEntry(name: string, text: string): TarEntry {
  const bytes = new TextEncoder().encode(text);
  return { name, size: bytes.length, read: () => once(bytes) };
}
