/**
 * Whose result a folder holds. A result says in `source.json` which photograph made it and which files it wrote, so
 * that no other photograph's result, and no file of the user's, is ever replaced.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { hashFile } from "@ftim/pipeline";

/** What identifies a photograph. */
export interface Identity {
  /** Where it really lies, links followed; null for one that came through standard input. */
  readonly path: string | null;
  /** Of its content; of scores, which are of folders, of their paths. */
  readonly sha256: string;
}

const hashes = z.record(z.string(), z.string());
const sourceRecord = z.object({
  schema: z.literal(1),
  photograph: z.string().nullable(),
  sha256: z.string(),
  files: hashes,
  /** While files are put in place: those that lay there before. */
  earlier: hashes.optional(),
});

/** `source.json` of a result: the photograph, and the sha256 of each file by its path in the folder. */
export type SourceRecord = z.infer<typeof sourceRecord>;

/** The file that says whose result a folder holds. */
export const RECORD = "source.json";
/** What is known of one face in numbers. */
export const FACE_RECORD = "face.json";
/** The files of one face. */
export const FACE_FILES = [
  "texture.png",
  "albedo.png",
  "overlay.png",
  "face.glb",
  "face_albedo.glb",
  "face.obj",
  "face.mtl",
  FACE_RECORD,
] as const;
/** The photograph with all faces pasted in. */
export const PASTED = "photograph.png";
/** The page of all results in a folder. */
export const PAGE = "index.html";

const TOP: readonly string[] = [...FACE_FILES, PASTED, RECORD];

/** What a folder's result says of itself; null where there is none. */
export async function readRecord(folder: string): Promise<SourceRecord | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(join(folder, RECORD));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
  try {
    return sourceRecord.parse(JSON.parse(text));
  } catch {
    // a file of that name that is not ours
    return null;
  }
}

/** How much a folder's result is a photograph's own: by its path, by its content only, or not. */
export type Kinship = "path" | "content" | "none";

/** Whether a record is of this photograph. One that was edited where it lies is the same photograph. */
export function kinshipOf(record: SourceRecord | null, { path, sha256 }: Identity): Kinship {
  if (record === null) return "none";
  if (path !== null && record.photograph === path) return "path";
  return record.sha256 === sha256 ? "content" : "none";
}

/** Why a photograph's result may not be written into a folder. */
export interface Objection {
  readonly reason: string;
  /** A photograph of the user's would be written over. */
  readonly photograph: boolean;
}

/**
 * Looks for what must not be written over in a folder: photographs, another photograph's result, links, and files that
 * no earlier run wrote or that were edited since.
 *
 * @param photographs device and inode (`dev:ino`) of all photographs of this run
 * @returns null where the result may be written
 */
export async function objectionTo(
  folder: string,
  { identity, photographs }: { readonly identity: Identity; readonly photographs: ReadonlySet<string> },
): Promise<Objection | null> {
  if ((await followed(folder))?.isDirectory === false) return no(`${folder} is a file where a folder must be`);
  const occupied = await occupants(folder);
  for (const path of occupied) {
    const info = await Deno.lstat(join(folder, path));
    if (photographs.has(inodeOf(await followed(join(folder, path)) ?? info))) {
      return { reason: `${join(folder, path)} is a photograph that is to be reconstructed`, photograph: true };
    }
    if (info.isSymlink) return no(`${join(folder, path)} is a link, and what lies behind it is not ours to replace`);
    if (info.isDirectory !== /^\d+$/.test(path)) return no(`${join(folder, path)} is in the way`);
  }
  const record = await readRecord(folder);
  const files = (await Promise.all(occupied.map(async (path) => {
    return (await Deno.lstat(join(folder, path))).isFile && path.toLowerCase() !== RECORD ? [path] : [];
  }))).flat();
  const [first] = record === null ? occupied.filter((path) => !/^\d+$/.test(path)) : files;
  if (first === undefined) return null;
  if (record === null) return no(`${join(folder, first)} is there, and no earlier run of this photograph made it`);
  if (kinshipOf(record, identity) === "none") {
    return no(`the result of another photograph (${record.photograph ?? "from standard input"}) is in ${folder}`);
  }
  for (const path of files) {
    const known = [record.files[path], record.earlier?.[path]];
    if (!known.includes((await hashFile(join(folder, path))).sha256)) {
      const how = known[0] === undefined ? "was not made by an earlier run" : "was changed since it was made";
      return no(`${join(folder, path)} ${how}`);
    }
  }
  return null;
}

/** What two names of one file share, whatever links and letter case they are reached by. */
export function inodeOf({ dev, ino }: Pick<Deno.FileInfo, "dev" | "ino">): string {
  return `${dev}:${ino}`;
}

function no(reason: string): Objection {
  return { reason, photograph: false };
}

async function followed(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch {
    // not there, or a link that leads nowhere
    return null;
  }
}

/** Relative paths of all in a folder that has the name of a file or folder of a result, in whatever letter case. */
async function occupants(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await entriesOf(folder)) {
    if (TOP.includes(entry.name.toLowerCase())) found.push(entry.name);
    if (!/^\d+$/.test(entry.name)) continue;
    found.push(entry.name);
    if (!entry.isDirectory()) continue;
    for (const { name } of await entriesOf(join(folder, entry.name))) {
      if ((FACE_FILES as readonly string[]).includes(name.toLowerCase())) found.push(`${entry.name}/${name}`);
    }
  }
  return found.sort();
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    // what is no folder, or not there, holds nothing
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return [];
    throw error;
  }
}
