/**
 * Stage `align`: each detected face as a 224 × 224 crop in the place where the 3DMM regressor expects it. The paper
 * regresses with DECA, so it is DECA's crop (see `face/crop.ts`). The way back into the photograph is kept beside it.
 *
 * Where the paper is silent: reducing uses a filter as wide as the reduction (DECA's own bilinear warp aliases on large
 * photographs), and what lies outside of the photograph is black, as there.
 */

import { z } from "zod";
import { cropInPhotograph, type CropTransform, decaCrop } from "../../face/crop.ts";
import type { FaceBox } from "../../nets/detector.ts";
import { resampleCpu } from "../../nets/resample_cpu.ts";
import { defineStage } from "@ftim/pipeline";
import type { Detection } from "./detect.ts";
import type { ImportedImage } from "./import.ts";
import { encodePng, readImage } from "../faces/photograph.ts";

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
  batch: 8,
  params: z.strictObject({
    /** Side of the crop in pixels. */
    size: z.number().int().min(32).default(224),
    /** Side of the crop over the mean side of the detector's box. */
    margin: z.number().positive().default(1.25),
  }),
  determinism: "bitwise",
  computes: { cpu: "decoding and encoding: file formats; cropping and resampling; not on WebGPU yet" },
  run: async ({ items, params }) => {
    for (const { key, inputs, out } of items) {
      const image = await readImage(inputs.images, `${key}.png`);
      const { source, identity, expression, view, angles } = await inputs.images.json<ImportedImage>(`${key}.json`);
      const { faces } = await inputs.detections.json<Detection>(`${key}.json`);
      for (const [face, box] of faces.entries()) {
        const transform = decaCrop(box, { ...params, photograph: image });
        const { size } = transform;
        const crop = resampleCpu(image, {
          box: cropInPhotograph(transform),
          width: size,
          height: size,
          border: "zero",
        });
        const aligned: AlignedFace = {
          source,
          identity,
          expression,
          view,
          angles,
          photograph: key,
          face,
          box,
          transform,
        };
        out.write(`${key}/${face}.png`, await encodePng(crop));
        out.json(`${key}/${face}.json`, aligned);
      }
    }
  },
});
