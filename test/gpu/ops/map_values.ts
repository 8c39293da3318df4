/** What a map holds, for tests. */

import type { Tensor4D } from "@tensorflow/tfjs";
import { webgpuBackend } from "../../../gpu/backend.ts";
import { isSoftware } from "../../../gpu/device.ts";
import { fetchTexel } from "../../../gpu/kernels/texels.ts";
import type { FeatureMap } from "../../../gpu/ops/feature_map.ts";
import { program, run } from "../../../gpu/wgsl.ts";
import type { Tfjs } from "../../../gpu/tfjs.ts";

/** A map as a tensor [batch, height, width, channels]. */
export function mapValues(tf: Tfjs, { map }: FeatureMap): Tensor4D {
  if (!isSoftware(webgpuBackend(tf).device)) return tf.clone(map);
  const code = () =>
    program({
      result: "vec4<f32>",
      inputs: [["x", "texture"]],
      uniforms: ["count"],
      body: `
  if (id >= u.count) { return; }
  result[id] = ${fetchTexel("x", "id")};`,
    });
  const count = map.size / 4;
  const options = { key: "test_map_values", code, inputs: [map], shape: map.shape };
  return run(tf, { ...options, uniforms: [count], invocations: count }) as Tensor4D;
}
