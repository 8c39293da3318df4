/** Zeros without a dispatch: on a software adapter a kernel that stores them takes ten times as long. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

// The members of the backend that its type declares private.
interface BackendInternals {
  commandEncoder: GPUCommandEncoder;
  commandQueueOwnedIds: WeakSet<object>;
}

/** Records that a tensor becomes 0, in queue order like any kernel. */
export function clear(backend: WebGPUBackend, { dataId }: TensorInfo): void {
  backend.uploadToGPU(dataId);
  const { resource } = backend.tensorMap.get(dataId);
  if (!(resource instanceof GPUBuffer)) throw new TypeError("Cannot clear a tensor that is no buffer");
  const internals = backend as unknown as BackendInternals;
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  internals.commandEncoder.clearBuffer(resource);
  // What is recorded must not give its buffer away until it is submitted.
  internals.commandQueueOwnedIds.add(dataId);
}
