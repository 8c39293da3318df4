/**
 * The paper's 3DMM regressor (section 3.1), fixed: DECA's encoder makes 236 numbers of an aligned crop, FLAME a head of
 * them, and DECA's camera puts it into the crop. One pass gives mesh and coefficients, so its files are meshes that
 * have all of a regression beside them. `regress` hands it on, and fits light and albedo where DECA's albedo space is
 * absent.
 *
 * The light is DECA's own: its bands have the order and the factors of `face/light.ts`, and its normals are those of
 * the posed head, which the camera neither turns nor stretches, so that the 27 numbers are taken as they are.
 *
 * The crops are those of `align`, as of the other regressor: DECA's place and size around the detector's box, reduced
 * with a filter as wide as the reduction.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import { defineStage } from "@ftim/pipeline";

/**
 * Aligned crops of 224² → `<key>.safetensors` (see `regression.ts`): vertices of the topology [V,3] in crop pixels (z
 * away), identity [100], expression [50], pose [6], head angles, light [27] and albedo [50].
 */
export const decaFaces = defineStage({
  name: "deca",
  module: import.meta.url,
  inputs: {
    crops: "aligned",
    encoder: "assets",
    flame: "assets",
    landmarks: "assets",
    template: "assets",
    topology: "assets",
  },
  output: "meshes",
  each: ["crops"],
  batch: 8,
  determinism: { atol: 1e-2, rtol: 1e-3 },
  computes: { webgpu: "ResNet-50, FLAME, camera", cpu: "the head's angles: a small solve" },
  resources: { gpu: true, memoryMiB: 1024 },
  open: async ({ inputs: { encoder, flame, landmarks, template, topology } }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { openDecaRegressor } = await import("../../nets/deca_regressor.ts");
    const { readFacePart } = await import("../faces/face_part_file.ts");
    const { onlyFile } = await import("../data/parts/file_source.ts");
    const tf = await openTfjs();
    const { vertices } = await readFacePart(topology);
    const regressor = await openDecaRegressor({
      encoder: await onlyFile(encoder),
      flame: await onlyFile(flame),
      landmarks: await onlyFile(landmarks),
      template: await template.text(template.paths[0]!),
    });
    return { tf, regressor, vertices: tf.keep(tf.tensor1d(new Int32Array(vertices), "int32")) };
  },
  close: ({ regressor, vertices }) => {
    regressor.dispose();
    vertices.dispose();
  },
  run: async ({ items, resource: { tf, regressor, vertices } }) => {
    const { byteValues } = await import("@ftim/gpu/ops/byte-values");
    const { readBack } = await import("@ftim/gpu/ops/read-back");
    const { anglesFromRotation, rotationFromVector } = await import("../../face/pose.ts");
    const { RESNET50_SIZE: size } = await import("../../nets/resnet50.ts");
    const { readPixels } = await import("../faces/photograph.ts");
    const { encodeRegression } = await import("../faces/regression.ts");
    const crops = await Promise.all(items.map(({ key, inputs }) => readPixels(inputs.crops, `${key}.png`)));
    for (const [i, { width, height }] of crops.entries()) {
      if (width === size && height === size) continue;
      throw new RangeError(`${items[i]!.key}: DECA takes crops of ${size}×${size} pixels, not ${width}×${height}`);
    }
    const found = tf.tidy(() => {
      const shape = [crops.length, size, size, 3];
      const { code, posed } = regressor.regressCrops(byteValues(tf, crops.map(({ data }) => data), shape) as Tensor4D);
      const { shape: identity, expression, pose, light, albedo } = code;
      // Copies, because a part of a code may be a view of all of it.
      return [tf.gather(posed, vertices, 1), ...[identity, expression, pose, light, albedo].map((x) => tf.clone(x))];
    });
    const values = await readBack(found, "deca");
    for (const [i, { key, out, skip }] of items.entries()) {
      const [mesh, identity, expression, pose, light, albedo] = values.map((all) =>
        all.slice(i * all.length / items.length, (i + 1) * all.length / items.length)
      ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
      if (![mesh, identity, expression, pose, light, albedo].every((part) => part.every(Number.isFinite))) {
        skip(`${key}: what DECA makes of it is not finite`);
        continue;
      }
      const angles = anglesFromRotation(rotationFromVector(pose.subarray(0, 3)));
      out.write(
        `${key}.safetensors`,
        encodeRegression({ vertices: mesh, identity, expression, angles, pose, light, albedo }),
      );
    }
  },
});
