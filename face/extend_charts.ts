/** `extendBeyondChart` of extend_charts_cpu.ts, the reference, for a stack of maps on the device. */
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { program, QUOTIENT, run } from "@ftim/gpu/wgsl";
import type { UvMap } from "./uv_map.ts";

/**
 * Maps with each texel outside the chart replaced by the nearest inside. (A stack of maps is mirrored by
 * `tf.reverse(maps, 2)`, which is `flipMap` of flip_map_cpu.ts.)
 *
 * @param maps [count, size, size, channels]
 * @param map The chart, of the same size.
 * @returns [count, size, size, channels]
 * @throws {RangeError} if the maps are of another size
 */
export function extendBeyondCharts(tf: Tfjs, maps: Tensor4D, map: UvMap): Tensor4D {
  const [, height, width, channels] = maps.shape;
  if (height !== map.size || width !== map.size) {
    throw new RangeError(`Maps [${maps.shape}] are not of a chart of ${map.size}×${map.size} texels`);
  }
  if (maps.size === 0) return maps.clone();
  const [count, inner] = [maps.size / channels, channels];
  return tf.tidy(() =>
    run(tf, {
      key: `extend_charts_${inner}`,
      code: () =>
        program({
          result: "f32",
          inputs: [["maps", "f32"], ["nearest", "i32"]],
          uniforms: ["count", "area"],
          functions: QUOTIENT,
          body: `
  if (id >= u.count) { return; }
  let first = quotient(id, u.area) * u.area;
  let at = ${inner} * (first + nearest[id - first]);
  let to = ${inner} * id;
  for (var k = 0; k < ${inner}; k++) { result[to + k] = maps[at + k]; }`,
        }),
      inputs: [maps, tf.tensor1d(new Int32Array(map.nearest), "int32")],
      shape: maps.shape,
      uniforms: [count, width * height],
      invocations: count,
    }) as Tensor4D
  );
}
