/**
 * FTIM's first guess of each face's texture: what is seen, else its mirror image, else the template. It is part of the
 * network's input, and what the network's residual is added to where nothing was seen (`nets/ftim.ts`). The paper's
 * network has no such input.
 *
 * It is a stage of its own, because every training, every reconstruction and every variant of the ablation begins with
 * it.
 */
import { defineStage } from "@ftim/pipeline";

/** Faces → `<key>.png`, the complete texture [S·S]. */
export const guessTextures = defineStage({
  name: "guess",
  module: import.meta.url,
  inputs: { unwrapped: "unwrapped", regressed: "regressed", model: "model", topology: "assets" },
  output: "guesses",
  each: ["unwrapped", "regressed"],
  batch: 4,
  // On one adapter; on another a value may be rounded to the next byte.
  determinism: "bitwise",
  computes: { webgpu: "template albedo and shading, mirroring, colour matching, fill" },
  resources: { gpu: true },
  open: async ({ inputs }) => await (await import("../faces/face_model.ts")).openFaceModel(inputs),
  close: async (model) => (await import("../faces/face_model.ts")).closeFaceModel(model),
  run: async ({ items, resource: { tf, topology, parts, size } }) => {
    const { guessTextures } = await import("../../face/guess_textures.ts");
    const { bytesOf } = await import("@ftim/gpu/ops/pack-bytes");
    const { joined } = await import("../../face/joined.ts");
    const { readBack } = await import("@ftim/gpu/ops/read-back");
    const { templateMaps } = await import("../../face/template_maps.ts");
    const { readMirrored } = await import("../faces/geometry.ts");
    const { encodePng } = await import("../faces/photograph.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const read = await Promise.all(items.map(async (item) => ({
      ...item,
      ...await readMirrored(item.inputs.unwrapped, item.key),
      regression: await readRegression(item.inputs.regressed, item.key),
    })));
    const faces = read.filter(({ key, skip, regression: { vertices, light, albedo } }) => {
      const finite = [vertices, light, albedo].every((values) => values.every(Number.isFinite));
      if (!finite) skip(`${key}: what was regressed of it is not finite`);
      return finite;
    });
    if (faces.length === 0) return;
    const shape: [number, number, number, number] = [faces.length, size, size, 3];
    const maps = tf.tidy(() => {
      const found = faces.map(({ regression }) => regression);
      const { albedo, shading } = templateMaps(tf, found, { parts, topology, size, levels: 255 });
      return {
        textures: tf.tensor4d(joined(faces.map(({ texture }) => texture)), shape),
        visibilities: tf.tensor3d(joined(faces.map(({ visibility }) => visibility)), [faces.length, size, size]),
        albedos: albedo,
        shadings: shading,
      };
    });
    const { bytes, unseen } = await guessTextures(tf, maps, { topology }).finally(() => tf.dispose(maps));
    const [words] = await readBack<"int32">([bytes], "guess");
    await Promise.all(faces.map(async ({ key, out, skip }, index) => {
      if (unseen.includes(index)) {
        skip(`${key}: too little of it was seen for a first guess`);
        return;
      }
      const data = bytesOf(words!, { index, length: 3 * size * size });
      out.write(`${key}.png`, await encodePng({ width: size, height: size, data }));
    }));
  },
});
