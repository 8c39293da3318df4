/**
 * UV Render (paper, section 3.2): aligned crop and posed mesh → incomplete UV texture, how well each texel was seen,
 * and the mask of the mesh in the crop. The mask is what every method is scored on, so it is made once, here.
 *
 * Where the paper is silent: a texel is seen if no other part of the face lies before it (DECA tests its normal alone),
 * and counts less the more grazing the view; `face/unwrap_cpu.ts` is the reference of what runs
 * here on the GPU.
 */
import { z } from "zod";
import { photographInCrop, type Rectangle } from "../../face/crop.ts";
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
  computes: { webgpu: "depth, normals, texels, visibility", cpu: "the face mask; not on WebGPU yet" },
  resources: { gpu: true },
  open: async ({ inputs }) => {
    const { openGpu } = await import("@ftim/gpu/device");
    const { readTopology } = await import("../faces/geometry.ts");
    return { gpu: await openGpu(), topology: await readTopology(inputs.topology) };
  },
  close: async ({ gpu, topology }) => (await import("../../face/unwrap_resources.ts")).freeResources(gpu, topology),
  run: async ({ items, params: { size, ...seen }, resource: { gpu, topology } }) => {
    const { unwrap } = await import("../../face/unwrap.ts");
    const { renderOperator } = await import("../../face/render.ts");
    const { encodeGreyPng, encodePng, readImage } = await import("../faces/photograph.ts");
    const { readMesh } = await import("../faces/geometry.ts");
    const faces = await Promise.all(items.map(async ({ key, inputs }) => {
      const { transform } = await inputs.crops.json<AlignedFace>(`${key}.json`);
      return {
        image: await readImage(inputs.crops, `${key}.png`),
        vertices: await readMesh(inputs.meshes, key),
        // A crop reaches past the photograph's border where a face is cut off; nothing was seen there.
        bounds: photographInCrop(transform),
      };
    }));
    const unwrapped = await unwrap(gpu, faces, { topology, size, ...seen });
    for (const [i, { key, out }] of items.entries()) {
      const { image: { width, height }, vertices, bounds } = faces[i]!;
      const { texture, visibility } = unwrapped[i]!;
      const { coverage } = renderOperator(vertices, { topology, size, width, height });
      out.write(`${key}.texture.png`, await encodePng({ width: size, height: size, data: texture }));
      out.write(`${key}.visibility.png`, await encodeGreyPng({ width: size, height: size, data: visibility }));
      const mask = coverage.map((value, k) => contains(bounds, { x: k % width, y: Math.floor(k / width) }) ? value : 0);
      out.write(`${key}.mask.png`, await encodeGreyPng({ width, height, data: mask }));
    }
  },
});

/** Whether a pixel's centre lies in a rectangle. */
function contains({ left, top, width, height }: Rectangle, { x, y }: { x: number; y: number }): boolean {
  return x + 0.5 >= left && y + 0.5 >= top && x + 0.5 <= left + width && y + 0.5 <= top + height;
}
