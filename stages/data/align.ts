/**
 * Stage `align`: each detected face as a 224 × 224 crop in the place where the 3DMM regressor expects it. The paper
 * regresses with DECA, so it is DECA's crop (see `face/crop.ts`). The way back into the photograph is kept beside it.
 *
 * Where the paper is silent: reducing uses a filter as wide as the reduction (DECA's own bilinear warp aliases on large
 * photographs), and what lies outside of the photograph is black, as there.
 */

import { z } from "zod";
import { cropInPhotograph, type CropTransform, decaCrop } from "../../face/crop.ts";
import type { BytePixels } from "../../face/pixels.ts";
import type { FaceBox } from "../../nets/detector.ts";
import { defineStage, type Tree } from "@ftim/pipeline";
import type { Detection } from "./detect.ts";
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
    /** Side of the crop over the mean side of the detector's box. */
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
  return faces.map((box, face) => {
    const transform = placeOf(box, { size, margin, photograph: image, name: `${photograph}/${face}` });
    return { image, about: { source, identity, expression, view, angles, photograph, face, box, transform } };
  });
}

/**
 * A face's place in its crop.
 *
 * @throws {RangeError} naming the face, if its box is no place
 */
function placeOf(
  box: FaceBox,
  { name, ...options }: Parameters<typeof decaCrop>[1] & { readonly name: string },
): CropTransform {
  if ([box.left, box.top, box.width, box.height].every(Number.isFinite) && Math.min(box.width, box.height) > 0) {
    return decaCrop(box, options);
  }
  throw new RangeError(`${name}: cannot crop a face of ${box.width}×${box.height} pixels at (${box.left}, ${box.top})`);
}
