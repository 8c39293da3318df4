/**
 * Which of the user's files are not the published ones, though they open: another year of FLAME has the same shapes,
 * and so has a copy that somebody converted. They are computed with, and the tables name them.
 */
import { join } from "node:path";
import { z } from "zod";
import { type Artifact, cast, defineStage, map, sourceFile, type Tree } from "@ftim/pipeline";
import { dataLock, isPresent } from "./fetch.ts";

const compareBytes = defineStage({
  name: "other_bytes",
  module: import.meta.url,
  inputs: { files: map("assets") },
  output: "other_bytes",
  params: z.strictObject({
    /** Of each file in `files` its place in the data folder, and the published file's SHA-256. */
    published: z.record(z.string(), z.strictObject({ place: z.string(), sha256: z.string() })),
  }),
  determinism: "bitwise",
  computes: { cpu: "hashes: bookkeeping" },
  run: ({ inputs: { files }, params: { published }, out }) => {
    const others = Object.entries(files).flatMap(([name, tree]) => {
      const { place, sha256 } = published[name]!;
      return tree.entry(tree.paths[0]!).sha256 === sha256 ? [] : [place];
    });
    out.json("other_bytes.json", others.sort());
    return Promise.resolve();
  },
});

/** A file of the user's and the published one's hash. */
interface PublishedFile {
  /** Its place in the data folder. */
  readonly place: string;
  readonly sha256: string;
}

/**
 * Those of the user's files whose contents are not the published ones.
 *
 * @param files default: what lies in the folder of the experiment `paper`'s files whose hash data.lock knows
 */
export function otherBytes(
  { dataFolder, files = publishedFiles(dataFolder) }: {
    readonly dataFolder: string;
    readonly files?: readonly PublishedFile[];
  },
): Artifact<"other_bytes"> {
  const named = <T>(of: (file: PublishedFile) => T) =>
    Object.fromEntries(files.map((file) => [file.place.replaceAll("/", "."), of(file)]));
  return compareBytes(
    { files: named(({ place }) => cast(sourceFile(join(dataFolder, place)), "assets")) },
    { published: named(({ place, sha256 }) => ({ place, sha256 })) },
  );
}

function publishedFiles(dataFolder: string): PublishedFile[] {
  return [...dataLock().assets.values()].flatMap(({ id, source, sha256 }) => {
    const isThere = id.startsWith("paper/") && sha256 !== null && isPresent(id, { dataFolder });
    return isThere ? [{ place: source.slice("user:".length), sha256 }] : [];
  });
}

/** Reads what {@link otherBytes} found: places in the data folder. */
export async function readOtherBytes(found: Tree): Promise<string[]> {
  return z.array(z.string()).parse(await found.json("other_bytes.json"));
}
