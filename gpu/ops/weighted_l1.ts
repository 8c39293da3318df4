/**
 * Weighted absolute differences of images, as losses: two passes forward, one back.
 *
 * tfjs composes such a loss of subtract, abs, multiply, two sums and a division, and of sign and two products on the
 * way back. Each of these is a pass over memory: in a U-Net's training step four such losses take as long as a quarter
 * of the convolutions. Sums run over a fixed number of lanes, in order.
 */

import type { Scalar, Tensor } from "@tensorflow/tfjs";
import { program, sizeOf } from "../kernels/dispatch.ts";
import { goesByFours, pixelOfElements } from "../kernels/pixel_values.ts";
import type { Tfjs } from "../backend.ts";
import { differentiable, run } from "./run.ts";

/** Partial sums. */
const LANES = 1024;
/** Keeps a loss without any weight finite. */
const EPSILON = 1e-6;

/** Options of `weightedL1`. */
export interface WeightedL1Options<Image = Tensor> {
  /** Shape of `a`. */
  readonly b: Image;
  /** One value a pixel, [.., 1]; fewer values than pixels are repeated, so that one map serves a batch. */
  readonly weight: Image;
}

/**
 * Σ weight · |a − b| / (channels · Σ weight + 1e-6), over pixels and channels. Differentiable in `a` alone.
 * Bit-repeatable.
 *
 * @param a [.., channels]
 * @throws {RangeError} if the shapes do not fit
 */
export function weightedL1(tf: Tfjs, a: Tensor, { b, weight }: WeightedL1Options): Scalar {
  const channels = a.shape[a.rank - 1] ?? 1;
  const pixels = a.size / channels;
  if (`${a.shape}` !== `${b.shape}` || weight.shape[weight.rank - 1] !== 1 || pixels % weight.size !== 0) {
    throw new RangeError(`Cannot compare [${a.shape}] with [${b.shape}] by weights [${weight.shape}]`);
  }
  return loss(tf, a, {
    key: "weighted_l1",
    others: [b, weight],
    names: ["b", "weight"],
    uniforms: [["channels", channels], ["period", weight.size]],
    positions: pixels,
    term: `let w = weight[p % u.period];
    for (var c = p * u.channels; c < (p + 1) * u.channels; c++) { error += w * abs(a[c] - b[c]); }
    total += w * f32(u.channels);`,
    elements: a.size,
    gradient: goesByFours({ channels, size: a.size })
      ? {
        width: 4,
        code: `${pixelOfElements("weight", "id")}
  result[id] = scale * pixel * sign(a[id] - b[id]);`,
      }
      : { width: 1, code: "result[id] = scale * weight[id / u.channels % u.period] * sign(a[id] - b[id]);" },
  });
}

/** Options of `meanDeviation`. */
export interface MeanDeviationOptions<Image = Tensor> {
  /** [height, width, 1] */
  readonly weight: Image;
}

/**
 * How far images of one batch lie from their mean, m: Σ weight · |a − m| / (batch · channels · Σ weight + 1e-6).
 * Differentiable in `a`. Bit-repeatable.
 *
 * @param a [batch, height, width, channels]
 * @throws {RangeError} if the weights do not fit
 */
export function meanDeviation(tf: Tfjs, a: Tensor, { weight }: MeanDeviationOptions): Scalar {
  const [batch = 1, ...image] = a.shape;
  const channels = image[image.length - 1] ?? 1;
  const size = sizeOf(image);
  if (weight.size * channels !== size) {
    throw new RangeError(`Cannot weight images [${a.shape}] by [${weight.shape}]`);
  }
  const width = goesByFours({ channels, size }) ? 4 : 1;
  const element = width === 4 ? "vec4<f32>" : "f32";
  // Of one element of an image, or of four.
  const mean = (element: string, step: string) =>
    `var mean = ${element}();
    for (var n = 0; n < u.batch; n++) { mean += a[n * ${step} + at]; }
    mean = mean / f32(u.batch);`;
  return loss(tf, a, {
    key: "mean_deviation",
    others: [weight],
    names: ["weight"],
    uniforms: [["batch", batch], ["size", size], ["channels", channels], ["period", weight.size]],
    positions: size,
    term: `let at = p;
    let w = weight[at / u.channels];
    ${mean("f32", "u.size")}
    for (var n = 0; n < u.batch; n++) { error += w * abs(a[n * u.size + at] - mean); }
    total += w * f32(u.batch);`,
    elements: a.size,
    gradient: {
      width,
      code: `let image = u.size / ${width};
  let at = id % image;
  ${mean(element, "image")}
  var signs = ${element}();
  for (var n = 0; n < u.batch; n++) { signs += sign(a[n * image + at] - mean); }
  ${width === 4 ? pixelOfElements("weight", "at") : "let pixel = weight[at / u.channels];"}
  result[id] = scale * pixel * (sign(a[id] - mean) - signs / f32(u.batch));`,
    },
  });
}

interface Loss {
  readonly key: string;
  /** Inputs beside `a`, and what the code calls them. */
  readonly others: readonly Tensor[];
  readonly names: readonly string[];
  readonly uniforms: readonly (readonly [name: string, value: number])[];
  /** Number of terms. */
  readonly positions: number;
  /** Statements that add term `p` to `error` and `total`. */
  readonly term: string;
  /** Elements of the gradient. */
  readonly elements: number;
  /**
   * Statements that write the gradient's element `id`, or its elements 4·id .. 4·id + 3; `scale` is what arrives
   * divided by the total.
   */
  readonly gradient: { readonly width: 1 | 4; readonly code: string };
}

/** error / (total + ε) with its gradient. */
function loss(tf: Tfjs, a: Tensor, options: Loss): Scalar {
  const { key, others, names, uniforms, positions, term, elements, gradient } = options;
  // Weights are one a pixel, so they stay single where images go four at a time.
  const inputsOf = (width: 1 | 4) =>
    ["a", ...names].map((name) => [name, width === 4 && name !== "weight" ? "vec4<f32>" : "f32"] as const);
  const lanes = Math.min(LANES, positions);
  const forward = (save: (tensors: Tensor[]) => void) => {
    const partial = run(tf, {
      key,
      code: () =>
        program({
          result: "vec2<f32>",
          inputs: inputsOf(1),
          uniforms: ["lanes", "positions", ...uniforms.map(([name]) => name)],
          body: `
  if (id >= u.lanes) { return; }
  var error = 0.0;
  var total = 0.0;
  for (var p = id; p < u.positions; p += u.lanes) {
    ${term}
  }
  result[id] = vec2<f32>(error, total);`,
        }),
      inputs: [a, ...others],
      shape: [lanes, 2],
      uniforms: [lanes, positions, ...uniforms.map(([, value]) => value)],
      invocations: lanes,
    });
    // [loss, 1 / total]
    const sums = run(tf, {
      key: "weighted_mean",
      code: () =>
        program({
          result: "f32",
          inputs: [["partial", "vec2<f32>"]],
          uniforms: ["lanes"],
          body: `
  if (id > 0) { return; }
  var sum = vec2<f32>();
  for (var lane = 0; lane < u.lanes; lane++) { sum += partial[lane]; }
  let rate = 1.0 / (sum.y + ${EPSILON});
  result[0] = sum.x * rate;
  result[1] = rate;`,
        }),
      inputs: [partial],
      shape: [2],
      uniforms: [lanes],
      invocations: 1,
    });
    save([a, ...others, sums]);
    return tf.reshape(tf.slice(sums, [0], [1]), []);
  };
  return differentiable(tf, {
    inputs: [a],
    forward,
    gradient: (dy, saved) => [
      run(tf, {
        key: `${key}_gradient_${gradient.width}`,
        code: () =>
          program({
            result: gradient.width === 4 ? "vec4<f32>" : "f32",
            inputs: [...inputsOf(gradient.width), ["sums", "f32"], ["dy", "f32"]],
            uniforms: ["count", ...uniforms.map(([name]) => name)],
            body: `
  if (id >= u.count) { return; }
  let scale = dy[0] * sums[1];
  ${gradient.code}`,
          }),
        inputs: [...saved, dy],
        shape: a.shape,
        uniforms: [elements / gradient.width, ...uniforms.map(([, value]) => value)],
        invocations: elements / gradient.width,
      }),
    ],
  }) as Scalar;
}
