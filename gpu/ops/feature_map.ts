/**
 * Maps between the convolutions of a network that is run and not trained. On a software adapter such a map is texels
 * from the first convolution to the last: a kernel writes them as the next one reads them, and adds a residual and
 * applies the activation before it does. As tensors, each would be stored, packed, added and activated in passes of its
 * own, which in ResNet-50 take a third as long as its convolutions. On a GPU a map is a tensor.
 */

import type { Tensor1D, Tensor4D, TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { type Tfjs, webgpuBackend } from "../backend.ts";
import { conv2dTexels } from "../conv/conv2d.ts";
import { type ConvAttrs, type ConvGeometry, geometryOf } from "../conv/geometry.ts";
import { isSoftware } from "../device.ts";
import { dispatch, program, sizeOf } from "../kernels/dispatch.ts";
import { texelTensor } from "../kernels/texel_textures.ts";
import { fetchTexel, storeTexel } from "../kernels/texels.ts";
import { convolve, type ConvolveOptions } from "./convolve.ts";

/** A map. A type and no interface, so that `tf.tidy` takes it and disposes it like a tensor. */
export type FeatureMap = {
  /** [batch, height, width, channels]. Its data may be a texture: only the functions of this module read them. */
  readonly map: Tensor4D;
};

/**
 * A tensor as a map.
 *
 * @param x [batch, height, width, channels]
 * @throws {RangeError} if the channels are not a multiple of four
 */
export function featureMap(tf: Tfjs, x: Tensor4D): FeatureMap {
  const backend = webgpuBackend(tf);
  checkChannels(x.shape);
  if (!isSoftware(backend.device)) return { map: tf.clone(x) };
  const into = texelTensor(backend, x.shape);
  dispatch(backend, {
    key: "feature_map",
    code: () =>
      program({
        result: "texture",
        inputs: [["x", "vec4<f32>"]],
        uniforms: ["count"],
        body: `
  if (id >= u.count) { return; }
  ${storeTexel("id", "x[id]")}`,
      }),
    inputs: [x],
    shape: x.shape,
    into,
    uniforms: [x.size / 4],
    invocations: x.size / 4,
  });
  return mapOf(tf, into);
}

/**
 * The mean over a map's positions, as a tensor [batch, 1, 1, channels]. An image has the same bits alone and among
 * others.
 */
export function mapMeans(tf: Tfjs, { map }: FeatureMap): Tensor4D {
  const backend = webgpuBackend(tf);
  if (!isSoftware(backend.device)) return tf.mean(map, [1, 2], true) as Tensor4D;
  const [batch, height, width, channels] = map.shape;
  const groups = channels / 4;
  const means = dispatch(backend, {
    key: "feature_map_means",
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["x", "texture"]],
        uniforms: ["count", "groups", "pixels"],
        body: `
  if (id >= u.count) { return; }
  let first = id / u.groups * u.pixels * u.groups + id % u.groups;
  var sum = vec4<f32>();
  for (var p = 0; p < u.pixels; p++) {
    let at = first + p * u.groups;
    sum += ${fetchTexel("x", "at")};
  }
  result[id] = sum / f32(u.pixels);`,
      }),
    inputs: [map],
    shape: [batch, 1, 1, channels],
    uniforms: [batch * groups, groups, height * width],
    invocations: batch * groups,
  });
  return tf.engine().makeTensorFromTensorInfo(means) as Tensor4D;
}

/** Options of `convolveMap`. */
export interface ConvolveMapOptions<Filter = Tensor4D, Bias = Tensor1D, Plus = FeatureMap>
  extends ConvolveOptions<Filter, Bias> {
  /** Of the result's shape: added before the activation. */
  readonly plus?: Plus;
}

/**
 * leakyRelu(conv2d(x, filter) + bias + plus). Not differentiable. Bit-repeatable; an image has the same bits alone and
 * among others.
 *
 * @returns [batch, outHeight, outWidth, outChannels]
 * @throws {TypeError} if the channels of x, filter and bias, or the shapes of the result and of `plus` do not fit
 * @throws {RangeError} if the filter's output channels are not a multiple of four
 */
export function convolveMap(tf: Tfjs, { map }: FeatureMap, options: ConvolveMapOptions): FeatureMap {
  const { filter, bias, plus, stride = 1, pad = "same", dilation = 1, slope = 1 } = options;
  const attrs = { strides: stride, pad: pad as ConvAttrs["pad"], dilations: dilation };
  const geometry = map.shape[3] === filter.shape[2] && (bias === undefined || bias.size === filter.shape[3])
    ? geometryOf(tf, { shape: map.shape, filter: filter.shape, attrs })
    : undefined;
  if (geometry === undefined) {
    throw new TypeError(
      `Cannot convolve a map [${map.shape}] with filter [${filter.shape}] and bias [${bias?.shape ?? ""}]`,
    );
  }
  const shape = [geometry.batch, geometry.outHeight, geometry.outWidth, geometry.outChannels];
  checkChannels(shape);
  if (plus !== undefined && `${plus.map.shape}` !== `${shape}`) {
    throw new TypeError(`Cannot add a map [${plus.map.shape}] to a convolution's result [${shape}]`);
  }
  const backend = webgpuBackend(tf);
  if (!isSoftware(backend.device)) {
    if (plus === undefined) return { map: convolve(tf, map, options) };
    return tf.tidy(() => {
      const sum = tf.add(convolve(tf, map, { ...options, slope: 1 }), plus.map) as Tensor4D;
      return { map: slope === 1 ? sum : slope === 0 ? tf.relu(sum) : tf.leakyRelu(sum, slope) };
    });
  }
  const into = texelTensor(backend, shape);
  const { x, geometry: own } = withoutStride(backend, map, geometry);
  const epilogue = { activation: "leakyrelu" as const, alpha: slope };
  conv2dTexels(backend, own, { x, filter, bias, plus: plus?.map, epilogue, into });
  if (x !== map) backend.disposeData(x.dataId);
  return mapOf(tf, into);
}

/**
 * A strided convolution of 1×1 as one of stride 1 over the pixels that it reads, which is a matrix product: the tile of
 * an invocation then spans rows and images.
 */
function withoutStride(
  backend: WebGPUBackend,
  map: TensorInfo,
  g: ConvGeometry,
): { readonly x: TensorInfo; readonly geometry: ConvGeometry } {
  const applies = g.strideWidth > 1 && g.kernelHeight * g.kernelWidth === 1 && g.padTop + g.padLeft === 0;
  if (!applies) return { x: map, geometry: g };
  const { batch, inHeight, inWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth } = g;
  const x = texelTensor(backend, [batch, outHeight, outWidth, inChannels]);
  const count = sizeOf(x.shape) / 4;
  dispatch(backend, {
    key: "feature_map_stride",
    code: () =>
      program({
        result: "texture",
        inputs: [["x", "texture"]],
        uniforms: ["count", "groups", "inHeight", "inWidth", "outHeight", "outWidth", "strideHeight", "strideWidth"],
        body: `
  if (id >= u.count) { return; }
  let pixel = id / u.groups;
  let row = pixel / u.outWidth % u.outHeight * u.strideHeight;
  let image = pixel / (u.outWidth * u.outHeight);
  let source = (image * u.inHeight + row) * u.inWidth + pixel % u.outWidth * u.strideWidth;
  let at = source * u.groups + id % u.groups;
  ${storeTexel("id", fetchTexel("x", "at"))}`,
      }),
    inputs: [map],
    shape: x.shape,
    into: x,
    uniforms: [count, inChannels / 4, inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth],
    invocations: count,
  });
  const geometry = { ...g, inHeight: outHeight, inWidth: outWidth, strideHeight: 1, strideWidth: 1 };
  return { x, geometry };
}

function mapOf(tf: Tfjs, texels: TensorInfo): FeatureMap {
  return { map: tf.engine().makeTensorFromTensorInfo(texels) as Tensor4D };
}

function checkChannels(shape: readonly number[]): void {
  if (shape[3]! % 4 !== 0) throw new RangeError(`A map has a multiple of four channels, not [${shape}]`);
}
