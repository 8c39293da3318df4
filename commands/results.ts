/** What commands leave in `results/<experiment>/`, for runs of now and of before. */
import { gzipSync } from "node:zlib";
import {
  crateOf,
  findRun,
  hashFile,
  type Publication,
  publish,
  replaceFile,
  timelinePage,
  type Tree,
} from "@ftim/pipeline";
import { type Common, folderOf, FULL_SIZE, type Named, nameOf } from "./common.ts";
import { machineOf } from "./facts.ts";
import { HASH_FILE } from "../experiments/photographs/hash_file.ts";

/** Where results go. */
export type Place = Pick<Common, "results" | "store"> & Named;

/** The folder that a target is published in. */
export function targetFolder(target: string, place: Place): string {
  return FULL_SIZE.includes(target) ? `${folderOf(place)}/full` : folderOf(place);
}

/** Publishes trees by target, says what became of earlier files, and returns how many were written. */
export async function publishTargets(trees: Readonly<Record<string, Tree>>, place: Place): Promise<number> {
  let count = 0;
  for (const [target, tree] of Object.entries(trees)) {
    const folder = targetFolder(target, place);
    const done = await publish(tree, folder, { remember: { store: place.store, target } });
    sayPublished(done, { target, folder });
    count += done.written.length;
    if (target === "trained") await writeHash(folder);
  }
  return count;
}

/** A target that holds nothing. */
const NOTHING = { paths: [], skipped: new Map(), has: () => false } as Pick<Tree, "paths" | "skipped" | "has"> as Tree;

/**
 * Takes back what earlier runs published of targets that there are no more: a picture that may not be shown any longer
 * must not stay.
 */
export async function withdrawTargets(targets: readonly string[], place: Place): Promise<void> {
  for (const target of targets) {
    const folder = targetFolder(target, place);
    if (await Deno.stat(folder).then(() => false, () => true)) continue;
    sayPublished(await publish(NOTHING, folder, { remember: { store: place.store, target } }), { target, folder });
  }
}

/** Writes the hash of the published networks beside them, by which `reconstruct` knows that they are not damaged. */
export async function writeHash(folder: string): Promise<void> {
  const { sha256 } = await hashFile(`${folder}/trained.safetensors`);
  await replaceFile(`${folder}/${HASH_FILE}`, new TextEncoder().encode(`${sha256}  trained.safetensors\n`));
}

/** Says what became of files that a target made before, and makes no more. */
export function sayPublished(
  { removed, edited }: Publication,
  { target, folder }: { readonly target: string; readonly folder: string },
): void {
  for (const path of removed) {
    console.log(`removed ${folder}/${path}, which ${target} made before and does not make now`);
  }
  for (const path of edited) console.log(`kept ${folder}/${path}: ${target} does not make it now, but it was edited`);
}

/** Writes the page that says where a run's time went. */
export async function writeTimeline(run: string, place: Place): Promise<void> {
  const record = findRun(run, place);
  const page = timelinePage(record, { facts: [["machine", machineOf(record)]] });
  await replaceFile(`${folderOf(place)}/full/run.html`, new TextEncoder().encode(page));
}

interface CrateOptions extends Place {
  /** Default: the latest run. */
  readonly run?: string;
  /** Nothing ran and no file was written: a crate that is there tells of these results already. */
  readonly changed: boolean;
}

/** Writes a run's crate, compressed, beside its results. */
export async function writeCrate(file: string, { run, changed, ...place }: CrateOptions): Promise<void> {
  const path = `${folderOf(place)}/${file}.gz`;
  if (!changed && await Deno.stat(path).then(() => true, () => false)) return;
  const crate = await crateOf({
    store: place.store,
    ...(run === undefined ? {} : { run }),
    file,
    name: "Towards High-Fidelity Facial Texture Reconstruction, reproduced",
    description: `Tables, figures and reports of the experiment "${nameOf(place)}", with all that they were made from.`,
    license: "https://spdx.org/licenses/MIT",
    workflow: "../../main.ts",
    folders: Object.fromEntries(FULL_SIZE.map((name) => [name, "full"])),
  });
  await replaceFile(path, gzipSync(`${JSON.stringify(crate, null, 1)}\n`));
}
