/**
 * Sums and means over trailing axes, such as that of a loss over all its pixels: [.., a, b] → [..].
 *
 * tfjs gives each result one workgroup, so a scalar is added up by one core of a CPU adapter and one multiprocessor of
 * a GPU. Here neighbouring invocations take neighbouring elements with a stride of many, and their partial sums are
 * added the same way: always in one order, which does not depend on how many rows there are.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { dispatch, program } from "./dispatch.ts";

/** Options of `rowSum`. */
export interface RowSumOptions {
  readonly rows: number;
  /** Elements of a row. */
  readonly columns: number;
  readonly shape: readonly number[];
  readonly software: boolean;
  /** What each sum is multiplied by. Default 1. */
  readonly scale?: number;
}

/** Elements that one invocation should add at least. */
const LEAST_SHARE = 16;

/** Sums each row of x as [rows, columns]. The result has the given shape. */
export function rowSum(
  backend: WebGPUBackend,
  x: TensorInfo,
  { rows, columns, shape, software, scale = 1 }: RowSumOptions,
): TensorInfo {
  let partial = x;
  let length = columns;
  for (const lanes of [...lanesOf(columns, software), 1]) {
    const last = lanes === 1;
    const wide = length % 4 === 0 && length >= 4 * LEAST_SHARE;
    const next = dispatch(backend, {
      key: `row_sum${wide ? "_vec4" : ""}`,
      code: () => code(wide),
      inputs: [partial],
      shape: last ? shape : [rows, lanes],
      uniforms: [rows * lanes, lanes, wide ? length / 4 : length, { f32: last ? scale : 1 }],
      invocations: rows * lanes,
    });
    if (partial !== x) backend.disposeData(partial.dataId);
    partial = next;
    length = lanes;
  }
  return partial;
}

/** How many partial sums a row has after each pass but the last. */
function lanesOf(columns: number, software: boolean): number[] {
  const lanes: number[] = [];
  let length = columns;
  for (const wanted of software ? [512] : [16384, 128]) {
    const count = Math.min(wanted, Math.floor(length / LEAST_SHARE));
    if (count <= 1) continue;
    lanes.push(count);
    length = count;
  }
  return lanes;
}

function code(wide: boolean): string {
  const element = wide ? "vec4<f32>" : "f32";
  return program({
    result: "f32",
    inputs: [["x", element]],
    uniforms: ["count", "lanes", "length", "scale:f32"],
    body: `
  if (id >= u.count) { return; }
  let first = id / u.lanes * u.length;
  var sum = ${element}();
  for (var k = id % u.lanes; k < u.length; k += u.lanes) { sum += x[first + k]; }
  result[id] = u.scale * ${wide ? "((sum.x + sum.y) + (sum.z + sum.w))" : "sum"};`,
  });
}
