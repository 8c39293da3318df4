/**
 * A decoder's convolution: a coarse map doubled in size (nearest) and convolved 3×3, without ever storing the doubled
 * map.
 *
 * Of the nine texels under the filter only four are different texels of the coarse map, so the same sums are a
 * transposed convolution of it with stride 2: 16 taps for four results in place of 36. Its filter has, along each axis,
 * [w2, w1 + w2, w0 + w1, w0]. All three kernels are those of any convolution with the roles exchanged.
 */

import type { NamedAttrMap, Tensor, Tensor1D, Tensor4D, TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { conv2d, conv2dFilterGradient, conv2dInputGradient, passThrough, type Target } from "../conv/conv2d.ts";
import type { ConvGeometry } from "../conv/geometry.ts";
import { isSoftware } from "../device.ts";
import { columnSum } from "../kernels/column_sum.ts";
import { dispatch, program } from "../kernels/dispatch.ts";
import { required } from "../kernels/replace.ts";
import { type Tfjs, webgpuBackend } from "../backend.ts";

/** Options of `upsampleConvolve`. */
export interface UpsampleConvolveOptions<Filter = Tensor4D, Bias = Tensor1D> {
  /** [3, 3, inChannels, outChannels] */
  readonly filter: Filter;
  /** [outChannels] */
  readonly bias?: Bias;
  /** Slope of the activation below zero: 1 is none (the default), 0 is relu, 0.2 a leaky relu. Not negative. */
  readonly slope?: number;
}

const KERNEL = "FtimUpsampleConvolve";

/**
 * leakyRelu(conv2d(x doubled in height and width, filter, 1, "same") + bias). Differentiable in x, filter and bias.
 * Bit-repeatable.
 *
 * @param x [batch, height, width, inChannels]
 * @returns [batch, 2·height, 2·width, outChannels]
 * @throws {TypeError} if the filter is not 3×3, or the channels do not fit
 *
 * @example
 * ```ts
 * import { openTfjs, upsampleConvolve } from "@ftim/gpu";
 *
 * const tf = await openTfjs();
 * const [x, filter] = [tf.ones([1, 8, 8, 4]).as4D(1, 8, 8, 4), tf.ones([3, 3, 4, 2]).as4D(3, 3, 4, 2)];
 * const y = upsampleConvolve(tf, x, { filter, slope: 0.2 }); // [1, 16, 16, 2]
 * ```
 */
export function upsampleConvolve(tf: Tfjs, x: Tensor4D, options: UpsampleConvolveOptions): Tensor4D {
  const { filter, bias, slope = 1 } = options;
  const [rows, columns, inChannels, outChannels] = filter.shape;
  if (rows !== 3 || columns !== 3 || inChannels !== x.shape[3] || (bias !== undefined && bias.size !== outChannels)) {
    throw new TypeError(
      `Cannot upsample and convolve [${x.shape}] with filter [${filter.shape}] and bias [${bias?.shape ?? ""}]`,
    );
  }
  register(tf);
  return tf.engine().runKernel<Tensor4D>(
    KERNEL,
    bias === undefined ? { x, filter } : { x, filter, bias },
    { slope } satisfies Attrs as unknown as NamedAttrMap,
  );
}

interface Attrs {
  readonly slope: number;
}

function register(tf: Tfjs): void {
  if (tf.getKernel(KERNEL, "webgpu") !== undefined) return;
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: "webgpu",
    kernelFunc: ({ inputs, attrs }) => {
      const backend = webgpuBackend(tf);
      const [x, filter] = [required(inputs, "x"), required(inputs, "filter")];
      const { slope } = attrs as unknown as Attrs;
      const epilogue = slope === 1 ? undefined : { activation: "leakyrelu" as const, alpha: slope };
      const spread = spreadFilter(backend, filter);
      const y = conv2dInputGradient(target(backend), transposed(x, filter), {
        dy: x,
        filter: spread,
        bias: inputs.bias,
        epilogue,
      });
      backend.disposeData(spread.dataId);
      return y;
    },
  });
  tf.registerGradient({
    kernelName: KERNEL,
    inputsToSave: ["x", "filter"],
    outputsToSave: [true],
    gradFunc: (upstream, [x, filter, y], attrs) => {
      if (x === undefined || filter === undefined || y === undefined) {
        throw new TypeError(`Cannot differentiate ${KERNEL}: nothing was saved`);
      }
      const backend = webgpuBackend(tf);
      const { slope } = attrs as unknown as Attrs;
      const geometry = transposed(x, filter);
      const track = (info: TensorInfo) => tf.engine().makeTensorFromTensorInfo(info);
      const given = upstream as Tensor;
      const dy = slope === 1 ? given : track(passThrough(backend, given, { value: y, slope }));
      return {
        x: () => {
          const spread = spreadFilter(backend, filter);
          // dy stays packed for the gradient of the filter
          const dx = track(conv2d(target(backend), geometry, { x: dy, filter: spread, keep: true }));
          backend.disposeData(spread.dataId);
          return dx;
        },
        filter: () => {
          const spread = conv2dFilterGradient(target(backend), geometry, { x: dy, dy: x });
          const gradient = track(gatherFilter(backend, spread, filter.shape));
          backend.disposeData(spread.dataId);
          return gradient;
        },
        bias: () => {
          const columns = geometry.inChannels;
          const { software } = target(backend);
          return track(columnSum(backend, dy, { rows: dy.size / columns, columns, shape: [columns], software }));
        },
      };
    },
  });
}

const target = (backend: WebGPUBackend): Target => ({ backend, software: isSoftware(backend.device) });

/** The convolution that ours is the transpose of: from the fine map to the coarse one. */
function transposed(x: TensorInfo, filter: TensorInfo): ConvGeometry {
  const [batch, height, width, inChannels] = x.shape as [number, number, number, number];
  return {
    batch,
    inHeight: 2 * height,
    inWidth: 2 * width,
    inChannels: filter.shape[3]!,
    outHeight: height,
    outWidth: width,
    outChannels: inChannels,
    kernelHeight: 4,
    kernelWidth: 4,
    strideHeight: 2,
    strideWidth: 2,
    dilationHeight: 1,
    dilationWidth: 1,
    padTop: 1,
    padLeft: 1,
  };
}

/** [3, 3, in, out] → [4, 4, out, in], the filter of the transposed convolution. */
function spreadFilter(backend: WebGPUBackend, filter: TensorInfo): TensorInfo {
  const [, , inChannels, outChannels] = filter.shape as [number, number, number, number];
  const count = 16 * inChannels * outChannels;
  return dispatch(backend, {
    key: "upsample_spread_filter",
    code: () =>
      program({
        result: "f32",
        inputs: [["w", "f32"]],
        uniforms: ["count", "inChannels", "outChannels"],
        body: `
  if (id >= u.count) { return; }
  let input = id % u.inChannels;
  let output = id / u.inChannels % u.outChannels;
  let tap = id / (u.inChannels * u.outChannels);
  // The taps of w that meet in this one: 2, 1 + 2, 0 + 1, 0.
  let row = tap / 4;
  let column = tap % 4;
  var sum = 0.0;
  for (var y = max(0, 2 - row); y <= min(2, 3 - row); y++) {
    for (var x = max(0, 2 - column); x <= min(2, 3 - column); x++) {
      sum += w[((y * 3 + x) * u.inChannels + input) * u.outChannels + output];
    }
  }
  result[id] = sum;`,
      }),
    inputs: [filter],
    shape: [4, 4, outChannels, inChannels],
    uniforms: [count, inChannels, outChannels],
    invocations: count,
  });
}

/** The transpose of `spreadFilter`. */
function gatherFilter(backend: WebGPUBackend, spread: TensorInfo, shape: readonly number[]): TensorInfo {
  const [, , inChannels, outChannels] = shape as [number, number, number, number];
  const count = 9 * inChannels * outChannels;
  return dispatch(backend, {
    key: "upsample_gather_filter",
    code: () =>
      program({
        result: "f32",
        inputs: [["spread", "f32"]],
        uniforms: ["count", "inChannels", "outChannels"],
        body: `
  if (id >= u.count) { return; }
  let output = id % u.outChannels;
  let input = id / u.outChannels % u.inChannels;
  let tap = id / (u.inChannels * u.outChannels);
  let row = 2 - tap / 3;
  let column = 2 - tap % 3;
  var sum = 0.0;
  for (var y = row; y < row + 2; y++) {
    for (var x = column; x < column + 2; x++) {
      sum += spread[((y * 4 + x) * u.outChannels + output) * u.inChannels + input];
    }
  }
  result[id] = sum;`,
      }),
    inputs: [spread],
    shape,
    uniforms: [count, inChannels, outChannels],
    invocations: count,
  });
}
