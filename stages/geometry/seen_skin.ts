/**
 * A photograph of a person may show more than the person where the mesh is: hair over a cheek, a hand, a phone, the wall
 * beside a cheek that turns away. What is covered so was not seen, and must not be mirrored to the other half
 * (`face/skin_visibility.ts`). The paper's photographs are cleared by hand and have no such step; neither has the
 * protocol that the tables follow.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";

/** Incomplete textures and what was regressed of them → the same, with a lower visibility where a face is covered. */
export const seenSkin = defineStage({
  name: "seen_skin",
  module: import.meta.url,
  inputs: { unwrapped: "unwrapped", regressed: "regressed", model: "model", topology: "assets" },
  output: "unwrapped",
  each: ["unwrapped", "regressed"],
  batch: 16,
  params: z.strictObject({}),
  // On one adapter; on another a texel here and there may be decided the other way.
  determinism: "bitwise",
  computes: { webgpu: "templates, the skin's colours, what is covered" },
  resources: { gpu: true },
  open: async ({ inputs }) => (await import("../faces/templates.ts")).openFaceModel(inputs),
  close: async (model) => (await import("../faces/templates.ts")).closeFaceModel(model),
  run: async ({ items, resource: model }) => {
    const { skinVisibilities } = await import("../../face/skin_visibility.ts");
    const { readBack } = await import("../../face/read_back.ts");
    const { readSeen } = await import("../faces/geometry.ts");
    const { encodeGreyPng } = await import("../faces/photograph.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const { templatesOf } = await import("../faces/templates.ts");
    const { tf, size } = model;
    const read = await Promise.all(items.map(async (item) => ({
      ...item,
      ...await readSeen(item.inputs.unwrapped, item.key),
      regression: await readRegression(item.inputs.regressed, item.key),
    })));
    const faces = read.filter(({ key, skip, regression: { vertices, light, albedo } }) => {
      const finite = [vertices, light, albedo].every((values) => values.every(Number.isFinite));
      if (!finite) skip(`${key}: what was regressed of it is not finite`);
      return finite;
    });
    if (faces.length === 0) return;
    const visibilities = tf.tidy(() => {
      const { albedo, shading } = templatesOf(faces.map(({ regression }) => regression), model);
      const textures = tf.stack(faces.map(({ texture }) => tf.tensor3d(texture, [size, size, 3])));
      const seen = tf.stack(faces.map(({ visibility }) => tf.tensor2d(visibility, [size, size])));
      return skinVisibilities(tf, {
        textures: textures as import("@tensorflow/tfjs").Tensor4D,
        visibilities: seen as import("@tensorflow/tfjs").Tensor3D,
        templates: tf.mul(albedo, shading),
      });
    });
    const [values] = await readBack([visibilities], "seen_skin");
    await Promise.all(faces.map(async ({ key, inputs: { unwrapped }, out }, i) => {
      const data = values!.slice(i * size * size, (i + 1) * size * size);
      out.write(`${key}.visibility.png`, await encodeGreyPng({ width: size, height: size, data }));
      for (const name of ["texture", "mask"]) out.write(`${key}.${name}.png`, await unwrapped.bytes(`${key}.${name}.png`));
    }));
  },
});
