/**
 * The user's files, hashed where they lie. What a folder looked like is remembered as one snapshot (names, stamps,
 * hashes in flat arrays), so that a million unchanged files cost one walk and no reading.
 */
import type { SourceNode } from "./artifact.ts";
import { sha256 } from "./hash.ts";
import { hashMany } from "./hash_many.ts";
import { markRacy, SIZE_FIELD, STAMP_FIELDS, stampFrom, stampInto } from "./stamp.ts";
import type { FileRow, Snapshot, State } from "./state.ts";
import { listingText, type Resolved, type SourceFile } from "./tree.ts";

/** Where snapshots are kept, and how many threads may hash. */
interface Means {
  readonly state: State;
  readonly jobs: number;
}

/** Hashes a source node's files into a tree; reads only files that are new or changed. */
export async function resolveSource(node: SourceNode, { state, jobs }: Means): Promise<Resolved> {
  const root = Deno.realPathSync(existing(node));
  const place = node.form === "folder" ? (name: string) => `${root}/${name}` : () => root;
  const names = node.form === "folder" ? walk(root) : [node.path.split("/").at(-1) ?? node.path];
  const stamps = new Float64Array(names.length * STAMP_FIELDS);
  names.forEach((name, index) => stampInto(stamps, { index, path: place(name) }));
  const before = state.snapshot(root);
  if (before !== null && isSame(before, { names, stamps })) return treeOf(before, place);
  const hashes = await hashAll({ names, stamps, place, before, jobs });
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
  readonly place: (name: string) => string;
  readonly before: Snapshot | null;
  readonly jobs: number;
}

async function hashAll({ names, stamps, place, before, jobs }: Work): Promise<string> {
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
  const found = await hashMany(files, { jobs });
  const now = new Float64Array(STAMP_FIELDS);
  for (const [order, index] of unknown.entries()) {
    const [file, hash] = [files[order], found[order]];
    if (file === undefined || hash === undefined) throw new Error("unreachable: a file without a hash");
    hashes[index] = hash.sha256;
    stampInto(now, { index: 0, path: file.path });
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
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (cause) {
    throw new Error(`${path}: ${cause instanceof Deno.errors.NotFound ? "no such file or folder" : cause}`, { cause });
  }
  if (form === "folder" ? !info.isDirectory : !info.isFile) throw new Error(`${path} is not a ${form}`);
  return path;
}

/** Relative paths of the files below a folder, in code-unit order; dot files left out, links followed. */
function walk(root: string): string[] {
  const paths: string[] = [];
  // a folder sorts by its name with "/", so that visiting in order gives sorted paths
  const stack = [""];
  for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
    if (path !== "" && !path.endsWith("/")) {
      paths.push(path);
      continue;
    }
    const children: string[] = [];
    for (const { name, isDirectory, isSymlink } of Deno.readDirSync(`${root}/${path}`)) {
      if (name.startsWith(".")) continue;
      const folder = isSymlink ? Deno.statSync(`${root}/${path}${name}`).isDirectory : isDirectory;
      children.push(folder ? `${path}${name}/` : path + name);
    }
    children.sort();
    for (let index = children.length - 1; index >= 0; index--) stack.push(children[index] ?? "");
  }
  return paths;
}
