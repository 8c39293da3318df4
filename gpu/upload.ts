/**
 * How tensors come to the device: through the queue, not through mapped memory as tfjs has it.
 *
 * In Deno 2.9 `getMappedRange` takes 5 ms of each upload on an H200, 80 % of a training step, because Deno reads the
 * mapped memory back. The queue only writes. It writes before the commands that are not submitted yet, which is right
 * here: tfjs gives no buffer away that such a command uses (`tensorDataPendingDisposal`).
 */

import type { DataId } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

const USAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** Lets a backend upload through its queue from now on. */
export function uploadThroughQueue(backend: WebGPUBackend): void {
  const { bufferManager, queue, tensorMap } = backend;
  backend.uploadToGPU = (dataId: DataId) => {
    const data = tensorMap.get(dataId);
    if (data.resource !== undefined && data.resource !== null) return;
    const size = data.shape.reduce((product, dim) => product * dim, data.dtype === "complex64" ? 8 : 4);
    const buffer = bufferManager.acquireBuffer(size, USAGE);
    if (data.values) {
      const values = data.values as ArrayLike<number>;
      const elements = data.dtype === "int32" || data.dtype === "bool" ? Int32Array : Float32Array;
      queue.writeBuffer(buffer, 0, (values instanceof elements ? values : elements.from(values)) as BufferSource);
      // The device has them now.
      data.values = null as never;
    }
    data.resource = buffer;
  };
}
