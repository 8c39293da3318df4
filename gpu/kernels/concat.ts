/**
 * Concatenation. tfjs works out for each element from which tensor and place it comes. Where images of few channels are
 * joined, the elements of a pixel are neighbours in each tensor, so one invocation writes a pixel; elsewhere whole
 * blocks are neighbours, and are copied four elements at a time.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Tfjs } from "../backend.ts";
import { dispatch, program, sizeOf } from "./dispatch.ts";
import { LEAST_SIZE, replaceKernel } from "./replace.ts";

// A row of so many elements is written by one invocation.
const MOST_IN_ROW = 32;

/**
 * Puts ours in place of tfjs's concatenation of floats, where rows are short and whole groups of four, or all blocks
 * are whole groups of four.
 */
export function registerConcat(tf: Tfjs): void {
  replaceKernel(tf, "Concat", ({ inputs, backend, attrs }) => {
    const tensors = Object.values(inputs).flatMap((tensor) => tensor && sizeOf(tensor.shape) > 0 ? [tensor] : []);
    const target = backend as WebGPUBackend;
    const total = tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    if (
      tensors.length < 2 || total < LEAST_SIZE || attrs === undefined ||
      tensors.length >= target.device.limits.maxStorageBuffersPerShaderStage ||
      tensors.some(({ dtype }) => dtype !== "float32")
    ) return undefined;
    const axis = tf.util.parseAxisParam(attrs.axis as number, tensors[0]!.shape)[0]!;
    const shape = tf.backend_util.computeOutShape(tensors.map((tensor) => tensor.shape), axis);
    const widths = tensors.map((tensor) => sizeOf(tensor.shape.slice(axis)));
    const width = sizeOf(shape.slice(axis));
    const rows = total / width;
    if (widths.every((length) => length % 4 === 0)) return blocks(target, tensors, { widths, width, rows, shape });
    return width <= MOST_IN_ROW && width % 4 === 0
      ? shortRows(target, tensors, { widths, width, rows, shape })
      : undefined;
  });
}

interface Concatenation {
  /** Elements of a row in each tensor. */
  readonly widths: readonly number[];
  /** Elements of a row in the result. */
  readonly width: number;
  readonly rows: number;
  readonly shape: readonly number[];
}

const names = (tensors: readonly TensorInfo[]) => tensors.map((_, i) => `x${i}`);

function shortRows(
  backend: WebGPUBackend,
  tensors: readonly TensorInfo[],
  { widths, width, rows, shape }: Concatenation,
): TensorInfo {
  return dispatch(backend, {
    key: `concat_${widths.join("_")}`,
    code: () => {
      const elements = widths.flatMap((length, i) => Array.from({ length }, (_, k) => `x${i}[id * ${length} + ${k}]`));
      const fours = Array.from(
        { length: width / 4 },
        (_, k) => `result[id * ${width / 4} + ${k}] = vec4<f32>(${elements.slice(4 * k, 4 * k + 4).join(", ")});`,
      );
      return program({
        result: "vec4<f32>",
        inputs: names(tensors).map((name) => [name, "f32"]),
        uniforms: ["count"],
        body: `
  if (id >= u.count) { return; }
  ${fours.join("\n  ")}`,
      });
    },
    inputs: tensors,
    shape,
    uniforms: [rows],
    invocations: rows,
  });
}

function blocks(
  backend: WebGPUBackend,
  tensors: readonly TensorInfo[],
  { widths, width, rows, shape }: Concatenation,
): TensorInfo {
  const fields = names(tensors).map((name) => `width_${name}`);
  const count = rows * width / 4;
  return dispatch(backend, {
    key: `concat_blocks_${tensors.length}`,
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: names(tensors).map((name) => [name, "vec4<f32>"]),
        uniforms: ["count", "width", ...fields],
        body: `
  if (id >= u.count) { return; }
  let row = id / u.width;
  var column = id % u.width;
  ${
          names(tensors).map((name) =>
            `if (column < u.width_${name}) { result[id] = ${name}[row * u.width_${name} + column]; return; }
  column -= u.width_${name};`
          ).join("\n  ")
        }`,
      }),
    inputs: tensors,
    shape,
    uniforms: [count, width / 4, ...widths.map((length) => length / 4)],
    invocations: count,
  });
}
