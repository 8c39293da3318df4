/** Room for what a program writes beside its result. */
import type { Tensor } from "@tensorflow/tfjs";
import { type Tfjs, webgpuBackend } from "@ftim/gpu/backend";

/** A tensor of f32 whose values a program is going to write. Until then they are what was there before. */
export function fresh(tf: Tfjs, shape: readonly number[]): Tensor {
  return tf.engine().makeTensorFromTensorInfo(webgpuBackend(tf).makeTensorInfo([...shape], "float32"));
}
