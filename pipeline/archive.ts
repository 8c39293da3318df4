/** A run's results as one tar file, for another machine: records and blobs, checked when they are taken in. */
import { blobsOf, type Bundle, bundlesOf, installBundles, parseBundle, readRun } from "./closure.ts";
import { PipelineError } from "./errors.ts";
import { sha256 } from "./hash.ts";
import { nextRun } from "./run_record.ts";
import { openState } from "./state.ts";
import { blobPath, checkBlob, commit, type Digest, existingStore, hasBlob, openStore, stageBytes } from "./store.ts";
import { readTar, type TarEntry, writeTar } from "./tar.ts";

/** What travelled. */
export interface Transfer {
  readonly stages: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** Where from, and which run; default: the latest. */
export interface ExportOptions {
  readonly store?: string;
  readonly run?: string;
}

/** Writes a run's finished stages to a tar file. Refuses damaged blobs. The same results give the same bytes. */
export async function exportRun(path: string, { store: root = ".ftim", run }: ExportOptions = {}): Promise<Transfer> {
  using store = await openStore(existingStore(root), { readOnly: true });
  using state = openState(store.records, { warn: console.error });
  const keys = Object.values(readRun(store.root, run).stages).map(({ key }) => key);
  const bundles = bundlesOf(keys, state);
  const blobs = distinct(bundles.flatMap((bundle) => blobsOf(bundle)));
  for (const blob of blobs) {
    const found = await checkBlob(store, blob);
    if (found !== "ok") {
      throw new PipelineError(`blob ${blob.sha256} is ${found}; run fsck, then reproduce, then export`);
    }
  }
  const entries: TarEntry[] = blobs.map(({ sha256, size }) => ({
    name: `sha256/${sha256}`,
    size,
    read: async () => (await Deno.open(blobPath(store, sha256))).readable,
  }));
  for (const bundle of bundles) entries.push(textEntry(`nodes/${bundle.node.key}.json`, JSON.stringify(bundle)));
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await writeTar(temporary, entries);
    Deno.renameSync(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => null);
    throw error;
  }
  return { stages: bundles.length, blobs: blobs.length, bytes: blobs.reduce((sum, { size }) => sum + size, 0) };
}

/** Takes a tar file's results into a store. Nothing is recorded unless all of it is sound. */
export async function importRun(
  path: string,
  { store: root = ".ftim" }: { readonly store?: string } = {},
): Promise<Transfer> {
  using store = await openStore(root);
  using state = openState(store.records, { warn: console.error });
  const bundles: Bundle[] = [];
  let [blobs, bytes] = [0, 0];
  for await (const entry of readTar(path)) {
    const [folder, name = ""] = entry.name.split("/");
    if (folder === "nodes") {
      bundles.push(parseBundle(new TextDecoder().decode(entry.bytes), name.replace(/\.json$/, "")));
    } else if (folder === "sha256") {
      if (sha256(entry.bytes) !== name) {
        throw new PipelineError(`${path}: blob ${name} is damaged; nothing was recorded`);
      }
      await commit(store, [stageBytes(store, entry.bytes)]);
      blobs++;
      bytes += entry.bytes.length;
    } else throw new PipelineError(`${path} is not an export: it holds "${entry.name}"`);
  }
  const absent = bundles.flatMap((bundle) => blobsOf(bundle)).filter((blob) => !hasBlob(store, blob));
  if (absent.length > 0) throw new PipelineError(`${path} lacks ${absent.length} blobs; nothing was recorded`);
  installBundles(bundles, { state, run: nextRun(store.root) });
  return { stages: bundles.length, blobs, bytes };
}

/** Each blob once, in order of its name. */
export function distinct(blobs: readonly Digest[]): readonly Digest[] {
  const byName = new Map(blobs.map((blob) => [blob.sha256, blob]));
  return [...byName.values()].sort((a, b) => a.sha256 < b.sha256 ? -1 : 1);
}

function textEntry(name: string, text: string): TarEntry {
  const bytes = new TextEncoder().encode(text);
  return { name, size: bytes.length, read: () => new Blob([bytes]).stream() };
}
