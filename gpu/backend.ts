/**
 * What every module of ours knows of TensorFlow.js: the type of its module, the WebGPU backend behind it, and how to
 * submit what that backend has recorded. It imports types alone, so it can be read without loading tfjs.
 */

import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

/** The TensorFlow.js module, as `openTfjs` returns it. */
export type Tfjs = typeof import("@tensorflow/tfjs");

/** The backend that `openTfjs` has set. Throws `TypeError` if the current backend is another one. */
export function webgpuBackend(tf: Tfjs): WebGPUBackend {
  const backend = tf.backend();
  if (tf.getBackend() !== "webgpu") throw new TypeError(`Cannot use backend "${tf.getBackend()}": call openTfjs first`);
  return backend as WebGPUBackend;
}

/** Submits what is recorded, where tfjs would wait for more. */
export function submitRecorded(backend: WebGPUBackend): void {
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
}
