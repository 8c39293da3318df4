/** A first look at the folders: whether they show what can be scored, before a network is trained. */
import { resolve } from "node:path";
import { sourceFolder, StageError, type Tree } from "@ftim/pipeline";
import type { TripletChoice } from "../faces.ts";
import { reproduce } from "../gpu_check.ts";
import { ReconstructError } from "../photographs/refused.ts";
import { reasonsText, type StagedFolder, stagePhotographs } from "../photographs/staged.ts";
import { captureFaces, overlayRenders, type OverlayRow, photographFaces } from "../score.ts";
import { parseViewPath } from "../../stages/data/parts/facescape.ts";
import { firstReasons } from "../../stages/tables/parts/first_reasons.ts";
import type { Means, OverlayFolder } from "./options.ts";

/**
 * Reads a folder of photographs, and finds out whether it shows faces.
 *
 * @throws {ReconstructError} if it shows none, or no picture of an overlay can be scored
 */
export async function lookAtPhotographs(folder: string, means: Means): Promise<StagedFolder> {
  const { overlays = [], folder: output, here, say } = means;
  for (const overlay of overlays) await checkOverlays(overlay, here);
  const staged = await stagePhotographs(folder, { ...means, apart: [output, ...overlays.map(({ folder }) => folder)] });
  for (const note of staged.notes) say(`Note: ${note}`);
  const faces = photographFaces(sourceFolder(staged.path));
  const { images, searched, meshes } = faces;
  const found = (await reproduce({ images, searched, meshes }, means.engine)).trees;
  if (found.meshes.paths.length === 0) throw noFace(folder, { ...staged, found });
  for (const [i, renders] of overlayRenders(faces, overlayRows(means)).entries()) {
    const { paths, skipped } = (await reproduce({ renders }, means.engine)).trees.renders;
    const { name, folder } = overlays[i]!;
    if (paths.length > 0) continue;
    const reasons = reasonsText(Object.fromEntries(skipped));
    throw new ReconstructError(`--overlays ${name}=${folder}: no picture in it can be scored: ${reasons}`);
  }
  return staged;
}

async function checkOverlays({ name, folder }: OverlayFolder, here: string): Promise<void> {
  const found = await Deno.stat(resolve(here, folder)).catch(() => null);
  if (found?.isDirectory !== true) throw new ReconstructError(`--overlays ${name}=${folder}: there is no such folder`);
}

/** What other programs made, as rows. */
export function overlayRows({ overlays = [], here }: Pick<Means, "overlays" | "here">): OverlayRow[] {
  return overlays.map(({ name, folder }) => ({ label: name, pictures: sourceFolder(resolve(here, folder)) }));
}

/**
 * Reads a folder of captures, and finds out whether triplets can be chosen.
 *
 * @throws {ReconstructError} if it shows no face, or they cannot; the message says why
 */
export async function lookAtCaptures(folder: string, means: Means): Promise<StagedFolder> {
  const { here, picked, folder: output, say } = means;
  if (picked !== undefined && (await Deno.stat(resolve(here, picked)).catch(() => null))?.isFile !== true) {
    throw new ReconstructError(`${picked}: there is no such file`);
  }
  const staged = await stagePhotographs(folder, { ...means, apart: [output], fault: placeFault });
  for (const note of staged.notes) say(`Note: ${note}`);
  const { images, searched, triplets } = captureFaces(sourceFolder(staged.path), choiceOf(means));
  const found = (await reproduce({ images, searched }, means.engine)).trees;
  if (found.searched.paths.length === 0) throw noFace(folder, { ...staged, found });
  try {
    await reproduce({ triplets }, means.engine);
  } catch (error) {
    if (!(error instanceof StageError) || !(error.cause instanceof Error)) throw error;
    const { count, refused } = staged;
    const others = Object.keys(refused).length === 0 ? "" : ` Left out: ${reasonsText(refused)}.`;
    const where = picked === undefined ? `${folder} (${count} photographs)` : folder;
    throw new ReconstructError(`${where}: ${error.cause.message.replace(", or widen the bins", "")}${others}`, {
      cause: error,
    });
  }
  return staged;
}

/** Which triplets of captures are wanted. */
export function choiceOf({ picked, draw, here }: Pick<Means, "picked" | "draw" | "here">): TripletChoice {
  return {
    ...(draw === undefined ? {} : { count: draw }),
    ...(picked === undefined ? {} : { picked: resolve(here, picked) }),
  };
}

/** Why a capture's place says neither its person nor its expression. */
function placeFault(stem: string): string | null {
  if (parseViewPath(stem) !== null && stem.split("/").length === 3) return null;
  return "it does not lie in <person>/<k_expression>/<view>.jpg, such as anna/1_neutral/3.jpg";
}

function noFace(
  folder: string,
  { count, refused, found }: StagedFolder & { readonly found: Readonly<Record<string, Tree>> },
): ReconstructError {
  const unread = new Map(Object.entries(refused));
  const reasons = firstReasons([unread, ...Object.values(found).map(({ skipped }) => skipped)]);
  const photographs = count === 1 ? "its photograph" : `its ${count} photographs`;
  const advice = "faces must stand upright and be wider than a twentieth of the photograph";
  return new ReconstructError(
    `${folder}: no face was found in ${photographs} (${advice}): ${reasonsText(Object.fromEntries(reasons))}`,
  );
}
