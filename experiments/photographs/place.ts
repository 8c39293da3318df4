/** Where the result of a photograph goes, whether it can be written there, and how it is put in place. */
import { statfs } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { explainPlaceFailure, sha256 } from "@ftim/pipeline";
import { type Identity, kinshipOf, objectionTo, PAGE, readRecord, RECORD, type SourceRecord } from "./owner.ts";
import { PICTURE_NAME } from "./format.ts";
import { isDenied, ReconstructError } from "./refused.ts";

/** A result takes about so many bytes beside its photograph. */
const RESULT_BYTES = 16_000_000;
/** So many folders of one name are looked at before a person is asked. */
const MOST_NAMES = 10_000;

/** The name of a photograph's folder: its own without its extension, without what hides it or divides paths. */
export function folderNameOf(photo: string): string {
  const name = basename(photo).replace(PICTURE_NAME, "").replace(/^\.+/, "");
  const plain = [...name].map((letter) => letter < " " || letter === "\x7f" || letter === "\\" ? "_" : letter).join("");
  const short = shortened(plain);
  // the page of all results has this name
  return short.trim() === "" ? "photograph" : short.toLowerCase() === PAGE ? `${short}_` : short;
}

/** Bytes that a folder's name has at most; systems allow 255, and a number may come behind it. */
const LONGEST = 240;

/** As much of a name as fits, in whole letters. */
function shortened(name: string): string {
  const letters = [...name];
  while (new TextEncoder().encode(letters.join("")).length > LONGEST) letters.pop();
  return letters.join("");
}

/** What a choice of folder rests on. */
export interface Choice {
  readonly identity: Identity;
  /** Device and inode of all photographs of this run. */
  readonly photographs: ReadonlySet<string>;
  /** Folders that other photographs of this run write to, in lower case. */
  readonly taken: ReadonlySet<string>;
}

/**
 * The folder of that name in a parent, or, where that holds another photograph's result or files of the user's, the
 * first of `name-2`, `name-3`, … that does not.
 *
 * @returns the folder, and why it is not the first one; null where it is
 */
export async function chooseFolder(
  [parent, name]: readonly [parent: string, name: string],
  { identity, photographs, taken }: Choice,
): Promise<{ folder: string; because: string | null }> {
  const candidates: string[] = [];
  for (let number = 1; number <= MOST_NAMES; number++) {
    const folder = join(parent, number === 1 ? name : `${name}-${number}`);
    candidates.push(folder);
    if (!taken.has(resolve(folder).toLowerCase()) && !await isThere(folder)) break;
  }
  const kin = await Promise.all(candidates.map(async (folder) => kinshipOf(await readRecord(folder), identity)));
  const own = candidates.filter((_, i) => kin[i] === "path");
  const refusals = new Map<string, string>();
  for (const folder of [...own, ...candidates]) {
    const objection = taken.has(resolve(folder).toLowerCase())
      ? `another photograph of this run goes into ${folder}`
      : (await objectionTo(folder, { identity, photographs }))?.reason ?? null;
    if (objection !== null) refusals.set(folder, objection);
    else if (folder === candidates[0]) return { folder, because: null };
    else return { folder, because: refusals.get(join(parent, name)) ?? `its earlier result is there` };
  }
  const because = refusals.get(join(parent, name));
  throw new ReconstructError(`${join(parent, name)}: ${because}; name another folder with --output`);
}

/**
 * A new folder to work in, which the caller removes.
 *
 * @throws {ReconstructError} if the system has no place for it
 */
export async function makeWorkFolder(prefix: string): Promise<string> {
  try {
    return await Deno.makeTempDir({ prefix });
  } catch (cause) {
    const place = Deno.env.get("TMPDIR");
    const where = place === undefined ? "the system's folder for temporary files" : `TMPDIR (${place})`;
    throw new ReconstructError(`nothing can be written in ${where}: name another folder in TMPDIR`, { cause });
  }
}

/**
 * Checks that files can be made in a folder, without making it.
 *
 * @param bytes what is about to be written there
 * @throws {ReconstructError} if it cannot be made or written, or its disk has no room
 */
export async function checkWritable(folder: string, { bytes }: { readonly bytes: number }): Promise<void> {
  const above = await lowestFolder(resolve(folder), folder);
  try {
    await Deno.remove(await Deno.makeTempDir({ dir: above, prefix: ".ftim-" }));
  } catch (error) {
    throw unwritable(error, folder);
  }
  const { bavail, bsize } = await statfs(above);
  const fault = roomFault({ free: bavail * bsize, needed: bytes + RESULT_BYTES });
  if (fault !== null) throw new ReconstructError(`${folder} cannot be written: ${fault}`);
}

/** Why a disk has too little room, or null. Both in bytes. */
export function roomFault({ free, needed }: { readonly free: number; readonly needed: number }): string | null {
  if (free >= needed) return null;
  const [has, wants] = [Math.floor(free / 1e6), Math.ceil(needed / 1e6)];
  return `its disk has ${has} MB left and about ${wants} MB are needed: free some, or choose another folder`;
}

/** The lowest folder on the way to a path that is there. */
async function lowestFolder(path: string, asked: string): Promise<string> {
  try {
    if ((await Deno.stat(path)).isDirectory) return path;
  } catch (error) {
    const above = dirname(path);
    const absent = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    if (!absent || above === path || await isThere(path)) throw unwritable(error, asked);
    return await lowestFolder(above, asked);
  }
  throw new ReconstructError(
    `${asked} cannot be written: ${path} is a file where a folder must be; move it away, or choose another folder`,
  );
}

/**
 * Puts a result in place: all of it is written beside first, so that a failure leaves an earlier result whole. Then
 * what the earlier result of the same photograph had, and this one lacks, is removed, unless it was edited.
 *
 * @param files contents by path in the folder
 * @throws {ReconstructError} if the folder cannot be written
 */
export async function putInPlace(
  folder: string,
  { files, identity }: { readonly files: ReadonlyMap<string, Uint8Array>; readonly identity: Identity },
): Promise<void> {
  const known = await readRecord(folder);
  const earlier = { ...known?.earlier, ...known?.files };
  const made = Object.fromEntries([...files].map(([path, bytes]) => [path, sha256(bytes)]));
  const record: SourceRecord = { schema: 1, photograph: identity.path, sha256: identity.sha256, files: made };
  const isNew = !await isThere(folder);
  let beside: string | null = null;
  try {
    await Deno.mkdir(folder, { recursive: true });
    beside = await Deno.makeTempDir({ dir: folder, prefix: ".ftim-" });
    for (const [path, bytes] of files) await writeBelow(beside, path, bytes);
    await writeBelow(beside, "before", recordBytes({ ...record, earlier }));
    await writeBelow(beside, "after", recordBytes(record));
    await Deno.rename(join(beside, "before"), join(folder, RECORD));
    for (const path of files.keys()) {
      await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
      await Deno.rename(join(beside, path), join(folder, path));
    }
    for (const [path, hash] of Object.entries(earlier)) {
      if (made[path] === undefined) await removeUnedited(folder, path, hash);
    }
    await Deno.rename(join(beside, "after"), join(folder, RECORD));
  } catch (error) {
    throw unwritable(error, folder);
  } finally {
    if (beside !== null) await Deno.remove(beside, { recursive: true });
    if (isNew && await isThere(folder)) await removeEmpty(folder);
  }
}

async function writeBelow(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
  await Deno.writeFile(join(folder, path), bytes);
}

function recordBytes(record: SourceRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(record, null, 1)}\n`);
}

/** Removes a file that still has the content that a run gave it, and its folder if that is empty then. */
async function removeUnedited(folder: string, path: string, hash: string): Promise<void> {
  // a record could have been edited to name files elsewhere
  if (!/^(\d+\/)?[\w.]+$/.test(path)) return;
  const file = join(folder, path);
  const parent = dirname(path);
  if (parent !== "." && (await Deno.lstat(join(folder, parent)).catch(() => null))?.isSymlink !== false) return;
  const info = await Deno.lstat(file).catch(() => null);
  if (info?.isFile !== true || sha256(await Deno.readFile(file)) !== hash) return;
  await Deno.remove(file);
  if (parent !== ".") await removeEmpty(join(folder, parent));
}

async function removeEmpty(folder: string): Promise<void> {
  for await (const _ of Deno.readDir(folder)) return;
  await Deno.remove(folder);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    // what cannot be looked at is found out when it is written
    return false;
  }
}

function unwritable(error: unknown, folder: string): Error {
  if (isDenied(error)) {
    return new ReconstructError(`${folder} cannot be written: you have no permission there: choose another folder`);
  }
  const explained = explainPlaceFailure(error, `${folder} cannot be written`);
  return new ReconstructError(explained instanceof Error ? explained.message : String(explained), { cause: error });
}
