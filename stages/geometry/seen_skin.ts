/**
 * A person's photograph may show more than the person where the mesh is: hair over a cheek, a hand, a phone, the wall
 * beside a cheek that turns away. What is covered so was not seen, and must not be mirrored to the other half
 * (`face/skin_visibility.ts`). The paper has no such step, and neither has the protocol that the tables follow.
 *
 * A face that the photograph's edge cuts through an eye or the mouth is left out: the mesh network guesses what it is
 * not shown, and on portraits that were cut so it was off by up to 10 % of the face's width, or pressed the whole face
 * into what was left of it. So is a face of so few pixels that their size is the mesh's error.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { z } from "zod";
import { boundsOf } from "../../face/bounds.ts";
import { photographInCrop, type Rectangle } from "../../face/crop.ts";
import type { FaceLandmarks } from "../../face/topology.ts";
import { defineStage } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";

/** Why a face is left out that the photograph's edge cuts through; goes on after "a face". */
export const CUT_THROUGH =
  "is cut off by the photograph's edge: an eye or a corner of the mouth lies outside, or close to the edge";

/** A face whose mesh is narrower than this, in pixels of the photograph, is left out: 1.7 of them is its error. */
const LEAST_WIDTH = 36;
/** What is promised: the width that a person measures is not the mesh's to the pixel. */
const PROMISED_WIDTH = 40;

/** Why a face of few pixels is left out; goes on after "a face". */
export const TOO_SMALL = `is too small: a face needs a width of about ${PROMISED_WIDTH} pixels`;

/** How near to the photograph's edge an eye or the mouth may lie, in widths of the face. */
const BESIDE_EDGE = 0.09;

/** The narrower side of a mesh's box. */
function widthOf(vertices: Float32Array): number {
  const { left, top, right, bottom } = boundsOf(vertices);
  return Math.min(right - left, bottom - top);
}

/** Whether an outer corner of an eye or a corner of the mouth lies outside of the photograph, or beside its edge. */
function isCutThrough(
  vertices: Float32Array,
  { left, top, width, height, landmarks: { eyes, mouthCorners } }: Rectangle & { landmarks: FaceLandmarks },
): boolean {
  const beside = BESIDE_EDGE * widthOf(vertices);
  return [eyes[0], eyes[3], ...mouthCorners].some((vertex) => {
    const [x, y] = [vertices[3 * vertex]! - left, vertices[3 * vertex + 1]! - top];
    return Math.min(x, y, width - x, height - y) < beside;
  });
}

/** Why a face is left out, in what is said of the item; goes on after "a face". */
export function whyLeftOut(skipped: string | undefined): string | undefined {
  return [CUT_THROUGH, TOO_SMALL].find((why) => skipped?.includes(why));
}

/**
 * Crops, incomplete textures and what was regressed of them → the textures and masks as they are, visibilities that are
 * lowered to 0 where a face is covered, and `<key>.mirrored.png`, the same for who mirrors the texture: a glare counts
 * there as not seen where the other half was not.
 */
export const seenSkin = defineStage({
  name: "seen_skin",
  module: import.meta.url,
  inputs: { crops: "aligned", unwrapped: "unwrapped", regressed: "regressed", model: "model", topology: "assets" },
  output: "unwrapped",
  each: ["crops", "unwrapped", "regressed"],
  batch: 4,
  params: z.strictObject({}),
  // On one adapter; on another a texel here and there may be decided the other way.
  determinism: "bitwise",
  computes: { webgpu: "templates, the skin's colours, what is covered" },
  resources: { gpu: true },
  open: async ({ inputs }) => {
    const { openFaceModel } = await import("../faces/face_model.ts");
    const { readLandmarks } = await import("../faces/geometry.ts");
    return { ...await openFaceModel(inputs), landmarks: await readLandmarks(inputs.topology) };
  },
  close: async (model) => (await import("../faces/face_model.ts")).closeFaceModel(model),
  run: async ({ items, resource: model }) => {
    const { skinVisibilities } = await import("../../face/skin_visibility.ts");
    const { readBack } = await import("@ftim/gpu/ops/read-back");
    const { readSeen } = await import("../faces/geometry.ts");
    const { encodeGreyPng } = await import("../faces/photograph.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const { templateMaps } = await import("../../face/template_maps.ts");
    const { tf, size } = model;
    const read = await Promise.all(items.map(async (item) => ({
      ...item,
      ...await readSeen(item.inputs.unwrapped, item.key),
      regression: await readRegression(item.inputs.regressed, item.key),
      transform: (await item.inputs.crops.json<AlignedFace>(`${item.key}.json`)).transform,
    })));
    const faces = read.filter(({ skip, transform, regression: { vertices, light, albedo } }) => {
      const problem = ![vertices, light, albedo].every((values) => values.every(Number.isFinite))
        ? "what was regressed of it is not finite"
        : isCutThrough(vertices, { ...photographInCrop(transform), landmarks: model.landmarks })
        ? CUT_THROUGH
        : widthOf(vertices) < LEAST_WIDTH * transform.scale
        ? TOO_SMALL
        : undefined;
      if (problem !== undefined) skip(problem);
      return problem === undefined;
    });
    if (faces.length === 0) return;
    const { seen, mirrored } = tf.tidy(() => {
      const { albedo, shading } = templateMaps(tf, faces.map(({ regression }) => regression), model);
      const textures = tf.stack(faces.map(({ texture }) => tf.tensor3d(texture, [size, size, 3])));
      const visibilities = tf.stack(faces.map(({ visibility }) => tf.tensor2d(visibility, [size, size])));
      return skinVisibilities(tf, {
        textures: textures as Tensor4D,
        visibilities: visibilities as Tensor3D,
        templates: tf.mul(albedo, shading),
      });
    });
    const values = await readBack([seen, mirrored], "seen_skin");
    await Promise.all(faces.map(async ({ key, inputs: { unwrapped }, out }, i) => {
      for (const [k, name] of ["visibility", "mirrored"].entries()) {
        const data = values[k]!.slice(i * size * size, (i + 1) * size * size);
        out.write(`${key}.${name}.png`, await encodeGreyPng({ width: size, height: size, data }));
      }
      for (const name of ["texture", "mask"]) {
        out.write(`${key}.${name}.png`, await unwrapped.bytes(`${key}.${name}.png`));
      }
    }));
  },
});
