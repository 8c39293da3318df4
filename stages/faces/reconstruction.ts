/**
 * Writing a method's result for one face, the same way for every method: the complete texture is rendered with the
 * face's own geometry and pasted over the crop.
 */
import type { RgbImage } from "../../face/image.ts";
import { applyOperatorCpu, pictureOperator, type RenderOperator } from "../../face/render.ts";
import type { Topology } from "../../face/topology.ts";
import type { Tree, Writer } from "@ftim/pipeline";
import { encodePng, readImage } from "./photograph.ts";

/** A method's maps of one face, S×S texels; values outside 0..1 are cut off when they are stored. */
export interface Reconstruction {
  /** Complete texture, lit [S·S·3]. */
  texture: Float32Array;
  /** Complete albedo [S·S·3]. */
  albedo: Float32Array;
}

/** Writes `<key>.render.png` (the overlay), `<key>.texture.png` and `<key>.albedo.png`. */
export async function writeReconstruction(
  { texture, albedo }: Reconstruction,
  { key, crops, out, vertices, topology }: {
    key: string;
    crops: Tree;
    out: Writer;
    vertices: Float32Array;
    topology: Topology;
  },
): Promise<void> {
  const crop = await readImage(crops, `${key}.png`);
  const { width, height } = crop;
  const size = Math.sqrt(texture.length / 3);
  const operator = pictureOperator(vertices, { topology, size, width, height });
  out.write(`${key}.render.png`, await encodePng(overlay(crop, { operator, texture })));
  out.write(`${key}.texture.png`, await encodePng({ width: size, height: size, data: texture }));
  out.write(`${key}.albedo.png`, await encodePng({ width: size, height: size, data: albedo }));
}

/** A texture [T·3] rendered and pasted over a picture; values outside 0..1 are cut off. */
export function overlay(
  picture: RgbImage,
  { operator, texture }: { operator: RenderOperator; texture: Float32Array },
): RgbImage {
  const render = applyOperatorCpu(operator, texture.map((value) => Math.min(1, Math.max(0, value))));
  const data = render.map((value, i) => value + (1 - operator.coverage[Math.floor(i / 3)]!) * picture.data[i]!);
  return { width: picture.width, height: picture.height, data };
}
