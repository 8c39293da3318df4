/**
 * Slices along one axis, and splits, which are slices. tfjs works out every element's place from all coordinates; the
 * elements of such a slice lie in blocks, in one block if the axis is the first, and are copied four at a time where
 * they can be. A slice of the first axis is also what the gradient of a batch is made of.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Tfjs } from "../backend.ts";
import { dispatch, program, sizeOf } from "./dispatch.ts";
import { LEAST_SIZE, replaceKernel, required } from "./replace.ts";

/** Puts a copy of blocks in the place of tfjs's slice where one axis is cut, and of its split. */
export function registerSlice(tf: Tfjs): void {
  replaceKernel(tf, "SplitV", ({ inputs, backend, attrs }) => {
    const x = required(inputs, "x");
    if (x.dtype !== "float32" || attrs === undefined || sizeOf(x.shape) < LEAST_SIZE) return undefined;
    const axis = tf.util.parseAxisParam(attrs.axis as number, x.shape)[0]!;
    const parts = tf.backend_util.prepareSplitSize(x, attrs.numOrSizeSplits as number[] | number, axis);
    let from = 0;
    return parts.map((length) => {
      const begin = x.shape.map((_, i) => i === axis ? from : 0);
      from += length;
      return copyBlocks(backend as WebGPUBackend, x, { axis, begin, size: x.shape.with(axis, length) });
    });
  });
  replaceKernel(tf, "Slice", ({ inputs, backend, attrs }) => {
    const x = required(inputs, "x");
    if (x.dtype !== "float32" || attrs === undefined) return undefined;
    const { begin: from, size: lengths } = attrs as { begin: number | number[]; size?: number | number[] };
    const [begin, size] = tf.slice_util.parseSliceParams(x, from, lengths) as [number[], number[]];
    tf.slice_util.assertParamsValid(x, begin, size);
    const cut = size.flatMap((length, axis) => length === x.shape[axis] ? [] : [axis]);
    if (cut.length !== 1 || sizeOf(size) < LEAST_SIZE) return undefined;
    return copyBlocks(backend as WebGPUBackend, x, { axis: cut[0]!, begin, size });
  });
}

function copyBlocks(
  backend: WebGPUBackend,
  x: TensorInfo,
  { axis, begin, size }: { axis: number; begin: number[]; size: number[] },
): TensorInfo {
  const inner = sizeOf(size.slice(axis + 1));
  const [block, stride, first] = [size[axis]!, x.shape[axis]!, begin[axis]!].map((length) => length * inner);
  const vector = [block!, stride!, first!].every((length) => length % 4 === 0);
  const width = vector ? 4 : 1;
  const element = vector ? "vec4<f32>" : "f32";
  const count = sizeOf(size) / width;
  return dispatch(backend, {
    key: `slice_${element}`,
    code: () =>
      program({
        result: element,
        inputs: [["x", element]],
        uniforms: ["count", "block", "stride", "first"],
        body: `
  if (id >= u.count) { return; }
  result[id] = x[id / u.block * u.stride + u.first + id % u.block];`,
      }),
    inputs: [x],
    shape: size,
    uniforms: [count, block! / width, stride! / width, first! / width],
    invocations: count,
  });
}
