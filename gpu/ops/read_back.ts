/** The end of a piece of work on the device: its results come back, or what went wrong there is thrown. */
import type { DataTypeMap, Tensor } from "@tensorflow/tfjs";
import { openGpu } from "../device.ts";

/**
 * Reads tensors in one wait and disposes of them.
 *
 * @typeParam D what the tensors hold
 * @param where names the work in an error
 * @throws {GpuError} if the device reports an error
 */
export async function readBack<D extends "float32" | "int32" = "float32">(
  tensors: readonly Tensor[],
  where: string,
): Promise<DataTypeMap[D][]> {
  try {
    const reads = tensors.map((tensor) => tensor.size === 0 ? nothing<D>(tensor) : tensor.data<D>());
    const gpu = await openGpu();
    const [values] = await Promise.all([Promise.all(reads), gpu.assertHealthy(where)]);
    return values;
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
}

/** An empty tensor has no buffer to read. */
function nothing<D extends "float32" | "int32">({ dtype }: Tensor): DataTypeMap[D] {
  return (dtype === "int32" ? new Int32Array() : new Float32Array()) as DataTypeMap[D];
}
