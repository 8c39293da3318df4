/**
 * UV Render (paper, section 3.2): aligned crop and posed mesh → incomplete UV texture, how well each texel was seen,
 * and the mask of the mesh in the crop. The mask is what every method is scored on, so it is made once, here.
 *
 * Where the paper is silent: a texel is seen if no other part of the face lies before it (DECA tests its normal alone),
 * and counts less the more grazing the view; `face/unwrap_cpu.ts` is the reference of what runs
 * here on the GPU.
 */
import { z } from "zod";
import { shownInCrop } from "../../face/crop.ts";
import { LENIENT } from "../../face/unwrap_options.ts";
import { defineStage } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";

/**
 * Crops and meshes → `<key>.texture.png` (256²), `<key>.visibility.png` (256²) and `<key>.mask.png` (the crop's size).
 */
export const unwrapTextures = defineStage({
  name: "unwrap",
  module: import.meta.url,
  inputs: { crops: "aligned", meshes: "meshes", topology: "assets" },
  output: "unwrapped",
  each: ["crops", "meshes"],
  batch: 8,
  params: z.strictObject({
    /** Side of the UV map in texels. */
    size: z.int().min(16).default(256),
    /** View-space normal z at which visibility begins and at which it is full. */
    facing: z.tuple([z.number(), z.number()]).default(LENIENT.facing),
    /** Width, in parts of the face's size, of the band along the mesh's outline that fades to unseen. */
    outline: z.number().min(0).max(0.28).default(LENIENT.outline),
  }),
  // On one adapter; on another a texel here and there may be decided the other way.
  determinism: "bitwise",
  computes: { webgpu: "depth, normals, texels, visibility, the face mask" },
  resources: { gpu: true },
  open: async ({ inputs }) => {
    const { openGpu } = await import("@ftim/gpu/device");
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { readTopology } = await import("../faces/geometry.ts");
    return { gpu: await openGpu(), tf: await openTfjs(), topology: await readTopology(inputs.topology) };
  },
  close: async ({ gpu, topology }) => (await import("../../face/unwrap_resources.ts")).freeResources(gpu, topology),
  run: async ({ items, params: { size, ...seen }, resource: { gpu, tf, topology } }) => {
    const { unwrap } = await import("../../face/unwrap.ts");
    const { faceMasks } = await import("../../face/face_masks.ts");
    const { encodeGreyPng, encodePng, readImage } = await import("../faces/photograph.ts");
    const { readMesh } = await import("../faces/geometry.ts");
    const read = await Promise.all(items.map(async ({ key, inputs, out, skip }) => {
      const [{ transform }, image, vertices] = await Promise.all([
        inputs.crops.json<AlignedFace>(`${key}.json`),
        readImage(inputs.crops, `${key}.png`),
        readMesh(inputs.meshes, key),
      ]);
      if (!vertices.every(Number.isFinite)) {
        skip("a vertex of its mesh is no finite number");
        return [];
      }
      // A crop may cut a face off, or reach past the photograph's border; nothing was seen there.
      return [{ key, out, image, vertices, bounds: shownInCrop(transform) }];
    }));
    const faces = read.flat();
    if (faces.length === 0) return;
    const { width, height } = faces[0]!.image;
    const [unwrapped, masks] = await Promise.all([
      unwrap(gpu, faces, { topology, size, ...seen }),
      faceMasks(tf, faces, { topology, width, height }),
    ]);
    await Promise.all(faces.map(async ({ key, out }, i) => {
      const { texture, visibility } = unwrapped[i]!;
      const files = await Promise.all([
        encodePng({ width: size, height: size, data: texture }),
        encodeGreyPng({ width: size, height: size, data: visibility }),
        encodeGreyPng({ width, height, data: masks[i]! }),
      ]);
      for (const [k, name] of ["texture", "visibility", "mask"].entries()) out.write(`${key}.${name}.png`, files[k]!);
    }));
  },
});
