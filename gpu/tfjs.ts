/**
 * TensorFlow.js on our device, set so that a run can be repeated bit for bit, with our convolution kernels in place of
 * its own.
 */

import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Tfjs } from "./backend.ts";
import { bufferPool } from "./buffer_pool.ts";
import { openGpu } from "./device.ts";
import { registerFastKernels } from "./fast_kernels.ts";
import { recordFromCache } from "./recording.ts";
import { uploadThroughQueue } from "./upload.ts";

export type { Tfjs } from "./backend.ts";

let shared: Promise<Tfjs> | undefined;

/**
 * Loads TensorFlow.js, binds its backend "webgpu" to the shared device and registers our fast kernels. Every call gives
 * the same module.
 *
 * Reading a tensor must be `await tensor.data()`: the synchronous reads of tfjs need a canvas and fail in Deno.
 *
 * @returns the module `@tensorflow/tfjs`, its backend set and ready
 * @throws {GpuError} if there is no adapter
 */
export function openTfjs(): Promise<Tfjs> {
  shared ??= load().catch((error) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

async function load(): Promise<Tfjs> {
  const gpu = await openGpu();
  const tf = await import("@tensorflow/tfjs");
  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
  tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => {
    const backend = new WebGPUBackend(gpu.device, gpu.adapterInfo);
    backend.bufferManager = bufferPool(gpu.device) as WebGPUBackend["bufferManager"];
    uploadThroughQueue(backend);
    recordFromCache(tf, backend);
    return backend;
  }, 3);
  await tf.setBackend("webgpu");
  await tf.ready();
  // 3 = MatMulPackedProgram. The default may choose MatMulSplitK, which adds floats atomically: another result in every
  // run.
  tf.env().set("WEBGPU_MATMUL_PROGRAM_TYPE", 3);
  // A submission costs as much as some dispatches: with 15 in one, tfjs's default, a training step takes 5 % longer on
  // two CPU cores.
  tf.env().set("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE", 100);
  registerFastKernels(tf, { software: gpu.info.software });
  return tf;
}
