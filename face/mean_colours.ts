/** Mean colours of many maps on the device, where they are not black. */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";
import { addLanes, LANES } from "./weighted_sums.ts";

/**
 * What the mean colour of each map's texels is made of, summed in a fixed order.
 *
 * @param maps [B, H, W, 3], not below 0
 * @returns [B, 4]: the sum of each colour, and how many texels are not black
 */
export function colourSums(tf: Tfjs, maps: Tensor4D): Tensor {
  const [batch, height, width] = maps.shape;
  return tf.tidy(() =>
    addLanes(
      tf,
      run(tf, {
        key: "colour_sums",
        code: () =>
          program({
            result: "vec4<f32>",
            inputs: [["maps", "f32"]],
            uniforms: ["total", "texels"],
            body: `
  if (id >= u.total) { return; }
  let first = id / ${LANES} * u.texels;
  var sum = vec4<f32>();
  for (var i = first + id % ${LANES}; i < first + u.texels; i += ${LANES}) {
    let colour = vec3<f32>(maps[3 * i], maps[3 * i + 1], maps[3 * i + 2]);
    sum += vec4<f32>(colour, select(0.0, 1.0, any(colour > vec3<f32>())));
  }
  result[id] = sum;`,
          }),
        inputs: [maps],
        shape: [batch, LANES, 4],
        uniforms: [batch * LANES, height * width],
        invocations: batch * LANES,
      }),
    )
  );
}
