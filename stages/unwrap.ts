/**
 * UV Render (paper, section 3.2): aligned crop and posed mesh → incomplete UV texture, how well each texel was seen, and
 * the mask of the mesh in the crop. The mask is what every method is scored on, so it is made once, here.
 *
 * Where the paper is silent: a texel is seen if no other part of the face lies before it (DECA tests its normal alone),
 * and counts less the more grazing the view; see `face/unwrap.ts`.
 *
 * @module
 */
import { z } from "zod";
import { photographInCrop, type Rectangle } from "../face/crop.ts";
import { defineStage } from "../pipeline/mod.ts";
import type { AlignedFace } from "./align.ts";

/** Crops and meshes → `<key>.texture.png` (256²), `<key>.visibility.png` (256²) and `<key>.mask.png` (the crop's size). */
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
    /** View-space normal z at which visibility begins and at which it is full: 84° and 66° from the camera. */
    facing: z.tuple([z.number(), z.number()]).default([0.1, 0.4]),
    /** Width, in parts of the face's size, of the band along the mesh's outline that fades to unseen. */
    outline: z.number().min(0).default(0.012),
  }),
  determinism: "bitwise",
  open: async ({ inputs }) => (await import("./geometry.ts")).readTopology(inputs.topology),
  run: async ({ items, params: { size, ...seen }, resource: topology }) => {
    const { unwrap } = await import("../face/unwrap.ts");
    const { renderOperator } = await import("../face/render.ts");
    const { encodeGreyPng, encodePng, readImage } = await import("./photograph.ts");
    const { readMesh } = await import("./geometry.ts");
    for (const { key, inputs, out } of items) {
      const crop = await readImage(inputs.crops, `${key}.png`);
      const vertices = await readMesh(inputs.meshes, key);
      const { transform } = await inputs.crops.json<AlignedFace>(`${key}.json`);
      // A crop reaches past the photograph's border where a face is cut off; nothing was seen there.
      const bounds = photographInCrop(transform);
      const { texture, visibility } = unwrap(crop, vertices, { topology, size, bounds, ...seen });
      const { coverage } = renderOperator(vertices, { topology, size, width: crop.width, height: crop.height });
      out.write(`${key}.texture.png`, await encodePng({ width: size, height: size, data: texture }));
      out.write(`${key}.visibility.png`, await encodeGreyPng({ width: size, height: size, data: visibility }));
      const mask = coverage.map((value, i) =>
        contains(bounds, { x: i % crop.width, y: Math.floor(i / crop.width) }) ? value : 0
      );
      out.write(`${key}.mask.png`, await encodeGreyPng({ width: crop.width, height: crop.height, data: mask }));
    }
  },
});

/** Whether a pixel's centre lies in a rectangle. */
function contains({ left, top, width, height }: Rectangle, { x, y }: { x: number; y: number }): boolean {
  return x + 0.5 >= left && y + 0.5 >= top && x + 0.5 <= left + width && y + 0.5 <= top + height;
}
