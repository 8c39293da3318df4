/**
 * Stage `fetch`: the external files of data.lock, verified, as artifacts. The paper names its data and networks but
 * hosts none; here each file is pinned by hash, so that a result can say which bytes it rests on. The lock entries are
 * the stage's parameters: another hash is another key.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Artifact, cast, defineStage, nearestName, notCode, sourceFile, sourceFolder } from "@ftim/pipeline";
import { type Asset, type DataLock, parseDataLock } from "./parts/data_lock.ts";
import { AssetError, defaultDataFolder, obtain, verify } from "./parts/obtain.ts";

const fileSchema = z.strictObject({
  id: z.string(),
  source: z.string(),
  sha256: z.string().nullable(),
  size: z.number().nullable(),
});

const fetchFiles = defineStage({
  name: "fetch",
  module: import.meta.url,
  inputs: {},
  output: "assets",
  params: z.strictObject({ files: z.array(fileSchema).min(1), dataFolder: z.string().optional() }),
  determinism: "bitwise",
  computes: { cpu: "downloads and hashes: bookkeeping" },
  run: async ({ params, out, progress, signal }) => {
    const lock = dataLock();
    const files = params.files.map((file) => {
      const shared = lock.assets.get(file.id)?.shared;
      return shared === undefined ? file : { ...file, shared };
    });
    let done = 0;
    const options = {
      signal,
      neighbours: [...lock.assets.values()],
      dataFolder: params.dataFolder ?? defaultDataFolder,
    };
    for await (const { id, bytes } of obtain(files, options)) {
      out.write(id, bytes);
      progress(++done, files.length);
    }
  },
});

const admitFile = defineStage({
  name: "admit",
  module: import.meta.url,
  inputs: { file: "file" },
  output: "assets",
  params: fileSchema,
  determinism: "bitwise",
  computes: { cpu: "hashes: bookkeeping" },
  run: async ({ inputs, params, out }) => {
    const bytes = await inputs.file.bytes(inputs.file.paths[0]!);
    verify(params, bytes);
    out.write(params.id, bytes);
  },
});

/** Options of `asset` for gated files. */
export interface GatedOptions {
  /** The folder that holds the user's gated files. Default `data`. */
  readonly dataFolder?: string;
}

let parsed: DataLock | undefined;

/**
 * The project's data.lock, read once.
 *
 * @throws {DataLockError} naming the entry that is wrong
 */
export function dataLock(): DataLock {
  return parsed ??= parseDataLock(Deno.readTextFileSync(notCode(new URL("../../data.lock", import.meta.url))));
}

/**
 * One external file as a lazy artifact whose tree holds one path, the id.
 *
 * @param id for example `models/facemesh.bin`
 * @throws {AssetError} if data.lock has no such id, or no code reads it yet. That a gated file is absent is reported
 * when the artifact is computed.
 */
export function asset(id: string, { dataFolder = defaultDataFolder }: GatedOptions = {}): Artifact<"assets"> {
  const entry = lookUp(id);
  if (!entry.source.startsWith("user:")) return fetchFiles({}, { files: [fileOf(entry)] });
  const path = userPath(entry, dataFolder);
  if (existsSync(path)) return admitFile({ file: sourceFile(path) }, fileOf(entry));
  return fetchFiles({}, { files: [fileOf(entry)], dataFolder });
}

/**
 * Several packaged files as one lazy artifact; the paths of its tree are the ids.
 *
 * @param which a prefix such as `train/` or `models/facemesh.`, or a list of ids
 * @throws {AssetError} if nothing in data.lock has the prefix, or an id is unknown
 */
export function assets(which: string | readonly string[]): Artifact<"assets"> {
  const entries = typeof which === "string"
    ? [...dataLock().assets.values()].filter((entry) => entry.id.startsWith(which))
    : [...new Set(which)].sort().map(lookUp);
  if (entries.length === 0) throw new AssetError(`data.lock has nothing under "${which}"${suggest(String(which))}`);
  return fetchFiles({}, { files: entries.map(fileOf) });
}

/**
 * A gated folder (an entry whose source ends in a slash) as the user has it. It is hashed where it lies and not copied.
 *
 * @throws {AssetError} if data.lock has no such id. That the folder is absent is reported when the artifact is
 *   computed.
 */
export function assetFolder(id: string, { dataFolder = defaultDataFolder }: GatedOptions = {}): Artifact<"folder"> {
  const entry = lookUp(id);
  const path = userPath(entry, dataFolder);
  if (existsSync(path)) return sourceFolder(path);
  return cast(fetchFiles({}, { files: [fileOf(entry)], dataFolder }), "folder");
}

/**
 * A gated file of any size as the user has it. Like a folder, it is hashed where it lies and not copied; the task
 * `doctor` compares it with the hash in data.lock.
 *
 * @returns its tree holds one path, the file's base name
 * @throws {AssetError} if data.lock has no such id. That the file is absent is reported when the artifact is computed.
 */
export function assetFile(id: string, { dataFolder = defaultDataFolder }: GatedOptions = {}): Artifact<"assets"> {
  const entry = lookUp(id);
  const path = userPath(entry, dataFolder);
  if (existsSync(path)) return cast(sourceFile(path), "assets");
  return fetchFiles({}, { files: [fileOf(entry)], dataFolder });
}

/** Whether a gated file or folder is where it is expected; packaged files always are. */
export function isPresent(id: string, { dataFolder = defaultDataFolder }: GatedOptions = {}): boolean {
  const entry = lookUp(id);
  return !entry.source.startsWith("user:") || existsSync(userPath(entry, dataFolder));
}

function lookUp(id: string): Asset {
  const { assets, later } = dataLock();
  const entry = assets.get(id);
  if (entry !== undefined) return entry;
  if (!later.has(id)) throw new AssetError(`data.lock has no "${id}"${suggest(id)}`);
  throw new AssetError(
    `No code reads "${id}" yet, so it is not fetched. ` +
      "Move it from later to entries in data.lock with the code that does.",
  );
}

function suggest(id: string): string {
  const near = nearestName(id, dataLock().assets.keys());
  return near === null
    ? "; its ids begin with models/, train/, held/, test/, video/, decoy/, font/, lpips/ and paper/"
    : `; did you mean "${near}"?`;
}

function fileOf({ id, source, sha256, size }: Asset): z.infer<typeof fileSchema> {
  return { id, source, sha256, size };
}

function userPath(entry: Asset, dataFolder: string): string {
  return join(dataFolder, entry.source.slice("user:".length));
}
