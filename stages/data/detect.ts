/**
 * Stage `detect`: faces in the imported photographs. Those without one are dropped, by name and counted. The paper uses
 * "FaceNet to eliminate images without faces" (Section 3.1), which we read as the detector that ships with FaceNet;
 * here it is the detector that a package ships.
 *
 * What the paper does not print, we decide: of several faces the largest is the one that was photographed (captures),
 * or all are kept (photographs in the wild, where each is a test face of its own).
 */

import { z } from "zod";
import { runsOnGpu } from "@ftim/gpu/onnx";
import type { Rectangle } from "../../face/crop.ts";
import { type FaceBox, openDetector } from "../../nets/detector.ts";
import { defineStage } from "@ftim/pipeline";
import { readPixels } from "../faces/photograph.ts";

/** A face that was found. */
export interface DetectedFace extends FaceBox {
  /** The bounding box of its mesh in the photograph's pixels, once there is one (`outline.ts`). */
  readonly outline?: Rectangle;
}

/** `<key>.json` of a photograph with a face. */
export interface Detection {
  readonly width: number;
  readonly height: number;
  /** Kept faces from left to right, in pixels. */
  readonly faces: readonly DetectedFace[];
  /** How many faces were found, kept or not. */
  readonly found: number;
}

/** Images → `<key>.json` ({@link Detection}); photographs without a face are skipped. */
export const detectFaces = defineStage({
  name: "detect",
  module: import.meta.url,
  inputs: { images: "images", network: "assets" },
  output: "detections",
  each: ["images"],
  batch: 8,
  params: z.strictObject({
    /** Which of several faces to keep. */
    keep: z.enum(["largest", "all"]).default("largest"),
    /** Least score of a face, 0..1. */
    minScore: z.number().min(0).max(1).default(0.6),
    /** Boxes that overlap a better one by more (intersection over union) are the same face. */
    maxOverlap: z.number().min(0).max(1).default(0.3),
    /** Levels of the image pyramid; more find smaller faces. */
    levels: z.number().int().min(1).max(4).default(1),
    /** Looks at as many sizes as it takes to find faces of this width, in pixels; null: `levels` decides. */
    smallest: z.number().positive().nullable().default(null),
  }),
  determinism: { atol: 1e-2, rtol: 1e-3 },
  computes: {
    webgpu: "cutting out and resizing, on a GPU",
    onnxruntime: "the face detector (on a software adapter by its CPU provider, which is faster there)",
    cpu: "overlapping boxes: bookkeeping; on a software adapter also cutting out and resizing, beside the network",
  },
  resources: { gpu: runsOnGpu },
  open: async ({ inputs }) => await openDetector(await inputs.network.bytes(inputs.network.paths[0]!)),
  close: (detector) => detector.dispose(),
  run: async ({ items, params: { keep, smallest, levels, ...options }, resource }) => {
    const { groupsByPixels } = await import("../faces/by_pixels.ts");
    const work = async ({ key, inputs, out, skip }: typeof items[number]) => {
      const image = await readPixels(inputs.images, `${key}.png`);
      const found = smallest === null
        ? await resource.detect(image, { ...options, levels })
        : await resource.search(image, { ...options, smallest });
      if (found.length === 0) {
        skip(`${key}: no face (score of at least ${options.minScore})`);
        return;
      }
      const detection: Detection = {
        width: image.width,
        height: image.height,
        faces: keep === "all" ? leftToRight(found) : [largest(found)],
        found: found.length,
      };
      out.json(`${key}.json`, detection);
    };
    // Side by side: on a GPU each waits for its answer.
    for (const group of await groupsByPixels(items)) await Promise.all(group.map(work));
  },
});

/** Faces ordered by the centre of their boxes. */
export function leftToRight(faces: readonly FaceBox[]): FaceBox[] {
  return faces.toSorted((a, b) => a.left + a.width / 2 - b.left - b.width / 2 || a.top - b.top);
}

/**
 * The face with the largest box; of equals the first.
 *
 * @throws {RangeError} if there is none
 */
export function largest(faces: readonly FaceBox[]): FaceBox {
  const [first, ...rest] = faces;
  if (first === undefined) throw new RangeError("There is no face to choose from");
  return rest.reduce((best, face) => face.width * face.height > best.width * best.height ? face : best, first);
}
