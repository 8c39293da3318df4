/**
 * Stage `align`: each detected face as a 224 × 224 crop in the place where the 3DMM regressor expects it. The paper
 * regresses with DECA, so it is DECA's crop around the detector's box; where a mesh has been found (`outline.ts`) it is
 * the crop around the mesh, which cuts nothing of it off (see `face/crop.ts`). The way back into the photograph is kept
 * beside it.
 *
 * Where the paper is silent: reducing uses a filter as wide as the reduction (DECA's own bilinear warp aliases on large
 * photographs), and what lies outside of the photograph is black, as there.
 */

import { z } from "zod";
import { cropInPhotograph, type CropTransform, decaCrop, outlineCrop, type Rectangle } from "../../face/crop.ts";
import type { BytePixels } from "../../face/pixels.ts";
import type { FaceBox } from "../../nets/detector.ts";
import { defineStage, type Tree } from "@ftim/pipeline";
import type { DetectedFace, Detection } from "./detect.ts";
import type { ImportedImage } from "./import.ts";
import { encodePng, readPixels } from "../faces/photograph.ts";

/** `<photograph>/<face>.json` beside each `<photograph>/<face>.png`; faces count from 0, left to right. */
export interface AlignedFace extends Pick<ImportedImage, "identity" | "expression" | "view" | "angles" | "source"> {
  /** Key of the photograph among the imported images. */
  readonly photograph: string;
  /** Which of its faces, from 0, left to right. */
  readonly face: number;
  /** The detector's box, in photograph pixels. */
  readonly box: FaceBox;
  /** The bounding box of the mesh that the crop is about, in photograph pixels; without one it is about `box`. */
  readonly outline?: Rectangle;
  readonly transform: CropTransform;
}

/** Images and their faces → one crop a face. */
export const alignFaces = defineStage({
  name: "align",
  module: import.meta.url,
  inputs: { images: "images", detections: "detections" },
  output: "aligned",
  each: ["images", "detections"],
  batch: 16,
  params: z.strictObject({
    /** Side of the crop in pixels. */
    size: z.number().int().min(32).default(224),
    /** Side of a crop around a detector's box over the mean side of the box. */
    margin: z.number().positive().default(1.25),
  }),
  // On one adapter; on another a level here and there may be rounded the other way.
  determinism: "bitwise",
  computes: { webgpu: "cutting out and resizing", cpu: "decoding and encoding: file formats" },
  resources: { gpu: true },
  open: async () => await (await import("@ftim/gpu/tfjs")).openTfjs(),
  run: async ({ items, params, resource: tf }) => {
    const { cropPhotographs } = await import("../../nets/crop_photographs.ts");
    const { readPixelBytes } = await import("../../face/pixel_bytes.ts");
    const { groupsByPixels } = await import("../faces/by_pixels.ts");
    const { size } = params;
    for (const group of await groupsByPixels(items)) {
      const photographs = await Promise.all(group.map(({ key, inputs }) => facesOf(key, { ...inputs, ...params })));
      const faces = photographs.flatMap((found, i) => found.map((face) => ({ ...face, out: group[i]!.out })));
      const crops = cropPhotographs(
        tf,
        faces.map(({ image, about: { transform } }) => ({ image, box: cropInPhotograph(transform) })),
        { width: size, height: size, border: "zero" },
      );
      const [bytes] = await readPixelBytes(tf, [crops], "align");
      await Promise.all(faces.map(async ({ about, out }, i) => {
        const data = bytes!.subarray(3 * size ** 2 * i, 3 * size ** 2 * (i + 1));
        const name = `${about.photograph}/${about.face}`;
        out.json(`${name}.json`, about);
        out.write(`${name}.png`, await encodePng({ width: size, height: size, data }));
      }));
    }
  },
});

/** A photograph's faces, each with its place. */
async function facesOf(
  photograph: string,
  { images, detections, size, margin }: { images: Tree; detections: Tree; size: number; margin: number },
): Promise<{ image: BytePixels; about: AlignedFace }[]> {
  const [image, about, { faces }] = await Promise.all([
    readPixels(images, `${photograph}.png`),
    images.json<ImportedImage>(`${photograph}.json`),
    detections.json<Detection>(`${photograph}.json`),
  ]);
  const { source, identity, expression, view, angles } = about;
  return faces.map((found, face) => {
    const { outline, ...box } = found;
    const transform = placeOf(found, { size, margin, photograph: image, name: `${photograph}/${face}` });
    const about = { source, identity, expression, view, angles, photograph, face, box, transform };
    return { image, about: outline === undefined ? about : { ...about, outline } };
  });
}

/**
 * A face's place in its crop.
 *
 * @throws {RangeError} naming the face, if its box is no place
 */
function placeOf(
  { outline, ...box }: DetectedFace,
  { name, ...options }: Parameters<typeof decaCrop>[1] & { readonly name: string },
): CropTransform {
  const { left, top, width, height } = outline ?? box;
  if ([left, top, width, height].every(Number.isFinite) && Math.min(width, height) > 0) {
    return outline === undefined ? decaCrop(box, options) : outlineCrop(outline, options);
  }
  throw new RangeError(`${name}: cannot crop a face of ${width}×${height} pixels at (${left}, ${top})`);
}
