/**
 * Stage `fuse`: several photographs of one person as one incomplete texture, which FTIM then completes where none of
 * them saw anything. The light of each photograph, as the regressor found it, is taken out before, by subtraction of
 * the template's as in the paper, and the light of the most frontal one is put in its place (`face/fuse_views.ts`). The
 * paper completes from one view, and uses others in training only.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";
import { keysOf } from "../faces/keys_of.ts";
import type { FusedView } from "./parts/fused_views.ts";

/**
 * Faces of one person → what `unwrap` gives of one, under the key of the most frontal: `<key>.texture.png`,
 * `<key>.visibility.png`, `<key>.mask.png`, and beside them `<key>.views.json` ({@link FusedView}s) and a map of how
 * much each view counts.
 */
export const fuseViews = defineStage({
  name: "fuse",
  module: import.meta.url,
  inputs: { crops: "aligned", unwrapped: "unwrapped", regressed: "regressed", model: "model", topology: "assets" },
  output: "unwrapped",
  params: z.strictObject({}),
  // On one adapter; on another a value may be rounded to the next byte.
  determinism: "bitwise",
  computes: { webgpu: "templates, normals, tones, the mean of the views", cpu: "which view is frontal: bookkeeping" },
  resources: { gpu: true },
  run: async ({ inputs, out }) => {
    const { byteValues } = await import("@ftim/gpu/ops/byte-values");
    const { fuseViews } = await import("../../face/fuse_views.ts");
    const { normalMaps, uploadMeshes } = await import("../../face/normal_maps.ts");
    const { readPixelBytes } = await import("../../face/pixel_bytes.ts");
    const { encodeGreyPng, encodePng } = await import("../faces/photograph.ts");
    const { readSeenBytes } = await import("../faces/geometry.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const { templateMaps } = await import("../../face/template_maps.ts");
    const { closeFaceModel, openFaceModel } = await import("../faces/face_model.ts");
    const keys = keysOf(inputs.regressed, ".safetensors");
    if (keys.length === 0) throw new RangeError("There is no face to fuse");
    const model = await openFaceModel(inputs);
    const { tf, topology, size } = model;
    const faces = await Promise.all(keys.map(async (key) => {
      const [regression, seen, { transform }] = await Promise.all([
        readRegression(inputs.regressed, key),
        readSeenBytes(inputs.unwrapped, key),
        inputs.crops.json<AlignedFace>(`${key}.json`),
      ]);
      return { ...regression, ...seen, transform };
    }));
    const turned = faces.map(({ angles: { yaw, pitch } }) => Math.hypot(yaw, pitch));
    const reference = turned.indexOf(Math.min(...turned));
    const shape = [faces.length, size, size];
    const maps = tf.tidy(() => {
      const { albedo, shading } = templateMaps(tf, faces, { ...model, levels: 255 });
      const lights = tf.mul(albedo, tf.sub(shading, 1)) as Tensor4D;
      const textures = byteValues(tf, faces.map(({ texture }) => texture), [...shape, 3]) as Tensor4D;
      const visibilities = byteValues(tf, faces.map(({ visibility }) => visibility), shape) as Tensor3D;
      const meshes = uploadMeshes(tf, faces.map(({ vertices }) => vertices), topology);
      const normals = normalMaps(tf, meshes, { topology, size });
      const { texture, visibility, shares } = fuseViews(tf, { textures, lights, visibilities, normals }, {
        densities: faces.map(({ transform: { scale } }) => 1 / scale),
        reference,
      });
      return [texture, visibility, shares];
    });
    closeFaceModel(model);
    const [texture, visibility, shares] = await readPixelBytes(tf, maps, "fuse");
    const key = keys[reference]!;
    const length = size * size;
    const square = { width: size, height: size };
    out.write(`${key}.texture.png`, await encodePng({ ...square, data: texture! }));
    out.write(`${key}.visibility.png`, await encodeGreyPng({ ...square, data: unitOf(visibility!) }));
    out.write(`${key}.mask.png`, await inputs.unwrapped.bytes(`${key}.mask.png`));
    const seen = visibility!.reduce((sum, value) => sum + Math.sign(value), 0);
    const views = await Promise.all(keys.map(async (from, i): Promise<FusedView> => {
      const share = shares!.subarray(i * length, (i + 1) * length);
      const file = `${key}.share${i}.png`;
      out.write(file, await encodeGreyPng({ ...square, data: unitOf(share) }));
      const part = share.reduce((sum, value, texel) => sum + (visibility![texel]! > 0 ? value : 0), 0) / 255 / seen;
      return { key: from, share: file, part };
    }));
    out.json(`${key}.views.json`, views);
  },
});

/** Bytes as values in 0..1. */
function unitOf(bytes: Uint8Array): Float32Array {
  return Float32Array.from(bytes, (value) => value / 255);
}
