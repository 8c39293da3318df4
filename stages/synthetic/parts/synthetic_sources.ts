/** What `synthesize` reads: photographs with their meshes and albedos, backgrounds and decoys. */
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { pointsInPhotograph } from "../../../face/crop.ts";
import { addBilinear, type RgbImage } from "../../../face/image.ts";
import { fitShape, type MorphableModel } from "../../../face/morphable.ts";
import { readPixelBytes } from "../../../face/pixel_bytes.ts";
import type { BytePixels, Pixels } from "../../../face/pixels.ts";
import { anglesFromRotation } from "../../../face/pose.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import { cropPhotographs } from "../../../nets/crop_photographs.ts";
import type { Box } from "../../../nets/resample_taps.ts";
import type { Tree } from "@ftim/pipeline";
import type { AlignedFace } from "../../data/align.ts";
import { readMesh } from "../../faces/geometry.ts";
import { decodePixels, readImage, readPixels } from "../../faces/photograph.ts";
import type { Source } from "./synthetic_heads.ts";

/** Cells a side to which a photograph is reduced to make a background of it. */
const CELLS = 9;

/**
 * All photographs of which `fit_morphable` has an albedo and whose face is turned by no more than `maxYaw` degrees.
 *
 * @throws {Error} if there is none
 */
export async function readSources(
  { images, crops, meshes, model }: Record<"images" | "crops" | "meshes" | "model", Tree>,
  morphable: MorphableModel,
  { maxYaw = 180 }: { maxYaw?: number } = {},
): Promise<Source[]> {
  const read = await Promise.all(meshes.paths.map(async (path): Promise<Source[]> => {
    const key = path.slice(0, -".safetensors".length);
    const [{ photograph, identity: person, transform }, mesh] = await Promise.all([
      crops.json<AlignedFace>(`${key}.json`),
      readMesh(meshes, key),
    ]);
    const { identity, pose } = fitShape(morphable, mesh);
    if (Math.abs(anglesFromRotation(pose.rotation).yaw) > maxYaw) return [];
    const [image, albedo] = await Promise.all([
      readPixels(images, `${photograph}.png`),
      readImage(model, `sources/${key}.albedo.png`),
    ]);
    const vertices = Float32Array.from(pointsInPhotograph(transform, mesh));
    return [{
      key,
      person: person ?? key,
      photograph: image,
      vertices,
      identity,
      albedo: albedo.data,
      colour: colourAt(vertices, image),
    }];
  }));
  const sources = read.flat();
  if (sources.length === 0) throw new Error("There is no photograph with a mesh to make captures from");
  return sources;
}

/** Each source's photograph, reduced to the few cells that a soft background is made of. */
export async function backgroundCells(tf: Tfjs, sources: readonly Source[]): Promise<Map<Source, RgbImage>> {
  const boxes = sources.map(({ photograph }) => ({ image: photograph, box: middle(photograph) }));
  const cells = cropPhotographs(tf, boxes, { width: CELLS, height: CELLS });
  const [values] = await readBack([cells], "synthesize");
  const length = 3 * CELLS * CELLS;
  const cellsOf = (i: number) => ({ width: CELLS, height: CELLS, data: values!.slice(i * length, (i + 1) * length) });
  return new Map(sources.map((source, i) => [source, cellsOf(i)]));
}

/** A soft square of each of some cells [B, side, side, 3]. */
export function backgroundsOf(tf: Tfjs, cells: readonly RgbImage[], side: number): Tensor4D {
  return cropPhotographs(tf, cells.map((image) => ({ image })), { width: side, height: side });
}

/** Pictures without a face, as squares. */
export async function readDecoys(tf: Tfjs, decoys: Tree, side: number): Promise<Pixels[]> {
  const boxes = await Promise.all(decoys.paths.map(async (path) => {
    const { image } = await decodePixels(await decoys.bytes(path), { path });
    return { image, box: middle(image) };
  }));
  const squares = cropPhotographs(tf, boxes, { width: side, height: side });
  const [bytes] = await readPixelBytes(tf, [squares], "readDecoys");
  const length = 3 * side * side;
  return boxes.map((_, i) => ({ width: side, height: side, data: bytes!.subarray(i * length, (i + 1) * length) }));
}

/** The largest square in the middle. */
function middle({ width, height }: Pixels): Box {
  const side = Math.min(width, height);
  return { left: (width - side) / 2, top: (height - side) / 2, width: side, height: side };
}

/** Mean colour of an image at a mesh's vertices. */
function colourAt(vertices: Float32Array, image: BytePixels): [number, number, number] {
  const sum = new Float32Array(3);
  const weight = 3 / vertices.length;
  for (let i = 0; i < vertices.length; i += 3) {
    addBilinear(image, { x: vertices[i]!, y: vertices[i + 1]!, weight, out: sum, at: 0 });
  }
  return [sum[0]! / 255, sum[1]! / 255, sum[2]! / 255];
}
