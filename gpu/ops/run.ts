/** What our ops share: one dispatch as a tfjs tensor, and an op with a gradient of its own. */

import type { GradSaveFunc, Tensor } from "@tensorflow/tfjs";
import { clear } from "../kernels/clear.ts";
import { type Dispatch, dispatch } from "../kernels/dispatch.ts";
import { type Tfjs, webgpuBackend } from "../backend.ts";

/** A run of a program. */
export interface Run extends Dispatch {
  /** Write here instead of into a new tensor. */
  readonly into?: Tensor;
}

/** Runs a program and gives its result as a tensor, tracked by `tf.tidy` like any other. */
export function run(tf: Tfjs, options: Run): Tensor {
  const result = dispatch(webgpuBackend(tf), options);
  return options.into ?? tf.engine().makeTensorFromTensorInfo(result);
}

/** What a tensor is made with. */
export interface TensorShape {
  readonly shape: readonly number[];
  readonly dtype: "int32" | "float32";
}

/** A tensor of zeros, for programs that do not write all of it. */
export function clearedTensor(tf: Tfjs, shape: TensorShape): Tensor {
  const tensor = emptyTensor(tf, shape);
  clear(webgpuBackend(tf), tensor);
  return tensor;
}

/** A tensor on the device that a program writes. Its values are arbitrary until then. */
export function emptyTensor(tf: Tfjs, { shape, dtype }: TensorShape): Tensor {
  return tf.engine().makeTensorFromTensorInfo(webgpuBackend(tf).makeTensorInfo([...shape], dtype));
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
