/**
 * How long the GPU itself takes for recorded work, by the timestamps of its passes. The wall clock says nothing of work
 * of microseconds: Deno looks only every 10 ms whether the GPU is done.
 */

import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { GpuError } from "./device.ts";
import { submitRecorded } from "./backend.ts";

// Members of the backend that its type declares private.
interface BackendInternals {
  commandEncoder: GPUCommandEncoder;
  computePassEncoder: GPUComputePassEncoder | null;
}

// WebGPU's limit of a query set is 4096 queries, two a pass.
const MOST_PASSES = 2048;

/** Whether `timePasses` can be called. */
export function hasPassTimes({ features }: GPUDevice): boolean {
  return features.has("timestamp-query");
}

/**
 * Runs each piece of work in a pass of its own, one after another.
 *
 * @param works record dispatches of the backend, fewer than it puts into one submission
 * @returns milliseconds of each
 * @throws {GpuError} if the device has no "timestamp-query", or there are more than 2048
 */
export async function timePasses(backend: WebGPUBackend, works: readonly (() => void)[]): Promise<number[]> {
  const { device } = backend;
  if (!hasPassTimes(device)) throw new GpuError("timePasses", ['this adapter has no "timestamp-query"']);
  if (works.length > MOST_PASSES) {
    throw new GpuError("timePasses", [`${works.length} passes are more than ${MOST_PASSES}`]);
  }
  if (works.length === 0) return [];
  const internals = backend as unknown as BackendInternals;
  const bytes = 16 * works.length;
  const querySet = device.createQuerySet({ type: "timestamp", count: 2 * works.length });
  const resolved = device.createBuffer({ size: bytes, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  const read = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  try {
    for (const [i, work] of works.entries()) {
      // The backend submits after so many dispatches; from a fresh start they all fall into this pass.
      submitRecorded(backend);
      backend.ensureCommandEncoderReady();
      internals.computePassEncoder = internals.commandEncoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
      });
      work();
      backend.endComputePassEncoder();
    }
    internals.commandEncoder.resolveQuerySet(querySet, 0, 2 * works.length, resolved, 0);
    internals.commandEncoder.copyBufferToBuffer(resolved, 0, read, 0, bytes);
    submitRecorded(backend);
    await read.mapAsync(GPUMapMode.READ);
    const nanoseconds = new BigInt64Array(read.getMappedRange());
    return works.map((_, i) => Number(nanoseconds[2 * i + 1]! - nanoseconds[2 * i]!) / 1e6);
  } finally {
    querySet.destroy();
    resolved.destroy();
    read.destroy();
  }
}
