/** Copies a result out of the store, to where people look for it. */
import { dirname } from "node:path";
import { PipelineError } from "./errors.ts";
import { hashFile } from "./hash.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { checkPath } from "./path.ts";
import { checkOutsideStores, checkPlace, explainPlaceFailure } from "./place.ts";
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
 * are left alone.
 *
 * @throws before anything is written, for a path that leads out of the folder (also through a link inside it) or into
 * a store, and for one that another target publishes there with other bytes
 */
export async function publish(
  tree: Tree,
  directory: string,
  { remember }: PublishOptions = {},
): Promise<Publication> {
  for (const path of tree.paths) checkPath(path, "publish: the path");
  checkPlace(directory, "publish: the name of the results folder");
  const folders = new Set([".", ...tree.paths.map((path) => dirname(path))]);
  for (const folder of folders) checkFolder(directory, folder);
  makeFolder(directory);
  const rows = tree.paths.map((path): FileRow => [path, tree.entry(path).sha256, tree.entry(path).size]);
  const ledger = remember === undefined ? null : openLedger(directory, remember);
  if (ledger !== null) await checkOthers(rows, { directory, ledger, target: remember?.target ?? "" });
  const earlier = ledger?.rows() ?? [];
  // a file of ours gives way to a folder of that name, and the other way round
  const [files, needed] = [new Set(tree.paths), new Set(tree.paths.flatMap(foldersAbove))];
  const inTheWay = earlier.filter(([path]) => needed.has(path) || foldersAbove(path).some((above) => files.has(above)));
  const cleared = await removeOld(directory, { earlier: inTheWay, kept: new Set() });
  for (const folder of folders) makeFolder(`${directory}/${folder}`);
  // before the first is written, so that what a killed publishing wrote is known too
  const known = new Set(earlier.map((row) => row.join()));
  if (rows.some((row) => !known.has(row.join()))) ledger?.note([...earlier, ...rows]);
  const written: string[] = [];
  for (const row of rows) {
    if (await isSame(`${directory}/${row[0]}`, row)) continue;
    await replaceFile(`${directory}/${row[0]}`, await tree.bytes(row[0]));
    written.push(row[0]);
  }
  const kept = new Set([...rows, ...[...ledger?.others().values() ?? []].flat()].map(([path]) => path));
  const gone = await removeOld(directory, { earlier, kept });
  ledger?.note(rows);
  return {
    written,
    removed: [...cleared.removed, ...gone.removed],
    edited: [...new Set([...cleared.edited, ...gone.edited])],
  };
}

/** The folders that a relative path lies in. */
function foldersAbove(path: string): readonly string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

/** Throws for a folder that lies in a store, or that a link inside the published one leads to. */
function checkFolder(directory: string, folder: string): void {
  checkOutsideStores(`${directory}/${folder}`, "publish: the folder");
  const link = linkAbove(directory, `${folder}/file`);
  if (link === null) return;
  throw new PipelineError(
    `publish: ${directory}/${link} is a link, and what lies behind it is not ours to replace: remove the link first`,
  );
}

/** The first link among the folders of a path below another folder; null: none. */
function linkAbove(directory: string, path: string): string | null {
  const names = dirname(path).split("/").filter((name) => name !== ".");
  for (let count = 1; count <= names.length; count++) {
    const folder = names.slice(0, count).join("/");
    try {
      if (Deno.lstatSync(`${directory}/${folder}`).isSymlink) return folder;
    } catch {
      // not there, or not to be looked at: making it will say so
      return null;
    }
  }
  return null;
}

/** Makes a folder, and removes from it what a killed publishing left. */
function makeFolder(folder: string): void {
  try {
    Deno.mkdirSync(folder, { recursive: true });
    sweepTemporaries(folder);
  } catch (error) {
    cannotPublish(folder)(error);
  }
}

function cannotPublish(path: string): (error: unknown) => never {
  return (error) => {
    throw explainPlaceFailure(error, `publish: ${path} cannot be written`);
  };
}

interface Others {
  readonly directory: string;
  readonly ledger: Ledger;
  readonly target: string;
}

/** Throws where a file would replace another target's; not where that one's is gone, or was edited meanwhile. */
async function checkOthers(rows: readonly FileRow[], { directory, ledger, target }: Others): Promise<void> {
  // two targets that agreed so far may change to the same new bytes, one after the other
  const mine = new Set(ledger.rows().map((row) => row.join()));
  const made = new Map(rows.map((row) => [row[0], row.join()]));
  for (const [other, theirs] of ledger.others()) {
    for (const row of theirs) {
      const [path] = row;
      const now = made.get(path);
      if (now === undefined || now === row.join() || mine.has(row.join())) continue;
      if (!await isSame(`${directory}/${path}`, row)) continue;
      const advice = `publish one of them into another folder, or remove the file if "${other}" is made no more`;
      throw new PipelineError(
        `publish: both "${other}" and "${target}" make ${directory}/${path}, with other bytes: ${advice}`,
      );
    }
  }
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
    if (linkAbove(directory, path) !== null || !await isSame(`${directory}/${path}`, row)) {
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
    const found = await Deno.stat(path);
    // what is no file, such as a pipe, is not opened
    if (!found.isFile || found.size !== size) return false;
    return (await hashFile(path)).sha256 === sha256;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.FilesystemLoop) return false;
    return cannotPublish(path)(error);
  }
}
