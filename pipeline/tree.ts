/** A tree is a sorted list of files by content, and of what was skipped; its name is the hash of that list. */
import { checkBlob, type Digest, handOut, quarantine, readBlob } from "./blobs.ts";
import { CorruptBlobError, InputChangedError } from "./errors.ts";
import { sha256 } from "./hash.ts";
import { sameStamp, type Stamp, stampOf } from "./stamp.ts";
import type { FileRow, FoundNode, SkipRow } from "./state.ts";
import type { Store } from "./store.ts";

/** Files that a stage reads or that `reproduce` returns. Paths are relative, with "/", in code-unit order. */
export interface Tree {
  readonly paths: readonly string[];
  /** What has no result, and why, by item key. */
  readonly skipped: ReadonlyMap<string, string>;
  has(path: string): boolean;
  /** Throws for a path that is not in the tree, as do the readers below. */
  entry(path: string): Digest;
  /** Contents, checked against the hash that entered the key. */
  bytes(path: string): Promise<Uint8Array>;
  text(path: string): Promise<string>;
  json<T = unknown>(path: string): Promise<T>;
  /** A path on disk, checked before and after the stage runs, for libraries that read files. Never write to it. */
  file(path: string): string;
}

/** The files and skips of a tree. */
export interface Listing {
  readonly files: readonly FileRow[];
  readonly skipped: readonly SkipRow[];
}

/** A computed tree before anyone reads it: the listing is loaded only when asked for. */
export interface Resolved {
  /** SHA-256 of the listing's canonical JSON. */
  readonly digest: string;
  readonly listing: () => Listing;
  /** For files of the user's: where each lies and what it looked like when it was hashed. Null: in the store. */
  readonly source: { get(path: string): SourceFile | undefined } | null;
}

/** A source file as it was when it was hashed. */
export interface SourceFile {
  readonly path: string;
  readonly stamp: Stamp;
}

/** What a stage has been given to read, to be looked at again when it has run. */
export interface Touched {
  /** The user's files that were read, by path. */
  readonly sources: Map<string, SourceFile & Digest>;
  /** Stored files whose paths were handed out, by SHA-256. */
  readonly stored: Map<string, Digest>;
}

/** Nothing read yet. */
export function untouched(): Touched {
  return { sources: new Map(), stored: new Map() };
}

/** The result of a stage that is recorded. */
export function storedTree({ tree, listing: text }: Pick<FoundNode, "tree" | "listing">): Resolved {
  let listing: Listing | undefined;
  return { digest: tree, listing: () => listing ??= JSON.parse(text), source: null };
}

/** Canonical JSON of a listing (its keys are in order already); its SHA-256 is the tree's digest. */
export function listingText({ files, skipped }: Listing): string {
  return JSON.stringify({ files, skipped });
}

/** A listing with sorted rows. */
export function sortListing({ files, skipped }: Listing): Listing {
  return { files: files.toSorted(byFirst), skipped: skipped.toSorted(byFirst) };
}

function byFirst(a: readonly [string, ...unknown[]], b: readonly [string, ...unknown[]]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}

/** The part of a tree that some patterns (paths, and prefixes that end in "/") select. */
export function restrict(from: Resolved, patterns: readonly string[]): Resolved {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith("/")));
  const prefixes = patterns.filter((pattern) => pattern.endsWith("/"));
  const chosen = ([path]: readonly [string, ...unknown[]]) =>
    exact.has(path) || prefixes.some((prefix) => path.startsWith(prefix));
  const all = from.listing();
  const listing = { files: all.files.filter(chosen), skipped: all.skipped.filter(chosen) };
  for (const pattern of patterns) {
    const found = listing.files.some(([path]) =>
      path === pattern || (pattern.endsWith("/") && path.startsWith(pattern))
    );
    if (!found) throw new Error(`pick: nothing matches "${pattern}" among ${all.files.length} files`);
  }
  return { digest: sha256(listingText(listing)), listing: () => listing, source: from.source };
}

/** The item that a path belongs to: the path up to the first dot of its base name. */
export function itemKey(path: string): string {
  const base = path.lastIndexOf("/") + 1;
  const dot = path.indexOf(".", base);
  return dot === -1 ? path : path.slice(0, dot);
}

/** Rows by item key, in order. */
export function itemsOf(files: readonly FileRow[]): Map<string, FileRow[]> {
  const items = new Map<string, FileRow[]>();
  for (const row of files) {
    const key = itemKey(row[0]);
    const rows = items.get(key);
    if (rows === undefined) items.set(key, [row]);
    else rows.push(row);
  }
  return items;
}

/** A map that calls of a stage may share: none of them can change what another one reads. */
function readOnly(map: Map<string, string>): ReadonlyMap<string, string> {
  const value = () => {
    throw new TypeError("what a tree lists as skipped cannot be changed");
  };
  return Object.freeze(Object.defineProperties(map, { set: { value }, delete: { value }, clear: { value } }));
}

interface ViewOptions {
  readonly store: Store;
  readonly source: Resolved["source"];
  /** Collects what is read. */
  readonly touched?: Touched;
}

/** Makes files readable. */
export function openTree({ files, skipped }: Listing, { store, source, touched }: ViewOptions): Tree {
  const rows = new Map(files.map(([path, sha, size]) => [path, Object.freeze({ sha256: sha, size })]));
  function entry(path: string): Digest {
    const digest = rows.get(path);
    if (digest !== undefined) return digest;
    const some = files.slice(0, 3).map(([name]) => name).join(", ");
    throw new Error(
      `there is no file "${path}" in this tree of ${files.length} files (${some}${files.length > 3 ? ", …" : ""})`,
    );
  }
  function sourceOf(path: string): SourceFile | undefined {
    const found = source?.get(path);
    if (found !== undefined) touched?.sources.set(found.path, { ...found, ...entry(path) });
    return found;
  }
  const tree: Tree = {
    // calls of a stage share it
    paths: Object.freeze(files.map(([path]) => path)),
    skipped: readOnly(new Map(skipped)),
    has: (path) => rows.has(path),
    entry,
    async bytes(path) {
      const digest = entry(path);
      const found = sourceOf(path);
      return found === undefined ? await readBlob(store, digest) : await readSource(found.path, digest);
    },
    async text(path) {
      return new TextDecoder().decode(await tree.bytes(path));
    },
    async json<T>(path: string): Promise<T> {
      const text = await tree.text(path);
      try {
        return JSON.parse(text);
      } catch (cause) {
        throw new Error(`${path} is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
      }
    },
    file(path) {
      const digest = entry(path);
      const found = sourceOf(path);
      if (found !== undefined) return found.path;
      const place = handOut(store, digest);
      touched?.stored.set(digest.sha256, digest);
      return place;
    },
  };
  return Object.freeze(tree);
}

async function readSource(path: string, { sha256: sha }: Digest): Promise<Uint8Array> {
  const bytes = await Deno.readFile(path).catch(() => null);
  if (bytes === null || sha256(bytes) !== sha) throw new InputChangedError(path);
  return bytes;
}

/** Throws {@link InputChangedError} where a source file is no longer what it was when it was hashed. */
export async function recheck({ sources }: Touched): Promise<void> {
  for (const file of sources.values()) {
    const now = stampOf(file.path);
    if (!file.stamp.racy && sameStamp(now, file.stamp)) continue;
    await readSource(file.path, file);
    // the next check need not read it again
    if (now !== null) sources.set(file.path, { ...file, stamp: now });
  }
}

/** Stored files, by SHA-256, that are no longer what they were when they were handed out; they are quarantined. */
export async function overwritten({ stored }: Touched, store: Store): Promise<readonly string[]> {
  const damaged: string[] = [];
  for (const digest of stored.values()) {
    if (await checkBlob(store, digest) === "ok") continue;
    damaged.push(digest.sha256);
    quarantine(store, digest.sha256);
  }
  return damaged;
}

/** Whether an error, or what caused it, is a damaged blob. */
export function corruption(error: unknown): CorruptBlobError | null {
  const seen = new Set<unknown>();
  for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) {
    if (at instanceof CorruptBlobError) return at;
    // an error can be its own cause
    seen.add(at);
  }
  return null;
}
