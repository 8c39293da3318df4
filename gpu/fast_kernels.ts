/** Everything of ours that takes the place of a stock tfjs kernel, in one call. */

import { registerBroadcast } from "./kernels/broadcast.ts";
import { registerCast } from "./kernels/cast.ts";
import { registerClipGradients } from "./kernels/clip_gradient.ts";
import { registerConcat } from "./kernels/concat.ts";
import { registerMaxPool } from "./kernels/max_pool.ts";
import { registerPad } from "./kernels/pad.ts";
import { registerReductions } from "./kernels/reductions.ts";
import { registerReverse } from "./kernels/reverse.ts";
import { registerSlice } from "./kernels/slice.ts";
import { registerConvolution, type RegisterOptions } from "./conv/register.ts";
import { registerMatMul } from "./conv/mat_mul.ts";
import type { Tfjs } from "./backend.ts";

export type { ConvAttrs } from "./conv/geometry.ts";
export type { RegisterOptions };
export { stockKernels } from "./kernels/replace.ts";

const registered = new WeakSet<object>();

/**
 * Replaces stock kernels of tfjs's backend "webgpu" with ours; the ops keep their names, so nothing else changes.
 * `openTfjs` calls it. Works on any tfjs with that backend. A second call does nothing.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import "@tensorflow/tfjs-backend-webgpu";
 * import { registerFastKernels } from "@ftim/gpu/fast-kernels";
 *
 * registerFastKernels(tf, { software: false });
 * const y = tf.conv2d(tf.zeros<tf.Rank.R4>([1, 8, 8, 4]), tf.zeros<tf.Rank.R4>([3, 3, 4, 4]), 1, "same");
 * ```
 */
export function registerFastKernels(tf: Tfjs, options: RegisterOptions = { software: false }): void {
  if (registered.has(tf.engine())) return;
  registered.add(tf.engine());
  registerConvolution(tf, options);
  registerMatMul(tf, options);
  registerReductions(tf, options);
  registerBroadcast(tf);
  registerCast(tf);
  registerClipGradients(tf);
  registerSlice(tf);
  registerConcat(tf);
  registerReverse(tf);
  registerPad(tf);
  registerMaxPool(tf);
}
