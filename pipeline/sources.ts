/**
 * The user's files, hashed where they lie. What a folder looked like is remembered as one snapshot (names, stamps,
 * hashes in flat arrays), so that a million unchanged files cost one walk and no reading.
 */
import { basename, dirname, resolve } from "node:path";
import type { SourceNode } from "./artifact.ts";
import { PipelineError } from "./errors.ts";
import { sha256 } from "./hash.ts";
import { hashMany } from "./hash_many.ts";
import { openPause, type Pause } from "./pause.ts";
import { markRacy, SETTLED, settlingTime, SIZE_FIELD, STAMP_FIELDS, stampFrom, stampInto, YOUNG } from "./stamp.ts";
import type { FileRow, Snapshot, State } from "./state.ts";
import { listingText, type Resolved, type SourceFile } from "./tree.ts";

/** So many files are stamped between two looks at the clock. */
const OFTEN = 1024;

/** So many young files are hashed again at the next run: it takes a few ms. For more, this one waits a moment. */
const FEW = 100;

/** Where snapshots are kept, how many threads may hash, and what stops it. */
interface Means {
  readonly state: State;
  readonly jobs: number;
  readonly signal: AbortSignal;
}

/**
 * Hashes a source node's files into a tree; reads only files that are new or changed.
 *
 * @throws {PipelineError} on what is neither a file nor a folder, and on a link that leads nowhere or back
 * @throws {AbortedError} when the signal stopped it
 */
export async function resolveSource(node: SourceNode, { state, jobs, signal }: Means): Promise<Resolved> {
  const root = Deno.realPathSync(existing(node));
  const place = node.form === "folder" ? (name: string) => `${root}/${name}` : () => root;
  const pause = openPause(signal);
  const names = node.form === "folder" ? await walk(root, pause) : [node.path.split("/").at(-1) ?? node.path];
  const stamps = new Float64Array(names.length * STAMP_FIELDS);
  const stamped = performance.now();
  const ahead = new Map<number, number>();
  const young: number[] = [];
  for (const [index, name] of names.entries()) {
    const found = stampInto(stamps, { index, path: place(name) });
    if (found === YOUNG) young.push(index);
    else if (found !== SETTLED) ahead.set(index, stamped + found);
    if (index % OFTEN === 0) await pause();
  }
  for (const index of young) {
    if (young.length <= FEW) markRacy(stamps, index);
    // read after the moment of its stamp, it cannot be written over with that stamp
    else ahead.set(index, stamped + settlingTime(stampFrom(stamps, index)));
  }
  const before = state.snapshot(root);
  if (before !== null && isSame(before, { names, stamps })) return treeOf(before, place);
  const hashes = await hashAll({ names, stamps, ahead, place, before, jobs, pause, signal });
  const digest = sha256(listingText({ files: rowsOf({ names, stamps, hashes }), skipped: [] }));
  const snapshot = { names, stamps, hashes, digest };
  state.putSnapshot(root, snapshot);
  return treeOf(snapshot, place);
}

/** A stamp that is racy is stored as NaN, which equals nothing. */
function isSame(before: Snapshot, { names, stamps }: Pick<Snapshot, "names" | "stamps">): boolean {
  return before.names.length === names.length && stamps.every((value, index) => value === before.stamps[index]) &&
    names.every((name, index) => name === before.names[index]);
}

interface Work {
  readonly names: readonly string[];
  /** Set to racy where a file changed while it was hashed. */
  readonly stamps: Float64Array;
  /** For files whose stamp is of the future: when they may be read to be remembered by it. */
  readonly ahead: ReadonlyMap<number, number>;
  readonly place: (name: string) => string;
  readonly before: Snapshot | null;
  readonly jobs: number;
  readonly pause: Pause;
  readonly signal: AbortSignal;
}

async function hashAll({ names, stamps, ahead, place, before, jobs, pause, signal }: Work): Promise<string> {
  const hashes: string[] = [];
  const unknown: number[] = [];
  let at = 0;
  for (const [index, name] of names.entries()) {
    // both lists are sorted
    while (before !== null && at < before.names.length && (before.names[at] ?? "") < name) at++;
    const known = before !== null && before.names[at] === name && sameAt(stamps, { index, other: before.stamps, at });
    if (known) hashes[index] = before.hashes.slice(64 * at, 64 * at + 64);
    else unknown.push(index);
  }
  const sizeOf = (index: number) => stamps[index * STAMP_FIELDS + SIZE_FIELD] ?? 0;
  const files = unknown.map((index) => ({ path: place(names[index] ?? ""), size: sizeOf(index) }));
  const time = unknown.reduce((latest, index) => Math.max(latest, ahead.get(index) ?? 0), 0);
  await pause(Math.max(0, time - performance.now()));
  const found = await hashMany(files, { jobs, signal });
  const now = new Float64Array(STAMP_FIELDS);
  for (const [order, index] of unknown.entries()) {
    const [file, hash] = [files[order], found[order]];
    if (file === undefined || hash === undefined) throw new Error("unreachable: a file without a hash");
    hashes[index] = hash.sha256;
    stampInto(now, { index: 0, path: file.path });
    if (order % OFTEN === 0) await pause();
    if (!sameAt(stamps, { index, other: now, at: 0 })) markRacy(stamps, index);
    // also where the rest of the stamp is racy: the listing needs it
    stamps[index * STAMP_FIELDS + SIZE_FIELD] = hash.size;
  }
  return hashes.join("");
}

interface Pairing {
  readonly index: number;
  readonly other: Float64Array;
  readonly at: number;
}

function sameAt(stamps: Float64Array, { index, other, at }: Pairing): boolean {
  for (let field = 0; field < STAMP_FIELDS; field++) {
    if (stamps[index * STAMP_FIELDS + field] !== other[at * STAMP_FIELDS + field]) return false;
  }
  return true;
}

function rowsOf({ names, stamps, hashes }: Omit<Snapshot, "digest">): FileRow[] {
  return names.map((
    name,
    index,
  ) => [name, hashes.slice(64 * index, 64 * index + 64), stamps[index * STAMP_FIELDS + SIZE_FIELD] ?? 0]);
}

function treeOf(snapshot: Snapshot, place: (name: string) => string): Resolved {
  let files: FileRow[] | undefined;
  return {
    digest: snapshot.digest,
    listing: () => ({ files: files ??= rowsOf(snapshot), skipped: [] }),
    source: { get: (name) => sourceFile(snapshot, { name, path: place(name) }) },
  };
}

function sourceFile(
  { names, stamps }: Snapshot,
  { name, path }: { name: string; path: string },
): SourceFile | undefined {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((names[middle] ?? "") < name) low = middle + 1;
    else high = middle;
  }
  if (names[low] !== name) return undefined;
  return { path, stamp: stampFrom(stamps, low) };
}

function existing({ path, form }: SourceNode): string {
  const { isDirectory, isFile } = follow(path);
  if (form === "folder" ? !isDirectory : !isFile) throw new PipelineError(`${path} is not a ${form}`);
  return path;
}

/**
 * Throws where a store lies, or would lie, in a folder that a run reads: every run would change its own input.
 *
 * @throws {PipelineError} that names both
 */
export function checkApart(store: string, sources: Iterable<SourceNode>): void {
  const place = realPlace(resolve(store));
  for (const { path, form } of sources) {
    if (form !== "folder") continue;
    const folder = realPlace(resolve(path));
    const inside = place === folder ? "" : place.startsWith(`${folder}/`) ? place.slice(folder.length) : null;
    // what lies below a dot folder is not read
    if (inside === null || inside.includes("/.")) continue;
    throw new PipelineError(
      `the store ${store} lies in the source folder ${path}, so every run would change what it reads: ` +
        "choose another store, or one whose name begins with a dot",
    );
  }
}

/** Where a path leads; what is not there yet lies where its folder does. */
function realPlace(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : `${realPlace(above).replace(/\/$/, "")}/${basename(path)}`;
  }
}

/** What a path leads to. */
function follow(path: string): Deno.FileInfo {
  try {
    return Deno.statSync(path);
  } catch (cause) {
    throw new PipelineError(`${path}${reasonOf(cause, linkAt(path))}`, { cause });
  }
}

function reasonOf(error: unknown, link: string | null): string {
  const text = error instanceof Error ? error.message : String(error);
  if (link === null) return error instanceof Deno.errors.NotFound ? ": no such file or folder" : `: ${text}`;
  if (error instanceof Deno.errors.NotFound) return ` is a link to ${link}, which is not there`;
  return error instanceof Deno.errors.FilesystemLoop ? ` is a link to ${link}, which leads back to it` : `: ${text}`;
}

/** Where a link points; null for what is no link. */
function linkAt(path: string): string | null {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return null;
  }
}

/** Relative paths of the files below a folder, in code-unit order; dot files left out, links followed. */
async function walk(root: string, pause: Pause): Promise<string[]> {
  const paths: string[] = [];
  // a folder sorts by its name with "/", so that visiting in order gives sorted paths
  const stack = [""];
  for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
    if (path !== "" && !path.endsWith("/")) {
      paths.push(path);
      continue;
    }
    await pause();
    const children: string[] = [];
    for (const entry of Deno.readDirSync(`${root}/${path}`)) {
      if (entry.name.startsWith(".")) continue;
      const place = `${root}/${path}${entry.name}`;
      const { isDirectory, isFile } = entry.isSymlink ? follow(place) : entry;
      if (isDirectory && entry.isSymlink) checkLink(place, root);
      if (!isDirectory && !isFile) {
        const advice = "move it out of this input, or give it a name that begins with a dot";
        throw new PipelineError(`${place} is neither a file nor a folder but a pipe, socket or device: ${advice}`);
      }
      children.push(isDirectory ? `${path}${entry.name}/` : path + entry.name);
    }
    children.sort();
    for (let index = children.length - 1; index >= 0; index--) stack.push(children[index] ?? "");
  }
  return paths;
}

/** Throws where a link leads to a folder that it lies in itself, on the way from a root: the walk would not end. */
function checkLink(link: string, root: string): void {
  const target = Deno.realPathSync(link);
  for (let above = dirname(link);; above = dirname(above)) {
    const around = Deno.realPathSync(above);
    // what lies below a dot folder is not walked
    if (around === target || (around.startsWith(`${target}/`) && !around.slice(target.length).includes("/."))) {
      throw new PipelineError(
        `${link} is a link to ${target}, in which it lies itself: there is no end to following it`,
      );
    }
    if (above === root) return;
  }
}
