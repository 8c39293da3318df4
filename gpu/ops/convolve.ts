/**
 * Convolution, bias and leaky relu as one op, in training too.
 *
 * tf.fused.conv2d takes itself apart under a gradient: the bias and the activation become passes of their own, forward
 * and back. Here the gradient passes through the activation while it is packed for the next kernel. Only the gradients
 * that somebody asked for are computed.
 */

import type { NamedAttrMap, Tensor, Tensor1D, Tensor4D, TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { conv2d, conv2dFilterGradient, conv2dInputGradient } from "../conv/conv2d.ts";
import { type ConvAttrs, type ConvGeometry, geometryOf } from "../conv/geometry.ts";
import { isSoftware } from "../device.ts";
import { columnSum } from "../kernels/column_sum.ts";
import { required } from "../kernels/replace.ts";
import type { Through } from "../kernels/texels.ts";
import { type Tfjs, webgpuBackend } from "../backend.ts";

/** Options of `convolve`. */
export interface ConvolveOptions<Filter = Tensor4D, Bias = Tensor1D> {
  /** [kernelHeight, kernelWidth, inChannels, outChannels] */
  readonly filter: Filter;
  /** [outChannels] */
  readonly bias?: Bias;
  /** Default 1. */
  readonly stride?: number;
  /** As in `tf.conv2d`. Default "same". */
  readonly pad?: "same" | "valid" | [[number, number], [number, number], [number, number], [number, number]];
  /** Default 1. */
  readonly dilation?: number;
  /** Slope of the activation below zero: 1 is none (the default), 0 is relu, 0.2 a leaky relu. Not negative. */
  readonly slope?: number;
}

const KERNEL = "FtimConvolve";

/**
 * leakyRelu(conv2d(x, filter) + bias). Differentiable in x, filter and bias. Bit-repeatable.
 *
 * @param x [batch, height, width, inChannels]
 * @returns [batch, outHeight, outWidth, outChannels]
 * @throws {TypeError} if the channels of x, filter and bias do not fit
 *
 * @example
 * ```ts
 * import { convolve, openTfjs } from "@ftim/gpu";
 *
 * const tf = await openTfjs();
 * const [x, filter] = [tf.ones([1, 8, 8, 4]).as4D(1, 8, 8, 4), tf.ones([3, 3, 4, 2]).as4D(3, 3, 4, 2)];
 * const y = convolve(tf, x, { filter, bias: tf.zeros([2]).as1D(), stride: 2, slope: 0.2 }); // [1, 4, 4, 2]
 * ```
 */
export function convolve(tf: Tfjs, x: Tensor4D, options: ConvolveOptions): Tensor4D {
  const { filter, bias, stride = 1, pad = "same", dilation = 1, slope = 1 } = options;
  if (x.shape[3] !== filter.shape[2] || (bias !== undefined && bias.size !== filter.shape[3])) {
    throw new TypeError(`Cannot convolve [${x.shape}] with filter [${filter.shape}] and bias [${bias?.shape ?? ""}]`);
  }
  register(tf);
  // What is trained will want its filter's gradient, for which x is packed just as for the forward pass.
  const keep = filter instanceof tf.Variable && filter.trainable && tf.engine().isTapeOn();
  const attrs: Attrs = { strides: stride, pad: pad as Attrs["pad"], dilations: dilation, slope, keep };
  return tf.engine().runKernel<Tensor4D>(
    KERNEL,
    bias === undefined ? { x, filter } : { x, filter, bias },
    attrs as unknown as NamedAttrMap,
  );
}

interface Attrs extends ConvAttrs {
  readonly slope: number;
  /** See `ForwardOperands`. */
  readonly keep: boolean;
}

function register(tf: Tfjs): void {
  if (tf.getKernel(KERNEL, "webgpu") !== undefined) return;
  const geometryFor = (x: TensorInfo, filter: TensorInfo, attrs: Attrs): ConvGeometry => {
    const geometry = geometryOf(tf, { shape: x.shape, filter: filter.shape, attrs });
    if (geometry === undefined) throw new TypeError(`Cannot convolve with strides ${attrs.strides}`);
    return geometry;
  };
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: "webgpu",
    kernelFunc: ({ inputs, backend, attrs }) => {
      const x = required(inputs, "x");
      const filter = required(inputs, "filter");
      const options = attrs as unknown as Attrs;
      const target = { backend: backend as WebGPUBackend, software: isSoftware((backend as WebGPUBackend).device) };
      const epilogue = {
        activation: options.slope === 1 ? "linear" as const : "leakyrelu" as const,
        alpha: options.slope,
      };
      const { keep } = options;
      return conv2d(target, geometryFor(x, filter, options), { x, filter, bias: inputs.bias, epilogue, keep });
    },
  });
  tf.registerGradient({
    kernelName: KERNEL,
    inputsToSave: ["x", "filter"],
    outputsToSave: [true],
    gradFunc: (upstream, [x, filter, y], attrs) => {
      const dy = upstream as Tensor;
      if (x === undefined || filter === undefined || y === undefined) {
        throw new TypeError(`Cannot differentiate ${KERNEL}: nothing was saved`);
      }
      const options = attrs as unknown as Attrs;
      const geometry = geometryFor(x, filter, options);
      const backend = webgpuBackend(tf);
      const software = isSoftware(backend.device);
      const target = { backend, software };
      const through: Through | undefined = options.slope === 1 ? undefined : { value: y, slope: options.slope };
      const columns = geometry.outChannels;
      const track = (info: TensorInfo) => tf.engine().makeTensorFromTensorInfo(info);
      // tfjs asks for all gradients of one op one after the other.
      let packed = false;
      return {
        x: () => {
          const dx = conv2dInputGradient(target, geometry, { dy, filter, through });
          packed = true;
          return track(dx);
        },
        filter: () => track(conv2dFilterGradient(target, geometry, { x, dy, through, packed })),
        bias: () =>
          track(columnSum(backend, dy, { rows: dy.size / columns, columns, shape: [columns], software, through })),
      };
    },
  });
}
