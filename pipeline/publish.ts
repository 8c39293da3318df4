/** Copies a result out of the store, to where people look for it. */
import { dirname } from "node:path";
import { hashFile } from "./hash.ts";
import { openLedger } from "./ledger.ts";
import { checkPath } from "./path.ts";
import type { FileRow } from "./state.ts";
import { replaceFile, sweepTemporaries } from "./temporary.ts";
import type { Tree } from "./tree.ts";

/** How to publish. */
export interface PublishOptions {
  /**
   * Whose files these are: the store keeps what this target published into this folder, so that a later publishing
   * removes what the target makes no more. Default: nothing is kept, and nothing removed.
   */
  readonly remember?: { readonly store: string; readonly target: string };
}

/** What a publishing did to the files of a folder, by relative path. */
export interface Publication {
  readonly written: readonly string[];
  /** What an earlier publishing of the same target had written there, and this one does not make. */
  readonly removed: readonly string[];
  /** As `removed`, but edited since: such a file stays, and counts as the user's from now on. */
  readonly edited: readonly string[];
}

/**
 * Writes a tree's files below a folder, each as one step, and only those that differ. Files there of another origin
 * are left alone. A tree with a path that leads out of the folder is refused before anything is written.
 */
export async function publish(
  tree: Tree,
  directory: string,
  { remember }: PublishOptions = {},
): Promise<Publication> {
  for (const path of tree.paths) checkPath(path, "publish: the path");
  Deno.mkdirSync(directory, { recursive: true });
  const folders = new Set(tree.paths.map((path) => dirname(`${directory}/${path}`)));
  for (const folder of folders) {
    Deno.mkdirSync(folder, { recursive: true });
    sweepTemporaries(folder);
  }
  const rows = tree.paths.map((path): FileRow => [path, tree.entry(path).sha256, tree.entry(path).size]);
  const ledger = remember === undefined ? null : openLedger(directory, remember);
  // before the first is written, so that what a killed publishing wrote is known too
  const earlier = ledger?.rows() ?? [];
  const known = new Set(earlier.map((row) => row.join()));
  if (rows.some((row) => !known.has(row.join()))) ledger?.note([...earlier, ...rows]);
  const written: string[] = [];
  for (const row of rows) {
    if (await isSame(`${directory}/${row[0]}`, row)) continue;
    await replaceFile(`${directory}/${row[0]}`, await tree.bytes(row[0]));
    written.push(row[0]);
  }
  const kept = new Set([...rows, ...ledger?.others() ?? []].map(([path]) => path));
  const gone = await removeOld(directory, { earlier, kept });
  ledger?.note(rows);
  return { written, ...gone };
}

interface Old {
  readonly earlier: readonly FileRow[];
  /** Paths that this target, or another one, publishes here. */
  readonly kept: ReadonlySet<string>;
}

async function removeOld(directory: string, { earlier, kept }: Old): Promise<Omit<Publication, "written">> {
  const [removed, edited] = [new Set<string>(), new Set<string>()];
  for (const row of earlier) {
    const [path] = row;
    if (kept.has(path) || removed.has(path) || !exists(`${directory}/${path}`)) continue;
    if (!await isSame(`${directory}/${path}`, row)) {
      edited.add(path);
      continue;
    }
    Deno.removeSync(`${directory}/${path}`);
    removed.add(path);
    removeEmpty(directory, dirname(path));
  }
  return { removed: [...removed], edited: [...edited].filter((path) => !removed.has(path)) };
}

/** Removes a folder below another one, and those between, as far as they are empty. */
function removeEmpty(directory: string, folder: string): void {
  for (let at = folder; at !== "." && [...Deno.readDirSync(`${directory}/${at}`)].length === 0; at = dirname(at)) {
    Deno.removeSync(`${directory}/${at}`);
  }
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

async function isSame(path: string, [, sha256, size]: FileRow): Promise<boolean> {
  try {
    if ((await Deno.stat(path)).size !== size) return false;
    return (await hashFile(path)).sha256 === sha256;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
