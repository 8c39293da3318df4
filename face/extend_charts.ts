/** `extendBeyondChart` of uv_map.ts, the reference, for a stack of maps on the device. */
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { elementFor, program, QUOTIENT, run } from "@ftim/gpu/wgsl";
import type { UvMap } from "./uv_map.ts";

/**
 * Maps with each texel outside the chart replaced by the nearest inside. (A stack of maps is mirrored by
 * `tf.reverse(maps, 2)`, which is `flipMap` of symmetry.ts.)
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
  const { element, width: wide } = elementFor(channels);
  const count = maps.size / wide;
  return tf.tidy(() =>
    run(tf, {
      key: `extend_charts_${element}`,
      code: () =>
        program({
          result: element,
          inputs: [["maps", element], ["nearest", "i32"]],
          uniforms: ["count", "inner", "area"],
          functions: QUOTIENT,
          body: `
  if (id >= u.count) { return; }
  let map = quotient(id, u.area * u.inner);
  let rest = id - map * u.area * u.inner;
  let texel = quotient(rest, u.inner);
  result[id] = maps[(map * u.area + nearest[texel] - texel) * u.inner + rest];`,
        }),
      inputs: [maps, tf.tensor1d(new Int32Array(map.nearest), "int32")],
      shape: maps.shape,
      uniforms: [count, channels / wide, width * height],
      invocations: count,
    }) as Tensor4D
  );
}
