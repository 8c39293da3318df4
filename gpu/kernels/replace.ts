/** Replaces a kernel of tfjs's backend "webgpu" and keeps the stock one for what ours does not cover. */

import type { KernelConfig, NamedAttrMap, NamedTensorInfoMap, TensorInfo } from "@tensorflow/tfjs";
import type { Tfjs } from "../backend.ts";

/**
 * Elements below which a stock kernel that moves or combines them is as good as ours; and small tensors on the CPU
 * should stay there.
 */
export const LEAST_SIZE = 4096;

/** The arguments that tfjs gives to a kernel. */
export interface KernelArguments {
  readonly inputs: NamedTensorInfoMap;
  readonly backend: unknown;
  readonly attrs?: NamedAttrMap;
}

/** The kernels that were replaced, by name: to compare with. */
export const stockKernels: Map<string, KernelConfig> = new Map();

/**
 * Replaces a kernel of the backend "webgpu".
 *
 * @param run gives the result, or `undefined` to let the replaced kernel do it
 */
export function replaceKernel(
  tf: Tfjs,
  kernelName: string,
  run: (args: KernelArguments) => TensorInfo | TensorInfo[] | undefined,
): void {
  const stock: KernelConfig | undefined = tf.getKernel(kernelName, "webgpu");
  if (stock !== undefined) {
    tf.unregisterKernel(kernelName, "webgpu");
    stockKernels.set(kernelName, stock);
  }
  tf.registerKernel({
    ...stock,
    kernelName,
    backendName: "webgpu",
    kernelFunc: (args) => {
      const result = run(args);
      if (result !== undefined) return result;
      if (stock === undefined) throw new TypeError(`Cannot run ${kernelName} with these arguments on backend "webgpu"`);
      return stock.kernelFunc(args);
    },
  });
}

/** The tensor of that name. Throws `TypeError` if it is missing. */
export function required(inputs: NamedTensorInfoMap, name: string): TensorInfo {
  const tensor = inputs[name];
  if (tensor === undefined) throw new TypeError(`Cannot run a kernel without its input "${name}"`);
  return tensor;
}
