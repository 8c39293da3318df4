/** Sums of all elements before each: [3, 1, 2] → [0, 3, 4]. Whole numbers, so every order of adding gives the same. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { dispatch, program, sizeOf } from "./dispatch.ts";

/** Elements that one invocation adds up. */
const CHUNK = 64;

/**
 * The sums of all elements before each.
 *
 * @param counts int32; the sum of all is below 2³¹
 * @returns int32, of the same number; the caller owns it
 */
export function prefixSum(backend: WebGPUBackend, counts: TensorInfo): TensorInfo {
  const length = sizeOf(counts.shape);
  const chunks = Math.ceil(length / CHUNK);
  // One chunk begins at 0, whatever is bound in place of the sums before it.
  if (chunks <= 1) return within(backend, counts, { before: counts, chunks });
  const sums = dispatch(backend, {
    key: "prefix_sum_chunks",
    code: () =>
      program({
        result: "i32",
        inputs: [["counts", "i32"]],
        uniforms: ["chunks", "length"],
        body: `
  if (id >= u.chunks) { return; }
  var sum = 0;
  for (var k = ${CHUNK} * id; k < min(${CHUNK} * (id + 1), u.length); k++) { sum += counts[k]; }
  result[id] = sum;`,
      }),
    inputs: [counts],
    shape: [chunks],
    dtype: "int32",
    uniforms: [chunks, length],
    invocations: chunks,
  });
  const before = prefixSum(backend, sums);
  const result = within(backend, counts, { before, chunks });
  for (const { dataId } of [sums, before]) backend.disposeData(dataId);
  return result;
}

function within(
  backend: WebGPUBackend,
  counts: TensorInfo,
  { before, chunks }: { before: TensorInfo; chunks: number },
): TensorInfo {
  const length = sizeOf(counts.shape);
  return dispatch(backend, {
    key: "prefix_sum",
    code: () =>
      program({
        result: "i32",
        inputs: [["counts", "i32"], ["before", "i32"]],
        uniforms: ["chunks", "length"],
        body: `
  if (id >= u.chunks) { return; }
  var sum = select(before[id], 0, u.chunks == 1);
  for (var k = ${CHUNK} * id; k < min(${CHUNK} * (id + 1), u.length); k++) {
    result[k] = sum;
    sum += counts[k];
  }`,
      }),
    inputs: [counts, before],
    shape: [length],
    dtype: "int32",
    uniforms: [chunks, length],
    invocations: chunks,
  });
}
