/** What a person names → photographs: files, folders, patterns in quotes, and standard input. */
import { glob, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isOurs } from "./contact_sheet.ts";
import { formatOf, HEAD_BYTES } from "./format.ts";
import { inodeOf, PAGE, readRecord, RECORD } from "./owner.ts";
import { isDenied, ReconstructError } from "./refused.ts";

/** A photograph to reconstruct. */
export interface Input {
  /** What the user called it, for messages: a path, or what stands for standard input. */
  readonly name: string;
  /** Null: its content came through standard input. */
  readonly path: string | null;
  /** Of standard input. */
  readonly content?: Uint8Array<ArrayBuffer>;
}

/** What was found. */
export interface Inputs {
  readonly inputs: readonly Input[];
  /** What was named and is no photograph that could be read. */
  readonly failed: readonly { readonly photo: string; readonly reason: string }[];
  /** Whether it was asked for several: each then has a folder of its own in the output folder. */
  readonly several: boolean;
  /** What a person should know. */
  readonly notes: readonly string[];
}

/** The name of what comes through standard input. */
const STDIN = "-";

/**
 * Finds the photographs that were named. A folder stands for the pictures in it and below, without what is hidden and
 * without results of earlier runs; what holds no picture there is left out and counted.
 *
 * @param here the folder that relative names start from
 */
export async function findPhotographs(named: readonly string[], { here }: { readonly here: string }): Promise<Inputs> {
  const inputs: Input[] = [];
  const failed: { photo: string; reason: string }[] = [];
  const notes: string[] = [];
  const seen = new Set<string>();
  let several = named.length > 1;
  const add = async (name: string) => {
    const path = resolve(here, name);
    const real = inodeOf(await Deno.stat(path));
    if (!seen.has(real)) inputs.push({ name, path });
    seen.add(real);
  };
  for (const name of named) {
    try {
      if (name === STDIN) {
        if (!seen.has(STDIN)) inputs.push({ name: "standard input", path: null, content: await readStdin() });
        seen.add(STDIN);
        continue;
      }
      const info = await infoOf(resolve(here, name));
      if (info?.isFile) {
        await add(name);
        continue;
      }
      if (info !== null && !info.isDirectory) throw new ReconstructError(`${name}: neither a file nor a folder`);
      if (info === null && name.includes(UNREADABLE)) throw new ReconstructError(`${name}: ${ODD_NAME}: rename it`);
      if (info === null && !/[*?[{]/.test(name)) throw new ReconstructError(`${name}: there is no such file`);
      several = true;
      const { files, odd } = info === null
        ? { files: await matches(name, here), odd: 0 }
        : await filesBelow(name, { here, results: new Set() });
      if (odd > 0) notes.push(`${name}: ${countOf(odd)} left out, for ${ODD_NAME}: rename what is so called`);
      const pictures: string[] = [];
      for (const file of files) if (await isPicture(resolve(here, file))) pictures.push(file);
      const others = files.length - pictures.length;
      if (pictures.length === 0) {
        const what = info === null ? "no picture has such a name" : "there is no picture in it";
        throw new ReconstructError(`${name}: ${what}${others === 0 ? "" : ` (${countOf(others)} that are none)`}`);
      }
      if (others > 0) notes.push(`${name}: ${countOf(others)} left out, not being pictures that can be read`);
      for (const file of pictures) await add(file);
    } catch (error) {
      const denied = isDenied(error);
      if (!denied && !(error instanceof ReconstructError)) throw error;
      failed.push({
        photo: name,
        reason: error instanceof ReconstructError ? error.message : `${name}: you may not read it`,
      });
    }
  }
  return { inputs, failed, several, notes };
}

function countOf(files: number): string {
  return files === 1 ? "1 file" : `${files} files`;
}

async function readStdin(): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await new Response(Deno.stdin.readable).bytes();
  if (bytes.length === 0) throw new ReconstructError("-: nothing came through standard input");
  return bytes;
}

async function infoOf(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    const { NotFound, NotADirectory, FilesystemLoop } = Deno.errors;
    if ([NotFound, NotADirectory, FilesystemLoop].some((kind) => error instanceof kind)) return null;
    // no file has a name that is longer than a name can be
    if (error instanceof Error && "code" in error && error.code === "ENAMETOOLONG") return null;
    throw error;
  }
}

async function matches(pattern: string, here: string): Promise<string[]> {
  const found: string[] = [];
  for await (const path of glob(pattern, { cwd: here })) {
    if ((await infoOf(resolve(here, path)))?.isFile) found.push(path);
  }
  return found.sort();
}

/** Stands in a name for bytes that are no text. */
const UNREADABLE = "\ufffd";
const ODD_NAME = "the name is not valid UTF-8";

/**
 * The files of a folder and of those below it, but for results; links to folders are not followed, which might lead
 * back.
 *
 * @param results absolute paths of what earlier runs wrote; grows
 * @returns the files, and how many more have a name by which they cannot be opened
 */
async function filesBelow(
  folder: string,
  { here, results }: { readonly here: string; readonly results: Set<string> },
): Promise<{ files: string[]; odd: number }> {
  const record = await readRecord(resolve(here, folder));
  const written = record === null ? [] : [RECORD, ...Object.keys({ ...record.earlier, ...record.files })];
  for (const path of written) results.add(resolve(here, folder, path));
  const files: string[] = [];
  let odd = 0;
  const entries = await readdir(resolve(here, folder), { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    const path = join(folder, entry.name);
    const absolute = resolve(here, path);
    if (entry.name.startsWith(".") || results.has(absolute)) continue;
    if (entry.isDirectory()) {
      const below = await filesBelow(path, { here, results });
      files.push(...below.files);
      odd += below.odd;
    } else if (entry.name === PAGE && await isOurs(absolute)) {
      continue;
    } else if ((await infoOf(absolute))?.isFile) {
      files.push(path);
    } else if (entry.name.includes(UNREADABLE)) {
      odd++;
    }
  }
  return { files, odd };
}

/** Whether a file's content is a picture's, or its name says so. */
async function isPicture(path: string): Promise<boolean> {
  const head = new Uint8Array(HEAD_BYTES);
  try {
    using file = await Deno.open(path);
    const read = await file.read(head);
    return formatOf(head.subarray(0, read ?? 0)).kind === "readable" || CLAIMS.test(path);
  } catch (error) {
    // what may not be read is refused by name later
    if (isDenied(error)) return CLAIMS.test(path);
    throw error;
  }
}

/** What is called a photograph and is none is worth a message. */
const CLAIMS = /\.(jpe?g|png|tiff?|webp|avif|gif|hei[cf]|jxl|bmp)$/i;
