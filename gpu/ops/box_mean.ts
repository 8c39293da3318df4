/**
 * The mean of each value's square neighbourhood in square maps of weights 0..1, on the device.
 *
 * The sums are of whole numbers, values in steps of 2⁻²⁴ as long as a sum fits in 32 bits. So a running sum forgets
 * nothing, and the cost does not depend on the radius. A map is read as rows of four values each; a pass goes down four
 * columns at once and writes its result transposed, so that two passes of one program go both ways.
 */

import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs";
import { program } from "../kernels/dispatch.ts";
import type { Tfjs } from "../backend.ts";
import { run } from "./run.ts";

/** Elements of four values in a row of a packed map. */
export function packedRow(size: number): number {
  return Math.ceil(size / 4);
}

/**
 * The mean over the square of 2·radius + 1 around each value; beyond the border the border's values repeat.
 *
 * @param maps [maps, size, size], each value 0..1
 * @param options.radius from 0 to 2¹⁵
 * @returns [maps, size, size]
 * @throws {RangeError} if the maps are not square, or the radius is none
 */
export function boxMean(tf: Tfjs, maps: Tensor3D, { radius }: { radius: number }): Tensor3D {
  const [count, size, width] = maps.shape;
  if (size !== width) throw new RangeError(`Maps [${maps.shape}] are not square`);
  if (maps.size === 0) return maps.clone();
  const row = packedRow(size);
  return tf.tidy(() => {
    const beyond = 4 * row - size;
    const padded = beyond === 0 ? maps : tf.pad(maps, [[0, 0], [0, 0], [0, beyond]]);
    const means = boxMeanPacked(tf, tf.reshape(padded, [-1, 4]) as Tensor2D, { size, radius });
    const whole = tf.reshape(means, [count, size, 4 * row]) as Tensor3D;
    return beyond === 0 ? whole : tf.slice(whole, 0, [count, size, size]);
  });
}

/**
 * The same of maps whose rows are padded to elements of four values [maps·size·row, 4]. What lies beyond a row's end is
 * not read, and arbitrary in the result.
 */
export function boxMeanPacked(
  tf: Tfjs,
  packed: Tensor2D,
  { size, radius }: { size: number; radius: number },
): Tensor2D {
  if (!(Number.isInteger(radius) && radius >= 0 && radius <= 1 << 15)) {
    throw new RangeError(`A neighbourhood's radius of ${radius} is no whole number from 0 to ${1 << 15}`);
  }
  if (radius === 0) return packed.clone();
  const steps = 2 ** Math.min(24, 31 - Math.ceil(Math.log2(2 * radius + 1)));
  const row = packedRow(size);
  const count = packed.shape[0] / size;
  const pass = (from: Tensor) =>
    run(tf, {
      key: "box_mean",
      code,
      inputs: [from],
      shape: packed.shape,
      uniforms: [count, size, row, radius, { f32: steps }],
      invocations: count,
    }) as Tensor2D;
  return tf.tidy(() => pass(pass(packed)));
}

const code = () =>
  program({
    result: "vec4<f32>",
    inputs: [["values", "vec4<f32>"]],
    uniforms: ["count", "size", "row", "radius", "steps:f32"],
    functions: /* wgsl */ `
fn whole(at : i32) -> vec4<u32> {
  return vec4<u32>(round(clamp(values[at], vec4<f32>(), vec4<f32>(1)) * u.steps));
}
`,
    body: `
  if (id >= u.count) { return; }
  let map = id / u.row;
  let column = id - map * u.row;
  let top = map * u.size * u.row + column;
  let last = top + (u.size - 1) * u.row;
  var sum = u32(u.radius) * whole(top);
  for (var i = 0; i < u.radius; i++) { sum += whole(min(top + i * u.row, last)); }
  let part = 1.0 / (u.steps * f32(2 * u.radius + 1));
  let to = (map * u.size + 4 * column) * u.row;
  let columns = min(4, u.size - 4 * column);
  for (var y = 0; y < u.size; y += 4) {
    let at = top + y * u.row;${
      [0, 1, 2, 3].map((k) => `
    sum += whole(min(at + (${k} + u.radius) * u.row, last));
    let mean${k} = vec4<f32>(sum) * part;
    sum -= whole(clamp(at + (${k} - u.radius) * u.row, top, last));`).join("")
    }
    let turned = transpose(mat4x4<f32>(mean0, mean1, mean2, mean3));
    let place = to + y / 4;
    result[place] = turned[0];
    if (columns > 1) { result[place + u.row] = turned[1]; }
    if (columns > 2) { result[place + 2 * u.row] = turned[2]; }
    if (columns > 3) { result[place + 3 * u.row] = turned[3]; }
  }`,
  });
