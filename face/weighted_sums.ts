/**
 * Sums over the texels of each face in a fixed order, which does not depend on how many faces there are. A face's
 * samples are dealt out to as many lanes for every batch; each lane adds up its own, and the lanes are added here.
 *
 * Neighbouring invocations have neighbouring lanes and so read neighbouring samples. A lane adds some 50 to 150 values
 * and the lanes are 128, so that the sum of 20,000 values in f32 is right to about 1e-6.
 */
import type { Tensor } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run, sizeOf } from "@ftim/gpu/wgsl";

/** How many partial sums each sum has. */
export const LANES = 128;

/**
 * Adds the lanes.
 *
 * @param partial [rows, LANES, 4]
 * @returns [rows, 4]
 */
export function addLanes(tf: Tfjs, partial: Tensor): Tensor {
  const rows = sizeOf(partial.shape) / (4 * LANES);
  return run(tf, {
    key: "add_lanes",
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["x", "vec4<f32>"]],
        uniforms: ["rows"],
        body: `
  if (id >= u.rows) { return; }
  let first = id * ${LANES};
  var a = vec4<f32>();
  var b = vec4<f32>();
  var c = vec4<f32>();
  var d = vec4<f32>();
  for (var k = first; k < first + ${LANES}; k += 4) {
    a += x[k];
    b += x[k + 1];
    c += x[k + 2];
    d += x[k + 3];
  }
  result[id] = (a + b) + (c + d);`,
      }),
    inputs: [partial],
    shape: [rows, 4],
    uniforms: [rows],
    invocations: rows,
  });
}
