/**
 * Shading by spherical harmonics on the GPU: `shade` of light_cpu.ts for a batch of maps, differentiable in normals and
 * light, so that either can be fitted by its gradient. Shading is linear in the light, so a matrix product does that
 * half; the bands and their slopes are one pass each.
 */
import type { Tensor, Tensor3D } from "@tensorflow/tfjs";
import { differentiable, program, run, sizeOf } from "@ftim/gpu/wgsl";
import type { Tfjs } from "@ftim/gpu/backend";
import { LIGHT_BANDS, LIGHT_FACTORS } from "./light.ts";

/**
 * Shading of each normal by the light of its batch entry. Differentiable in both. Bit-repeatable.
 *
 * @param normals [batch, …, 3], unit vectors: x right, y up, z to the viewer
 * @param light [batch, 27], band-major, RGB last, as in light.ts
 * @returns [batch, …, 3]; not clamped
 * @throws {RangeError} if the shapes do not fit
 */
export function shadeTensor(tf: Tfjs, normals: Tensor, light: Tensor): Tensor {
  const [batch = 0] = normals.shape;
  if (normals.shape.at(-1) !== 3 || light.shape[0] !== batch || light.size !== batch * 3 * LIGHT_BANDS) {
    throw new RangeError(
      `Cannot shade: normals [${normals.shape}] and light [${light.shape}] must be [B, …, 3] and [B, 27]`,
    );
  }
  return tf.tidy(() => {
    const flat = tf.reshape(normals, [batch, -1, 3]) as Tensor3D;
    const bands = lightBands(tf, flat) as Tensor3D;
    const shading = tf.matMul(bands, tf.reshape(light, [batch, LIGHT_BANDS, 3]) as Tensor3D);
    return tf.reshape(shading, normals.shape);
  });
}

/** Each band without its factor, as WGSL. */
export const BANDS = ["1", "x", "y", "z", "x * y", "x * z", "y * z", "x * x - y * y", "3.0 * z * z - 1.0"];
const NORMAL = "let x = normals[3 * id]; let y = normals[3 * id + 1]; let z = normals[3 * id + 2];";

/** The nine bands of each normal, [batch, count, 9]. */
function lightBands(tf: Tfjs, normals: Tensor3D): Tensor {
  const count = sizeOf(normals.shape) / 3;
  const f = LIGHT_FACTORS;
  return differentiable(tf, {
    inputs: [normals],
    forward: () =>
      run(tf, {
        key: "light_bands",
        code: () =>
          program({
            result: "f32",
            inputs: [["normals", "f32"]],
            uniforms: ["count"],
            body: `
  if (id >= u.count) { return; }
  ${NORMAL}
  let first = ${LIGHT_BANDS} * id;
  ${BANDS.map((band, k) => `result[first + ${k}] = ${f[k]} * (${band});`).join("\n  ")}`,
          }),
        inputs: [normals],
        shape: [...normals.shape.slice(0, 2), LIGHT_BANDS],
        uniforms: [count],
        invocations: count,
      }),
    gradient: (dy) => [
      run(tf, {
        key: "light_bands_gradient",
        code: () =>
          program({
            result: "f32",
            inputs: [["normals", "f32"], ["dy", "f32"]],
            uniforms: ["count"],
            body: `
  if (id >= u.count) { return; }
  ${NORMAL}
  let first = ${LIGHT_BANDS} * id;
  ${f.map((factor, k) => `let d${k} = ${factor} * dy[first + ${k}];`).join("\n  ")}
  result[3 * id] = d1 + d4 * y + d5 * z + d7 * 2.0 * x;
  result[3 * id + 1] = d2 + d4 * x + d6 * z - d7 * 2.0 * y;
  result[3 * id + 2] = d3 + d5 * x + d6 * y + d8 * 6.0 * z;`,
          }),
        inputs: [normals, dy],
        shape: normals.shape,
        uniforms: [count],
        invocations: count,
      }),
    ],
  });
}
