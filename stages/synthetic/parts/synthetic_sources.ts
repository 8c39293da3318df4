/** What `synthesize` reads: photographs with their meshes and albedos, backgrounds and decoys. */
import { type CropTransform, toPhotograph } from "../../../face/crop.ts";
import { addBilinear, type RgbImage } from "../../../face/image.ts";
import { fitShape, type MorphableModel } from "../../../face/morphable.ts";
import { anglesFromRotation } from "../../../face/pose.ts";
import { resampleCpu } from "../../../nets/resample_cpu.ts";
import type { Box } from "../../../nets/resample_taps.ts";
import type { Tree } from "@ftim/pipeline";
import type { AlignedFace } from "../../data/align.ts";
import { readMesh } from "../../faces/geometry.ts";
import { decodePhotograph, readImage } from "../../faces/photograph.ts";
import type { Source } from "./synthetic_studio.ts";

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
  const sources: Source[] = [];
  for (const path of meshes.paths) {
    const key = path.slice(0, -".safetensors".length);
    const { photograph, identity: person, transform } = await crops.json<AlignedFace>(`${key}.json`);
    const mesh = await readMesh(meshes, key);
    const { identity, pose } = fitShape(morphable, mesh);
    if (Math.abs(anglesFromRotation(pose.rotation).yaw) > maxYaw) continue;
    const image = await readImage(images, `${photograph}.png`);
    const vertices = inPhotograph(mesh, transform);
    sources.push({
      key,
      person: person ?? key,
      photograph: image,
      vertices,
      identity,
      albedo: (await readImage(model, `sources/${key}.albedo.png`)).data,
      colour: colourAt(vertices, image),
    });
  }
  if (sources.length === 0) throw new Error("There is no photograph with a mesh to make captures from");
  return sources;
}

/** A soft square of each source's photograph: reduced to a few cells and enlarged again. */
export function backgroundsOf(sources: readonly Source[], side: number): Map<Source, RgbImage> {
  const soft = (image: RgbImage) =>
    resampleCpu(resampleCpu(image, { box: middle(image), width: CELLS, height: CELLS }), { width: side, height: side });
  return new Map(sources.map((source) => [source, soft(source.photograph)]));
}

/** Pictures without a face, as squares. */
export async function readDecoys(decoys: Tree, side: number): Promise<RgbImage[]> {
  return await Promise.all(decoys.paths.map(async (path) => {
    const { image } = await decodePhotograph(await decoys.bytes(path), { path });
    return resampleCpu(image, { box: middle(image), width: side, height: side });
  }));
}

/** The largest square in the middle. */
function middle({ width, height }: RgbImage): Box {
  const side = Math.min(width, height);
  return { left: (width - side) / 2, top: (height - side) / 2, width: side, height: side };
}

function inPhotograph(vertices: Float32Array, transform: CropTransform): Float32Array {
  const out = new Float32Array(vertices.length);
  for (let i = 0; i < vertices.length; i += 3) {
    const { x, y } = toPhotograph(transform, { x: vertices[i]!, y: vertices[i + 1]! });
    out.set([x, y, vertices[i + 2]! / transform.scale], i);
  }
  return out;
}

/** Mean colour of an image at a mesh's vertices. */
function colourAt(vertices: Float32Array, image: RgbImage): [number, number, number] {
  const sum = new Float32Array(3);
  const weight = 3 / vertices.length;
  for (let i = 0; i < vertices.length; i += 3) {
    addBilinear(image, { x: vertices[i]!, y: vertices[i + 1]!, weight, out: sum, at: 0 });
  }
  return [sum[0]!, sum[1]!, sum[2]!];
}
