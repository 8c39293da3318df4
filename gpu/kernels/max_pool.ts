/**
 * Max pooling over two axes and its gradient. tfjs finds each window's maximum again for the gradient, one channel at a
 * time, and then asks for each input pixel all positions of the filter, most of which the stride rules out. Here both
 * take four channels at once, a window's winners are the bytes of one word, and an input pixel asks the windows that
 * hold it and no other.
 *
 * As in tfjs the last of equal maxima wins, and gradients are summed in the order of the windows: the bits are the
 * same.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Tfjs } from "../backend.ts";
import { dispatch, program } from "./dispatch.ts";
import { type KernelArguments, replaceKernel, required } from "./replace.ts";

/** A window's position must fit into a byte. */
const MOST_POSITIONS = 255;

type Pool = ReturnType<Tfjs["backend_util"]["computePool2DInfo"]>;

/** Replaces tfjs's MaxPool and MaxPoolGrad where the channels are a multiple of four and the data single floats. */
export function registerMaxPool(tf: Tfjs): void {
  replaceKernel(tf, "MaxPool", ({ inputs, backend, attrs }) => {
    const x = required(inputs, "x");
    const pool = poolOf(tf, x, attrs);
    return pool && forward(backend as WebGPUBackend, pool, x);
  });
  replaceKernel(tf, "MaxPoolGrad", ({ inputs, backend, attrs }) => {
    const x = required(inputs, "input");
    const pool = poolOf(tf, x, attrs);
    if (pool === undefined) return undefined;
    const positions = winners(backend as WebGPUBackend, pool, x);
    const dx = backward(backend as WebGPUBackend, pool, { dy: required(inputs, "dy"), positions });
    (backend as WebGPUBackend).disposeData(positions.dataId);
    return dx;
  });
}

function poolOf(tf: Tfjs, x: TensorInfo, attrs: KernelArguments["attrs"]): Pool | undefined {
  if (attrs === undefined || x.dtype !== "float32" || x.shape.length !== 4) return undefined;
  const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as {
    filterSize: number | [number, number];
    strides: number | [number, number];
    pad: "valid" | "same" | number;
    dimRoundingMode?: "floor" | "round" | "ceil";
  };
  const shape = x.shape as [number, number, number, number];
  const pool = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  const serves = pool.inChannels % 4 === 0 && pool.filterHeight * pool.filterWidth <= MOST_POSITIONS;
  return serves ? pool : undefined;
}

const UNIFORMS = [
  "count",
  "groups",
  "inHeight",
  "inWidth",
  "outHeight",
  "outWidth",
  "filterHeight",
  "filterWidth",
  "strideHeight",
  "strideWidth",
  "padTop",
  "padLeft",
];

function uniforms(pool: Pool, count: number): number[] {
  const { inChannels, inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth, strideHeight, strideWidth } =
    pool;
  const { top, left } = pool.padInfo;
  const sizes = [inChannels / 4, inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth];
  return [count, ...sizes, strideHeight, strideWidth, top, left];
}

/**
 * Walks the pixels of the window of the output pixel `id`. `each` may use `value`, and the position
 * `row * u.filterWidth + column`.
 */
function overWindow(each: string): string {
  return `
  if (id >= u.count) { return; }
  let group = id % u.groups;
  let pixel = id / u.groups;
  let top = pixel / u.outWidth % u.outHeight * u.strideHeight - u.padTop;
  let left = pixel % u.outWidth * u.strideWidth - u.padLeft;
  let image = pixel / (u.outWidth * u.outHeight) * u.inHeight;
  let lastRow = min(u.filterHeight, u.inHeight - top);
  let lastColumn = min(u.filterWidth, u.inWidth - left);
  for (var row = max(0, -top); row < lastRow; row++) {
    for (var column = max(0, -left); column < lastColumn; column++) {
      let value = x[((image + top + row) * u.inWidth + left + column) * u.groups + group];
      ${each}
    }
  }`;
}

/** Less than any other float, as tfjs starts. */
const LEAST = "vec4<f32>(-3.4028234e38)";

function forward(backend: WebGPUBackend, pool: Pool, x: TensorInfo): TensorInfo {
  const count = pool.batchSize * pool.outHeight * pool.outWidth * pool.inChannels / 4;
  return dispatch(backend, {
    key: "max_pool",
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["x", "vec4<f32>"]],
        uniforms: UNIFORMS,
        body: `
  var most = ${LEAST};${overWindow("most = max(value, most);")}
  result[id] = most;`,
      }),
    inputs: [x],
    shape: pool.outShape,
    uniforms: uniforms(pool, count),
    invocations: count,
  });
}

/** The position of each window's last maximum, a byte a channel, four in a word. */
function winners(backend: WebGPUBackend, pool: Pool, x: TensorInfo): TensorInfo {
  const shape = [pool.batchSize, pool.outHeight, pool.outWidth, pool.inChannels / 4];
  const count = shape.reduce((product, size) => product * size, 1);
  return dispatch(backend, {
    key: "max_pool_winners",
    code: () =>
      program({
        result: "u32",
        inputs: [["x", "vec4<f32>"]],
        uniforms: UNIFORMS,
        body: `
  var most = ${LEAST};
  var winner = vec4<u32>();${
          overWindow(`
      winner = select(winner, vec4<u32>(u32(row * u.filterWidth + column)), value >= most);
      most = max(value, most);`)
        }
  result[id] = winner.x | (winner.y << 8u) | (winner.z << 16u) | (winner.w << 24u);`,
      }),
    inputs: [x],
    shape,
    dtype: "int32",
    uniforms: uniforms(pool, count),
    invocations: count,
  });
}

function backward(
  backend: WebGPUBackend,
  pool: Pool,
  { dy, positions }: { dy: TensorInfo; positions: TensorInfo },
): TensorInfo {
  const count = pool.batchSize * pool.inHeight * pool.inWidth * pool.inChannels / 4;
  return dispatch(backend, {
    key: "max_pool_gradient",
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["dy", "vec4<f32>"], ["positions", "u32"]],
        uniforms: UNIFORMS,
        body: `
  if (id >= u.count) { return; }
  let group = id % u.groups;
  let pixel = id / u.groups;
  // The windows that hold this pixel.
  let y = pixel / u.inWidth % u.inHeight + u.padTop;
  let x = pixel % u.inWidth + u.padLeft;
  let image = pixel / (u.inWidth * u.inHeight) * u.outHeight;
  let firstRow = max(0, (y - u.filterHeight + u.strideHeight) / u.strideHeight);
  let firstColumn = max(0, (x - u.filterWidth + u.strideWidth) / u.strideWidth);
  let lastRow = min(u.outHeight - 1, y / u.strideHeight);
  let lastColumn = min(u.outWidth - 1, x / u.strideWidth);
  var sum = vec4<f32>();
  for (var row = firstRow; row <= lastRow; row++) {
    for (var column = firstColumn; column <= lastColumn; column++) {
      let window = ((image + row) * u.outWidth + column) * u.groups + group;
      let own = u32((y - row * u.strideHeight) * u.filterWidth + x - column * u.strideWidth);
      let winner = (vec4<u32>(positions[window]) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
      sum += select(vec4<f32>(), dy[window], winner == vec4<u32>(own));
    }
  }
  result[id] = sum;`,
      }),
    inputs: [dy, positions],
    shape: pool.inShape,
    uniforms: uniforms(pool, count),
    invocations: count,
  });
}
