/** What texels hold, for tests. */

import type { Tensor, Tensor4D, TensorInfo } from "@tensorflow/tfjs";
import { type Tfjs, webgpuBackend } from "../../gpu/backend.ts";
import { isSoftware } from "../../gpu/device.ts";
import { dispatch, program, sizeOf } from "../../gpu/kernels/dispatch.ts";
import { fetchTexel } from "../../gpu/kernels/texels.ts";
import type { FeatureMap } from "../../gpu/ops/feature_map.ts";

/** Texels as a tensor of a shape that has as many values: four each. */
export function texelValues(tf: Tfjs, texels: TensorInfo, shape: readonly number[]): Tensor {
  const count = sizeOf(shape) / 4;
  return tf.engine().makeTensorFromTensorInfo(dispatch(webgpuBackend(tf), {
    key: "test_texel_values",
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["x", "texture"]],
        uniforms: ["count"],
        body: `
  if (id >= u.count) { return; }
  result[id] = ${fetchTexel("x", "id")};`,
      }),
    inputs: [texels],
    shape,
    uniforms: [count],
    invocations: count,
  }));
}

/** A map as a tensor [batch, height, width, channels]. */
export function mapValues(tf: Tfjs, { map }: FeatureMap): Tensor4D {
  if (!isSoftware(webgpuBackend(tf).device)) return tf.clone(map);
  return texelValues(tf, map, map.shape) as Tensor4D;
}
