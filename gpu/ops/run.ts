// What our ops share: one dispatch as a tfjs tensor, and the choice of vec4 or scalar elements.

import type { GradSaveFunc, Tensor } from "@tensorflow/tfjs";
import { type Dispatch, dispatch } from "../kernels/dispatch.ts";
import { type Tfjs, webgpuBackend } from "../tfjs.ts";

/** Runs a program and gives its result as a tensor, tracked by `tf.tidy` like any other. */
export function run(tf: Tfjs, options: Dispatch): Tensor {
  return tf.engine().makeTensorFromTensorInfo(dispatch(webgpuBackend(tf), options));
}

/** The widest WGSL element that all these channel counts are whole multiples of, and its length. */
export function elementFor(...channels: number[]): { readonly element: "vec4<f32>" | "f32"; readonly width: 4 | 1 } {
  return channels.every((count) => count % 4 === 0) ? { element: "vec4<f32>", width: 4 } : { element: "f32", width: 1 };
}

/**
 * Into how many chunks to cut a walk over `length` positions, so that `others` · chunks invocations keep the adapter busy. What comes of the
 * chunks is joined one by one, so on a GPU there are no more of them than positions in each.
 */
export function chunksOf(
  length: number,
  { others, software }: { readonly others: number; readonly software: boolean },
): number {
  const wanted = Math.ceil((software ? 256 : 16384) / others);
  const size = Math.max(16, Math.ceil(length / Math.max(1, wanted)), software ? 0 : Math.ceil(Math.sqrt(length)));
  return Math.max(1, Math.ceil(length / size));
}

/** An op with its own gradient. */
export interface Differentiable {
  readonly inputs: readonly Tensor[];
  /** Computes the value; `save` keeps tensors for the gradient. */
  readonly forward: (save: (tensors: Tensor[]) => void) => Tensor;
  /** One gradient for each input. */
  readonly gradient: (dy: Tensor, saved: Tensor[]) => Tensor[];
}

/** Runs an op so that `tf.grads` knows its gradient. */
export function differentiable(tf: Tfjs, { inputs, forward, gradient }: Differentiable): Tensor {
  const op = tf.customGrad((...args) => {
    const save = args[args.length - 1] as GradSaveFunc;
    return { value: forward(save), gradFunc: gradient };
  });
  return op(...inputs);
}
