/**
 * Runs the stages on many photographs at once, so that each network is opened once. Each photograph goes by the hash
 * of its content, so that its name is of no consequence, and a renamed one is not computed again.
 */
import { join, resolve } from "node:path";
import { AbortedError, type Artifact, type Options, sourceFolder, StoreError, type Tree } from "@ftim/pipeline";
import { reproduce } from "../gpu_check.ts";
import { facesIn, photograph, type Trained } from "../photograph.ts";
import type { Regressor } from "../regressors.ts";

/** A photograph that can be computed with. */
export interface Ready {
  /** Its key among the items of the stages. */
  readonly key: string;
  /** What the file's name must end in. */
  readonly extension: string;
  /** Where the bytes to compute with lie. */
  readonly path: string;
}

/** What the stages have made of some photographs. */
export interface Computed {
  readonly found: Readonly<Record<"imported" | "images" | "detections" | "meshes", Tree>>;
  /** What was seen of each face, and of which not enough. Null: there is no face in any of them. */
  readonly unwrapped: Tree | null;
  /** Null: there is no face in any of them of which enough was seen. */
  readonly made: Readonly<Record<"heads" | "pasted", Tree>> | null;
}

/** How to compute. */
export interface Means {
  /** An empty folder to work in. */
  readonly work: string;
  readonly trained: () => Promise<Trained>;
  /** The regressor that it was trained with. Default: the face mesh network. */
  readonly regressor?: Regressor | undefined;
  /** Side of the textures in texels. */
  readonly size: number;
  readonly engine: Options;
}

/** So many photographs that fail alike when alone show that it is the fault of none. */
const ALIKE = 2;

/**
 * Computes all photographs in one run. Where one of them makes that fail, each is computed alone.
 *
 * @returns by key what was made, or why nothing was
 * @throws {AbortedError} after Ctrl-C
 * @throws {StoreError} if nothing can be kept
 */
export async function computeAll(photos: readonly Ready[], means: Means): Promise<Map<string, Computed | Error>> {
  const together = await attempt(photos, means);
  if (!(together instanceof Error) || photos.length === 1) return new Map(photos.map(({ key }) => [key, together]));
  const results = new Map<string, Computed | Error>();
  let alike = 0;
  for (const photo of photos) {
    const result = alike < ALIKE ? await attempt([photo], means) : together;
    alike = result instanceof Error && result.message === together.message ? alike + 1 : 0;
    results.set(photo.key, result);
  }
  return results;
}

async function attempt(photos: readonly Ready[], means: Means): Promise<Computed | Error> {
  try {
    return await compute(photos, means);
  } catch (error) {
    if (error instanceof AbortedError || error instanceof StoreError || !(error instanceof Error)) throw error;
    return error;
  }
}

async function compute(photos: readonly Ready[], { work, trained, regressor, size, engine }: Means): Promise<Computed> {
  const source = await sourceOf(photos, work);
  const found = await findIn(source, { engine, regressor });
  if (found.meshes.paths.length === 0) return { found, unwrapped: null, made: null };
  const { unwrapped, small, heads, pasted } = photograph(source, await trained(), { size });
  const seen = (await reproduce({ unwrapped, small }, engine)).trees;
  if (seen.small.paths.length === 0) return { found, unwrapped: seen.unwrapped, made: null };
  const { trees } = await reproduce({ heads, pasted }, engine);
  return { found, unwrapped: seen.unwrapped, made: trees };
}

/** The faces of photographs, as far as no training is needed for them. */
export async function findIn(
  source: Artifact<"folder">,
  { engine, regressor }: Pick<Means, "engine" | "regressor">,
): Promise<Computed["found"]> {
  const found = facesIn(source, regressor && { regressor });
  const { imported, images, detections, meshes } = (await reproduce(found, engine)).trees;
  return { imported, images, detections, meshes };
}

/** A folder of photographs by their keys, in a folder to work in. */
export async function sourceOf(photos: readonly Ready[], work: string): Promise<Artifact<"folder">> {
  const folder = await Deno.makeTempDir({ dir: work });
  for (const { key, extension, path } of photos) await link(path, join(folder, `${key}.${extension}`));
  return sourceFolder(folder);
}

/** A link to a file, or a copy where the system has no links for everybody. */
export async function link(path: string, to: string): Promise<void> {
  try {
    await Deno.symlink(resolve(path), to);
  } catch (error) {
    if (Deno.build.os !== "windows") throw error;
    await Deno.copyFile(path, to);
  }
}
