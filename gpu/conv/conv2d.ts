/** The three convolution kernels on tensors: forward, gradient of the input, gradient of the filter. */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { dispatch, program, sizeOf } from "../kernels/dispatch.ts";
import type { Through } from "../kernels/texels.ts";
import { type Direction, familyFor, halfPrecision } from "./families.ts";
import { filterCode, filterKey, planFilterGradient } from "./filter_gradient.ts";
import { gatherCode, gatherKey } from "./gather.ts";
import type { ConvGeometry, Epilogue } from "./geometry.ts";
import { packFilter, packPixels, packTransposed } from "./packing.ts";
import { type GatherPlan, planForward, planInputGradient } from "./plan.ts";
import { planTiled, tiledCode, tiledKey, type TiledPlan } from "./tiled.ts";

/** The device's backend and what kind of adapter it is. */
export interface Target {
  readonly backend: WebGPUBackend;
  /** See `GpuInfo.software`. */
  readonly software: boolean;
}

/** What happens to the sums before they are stored. */
interface Finish<Tensor> {
  /** One value per channel of the result. */
  readonly bias?: Tensor | undefined;
  readonly epilogue?: Omit<Epilogue, "hasBias"> | undefined;
}

/** Operands of the forward pass. */
export interface ForwardOperands<Tensor = TensorInfo> extends Finish<Tensor> {
  /** [batch, inHeight, inWidth, inChannels] */
  readonly x: Tensor;
  /** [kernelHeight, kernelWidth, inChannels, outChannels] */
  readonly filter: Tensor;
  /** Whether x stays packed until it is disposed: for `conv2dFilterGradient`. */
  readonly keep?: boolean;
}

/** activation(conv(x, filter) + bias): [batch, outHeight, outWidth, outChannels]. */
export function conv2d(
  target: Target,
  geometry: ConvGeometry,
  { x, filter, bias, epilogue, keep = false }: ForwardOperands,
): TensorInfo {
  const options = { epilogue: epilogueOf({ bias, epilogue }) };
  const { batch, outHeight, outWidth, outChannels } = geometry;
  const shape = [batch, outHeight, outWidth, outChannels];
  const tiled = tiledPlan(target, geometry, {
    direction: "forward",
    gather: () => planForward(geometry, { software: false, ...options }),
  });
  if (tiled !== undefined) return runTiled(target, tiled, { x, filter, bias: bias ?? filter, shape });
  const plan = planForward(geometry, { software: target.software, ...options });
  if (!target.software) return runGather(target, plan, { x, filter, bias: bias ?? filter, shape });
  const { backend } = target;
  return runGather(target, plan, {
    x: packPixels(backend, x, { slot: "x", keep: keep ? "always" : "never" }),
    filter: packFilter(backend, filter, geometry),
    bias: bias ?? filter,
    shape,
  });
}

function epilogueOf({ bias, epilogue }: Finish<TensorInfo>): Epilogue {
  return { activation: "linear", alpha: 0, ...epilogue, hasBias: bias !== undefined };
}

/** Operands of a convolution from texels to texels. */
export interface TexelOperands extends Finish<TensorInfo> {
  /** [batch, inHeight, inWidth, inChannels] as texels (see `packPixels`). */
  readonly x: TensorInfo;
  /** [kernelHeight, kernelWidth, inChannels, outChannels] */
  readonly filter: TensorInfo;
  /** What is added before the activation: texels of the result's shape. */
  readonly plus?: TensorInfo | undefined;
  /** The result's texels: [batch, outHeight, outWidth, outChannels]. */
  readonly into: TensorInfo;
}

/** activation(conv(x, filter) + bias + plus) of texels, on a software adapter. Channels are whole groups of four. */
export function conv2dTexels(
  backend: WebGPUBackend,
  geometry: ConvGeometry,
  { x, filter, bias, plus, epilogue, into }: TexelOperands,
): void {
  const options = { epilogue: epilogueOf({ bias, epilogue }), texelResult: true, plus: plus !== undefined };
  const { variant, uniforms, invocations } = planForward(geometry, { software: true, ...options });
  dispatch(backend, {
    key: gatherKey(variant),
    code: () => gatherCode(variant),
    inputs: [x, packFilter(backend, filter, geometry), bias ?? filter, ...(plus === undefined ? [] : [plus])],
    shape: into.shape,
    into,
    uniforms,
    invocations,
  });
}

/** Operands of the gradient of the input, which is a transposed convolution of dy. */
export interface InputGradientOperands<Tensor = TensorInfo> extends Finish<Tensor> {
  /** [batch, outHeight, outWidth, outChannels] */
  readonly dy: Tensor;
  /** [kernelHeight, kernelWidth, inChannels, outChannels] */
  readonly filter: Tensor;
  readonly through?: Through<Tensor> | undefined;
}

/**
 * Gradient of a convolution's input: [batch, inHeight, inWidth, inChannels]; with bias and activation where it
 * serves as a transposed convolution. Both strides must be equal. Leaves dy packed in its slot.
 */
export function conv2dInputGradient(
  target: Target,
  geometry: ConvGeometry,
  { dy, filter, through, bias, epilogue }: InputGradientOperands,
): TensorInfo {
  const { batch, inHeight, inWidth, inChannels } = geometry;
  const shape = [batch, inHeight, inWidth, inChannels];
  const { backend } = target;
  const options = { epilogue: epilogueOf({ bias, epilogue }) };
  const tiled = tiledPlan(target, geometry, {
    direction: "input gradient",
    gather: () => planInputGradient(geometry, { software: false, ...options }),
  });
  const plan = planInputGradient(geometry, { software: target.software, ...options });
  if (target.software && tiled === undefined) {
    return runGather(target, plan, {
      x: packPixels(backend, dy, { slot: "dy", through }),
      filter: packTransposed(backend, filter, geometry),
      bias: bias ?? filter,
      shape,
    });
  }
  const transposed = transposeFilter(backend, geometry, filter);
  const upstream = through === undefined ? dy : passThrough(backend, dy, through);
  const operands = { x: upstream, filter: transposed, bias: bias ?? transposed, shape };
  const dx = tiled === undefined ? runGather(target, plan, operands) : runTiled(target, tiled, operands);
  backend.disposeData(transposed.dataId);
  if (upstream !== dy) backend.disposeData(upstream.dataId);
  return dx;
}

/** Operands of the gradient of a filter. */
export interface FilterGradientOperands<Tensor = TensorInfo> {
  readonly x: Tensor;
  readonly dy: Tensor;
  readonly through?: Through<Tensor> | undefined;
  /** Whether the gradient of the input, for the same dy, was the last to pack one: its texels serve again. */
  readonly packed?: boolean;
}

/** Gradient of a convolution's filter: [kernelHeight, kernelWidth, inChannels, outChannels]. */
export function conv2dFilterGradient(
  { backend, software }: Target,
  geometry: ConvGeometry,
  { x, dy, through, packed = false }: FilterGradientOperands,
): TensorInfo {
  const upstream = software || through === undefined ? dy : passThrough(backend, dy, through);
  const { variant, uniforms, invocations, shares } = planFilterGradient(geometry, { software });
  const shape = [geometry.kernelHeight, geometry.kernelWidth, geometry.inChannels, geometry.outChannels];
  const padded = variant.outputVec4 ? 4 * Math.ceil(geometry.outChannels / 4) : geometry.outChannels;
  const partial = dispatch(backend, {
    key: filterKey(variant),
    code: () => filterCode(variant),
    inputs: software
      ? [packPixels(backend, x, { slot: "x" }), packPixels(backend, dy, { slot: "dy", through, packed })]
      : [x, upstream],
    shape: [shares, geometry.kernelHeight, geometry.kernelWidth, geometry.inChannels, padded],
    uniforms,
    invocations,
  });
  if (upstream !== dy) backend.disposeData(upstream.dataId);
  if (shares === 1 && padded === geometry.outChannels) return { ...partial, shape };
  return sumShares(backend, partial, { shares, padded, shape });
}

/** A gradient through a leaky relu, as a tensor. */
export function passThrough(backend: WebGPUBackend, dy: TensorInfo, { value, slope }: Through): TensorInfo {
  const size = sizeOf(dy.shape);
  const element = size % 4 === 0 ? "vec4<f32>" : "f32";
  const count = element === "f32" ? size : size / 4;
  return dispatch(backend, {
    key: `pass_through_${element}`,
    code: () =>
      program({
        result: element,
        inputs: [["dy", element], ["value", element]],
        uniforms: ["count", "slope:f32"],
        body: `
  if (id >= u.count) { return; }
  result[id] = select(dy[id] * u.slope, dy[id], value[id] > ${element}());`,
      }),
    inputs: [dy, value],
    shape: dy.shape,
    uniforms: [count, { f32: slope }],
    invocations: count,
  });
}

/** Operands of a planned gather: packed where the plan's variant reads texels. */
export interface GatherOperands {
  readonly x: TensorInfo;
  readonly filter: TensorInfo;
  readonly bias: TensorInfo;
  readonly shape: readonly number[];
}

interface TiledRequest {
  readonly direction: Direction;
  /** Plans the same convolution for register tiles, reading buffers. */
  readonly gather: () => GatherPlan;
}

/** The plan for the tiled family, if that is the one for this shape. */
function tiledPlan(
  { backend, software }: Target,
  geometry: ConvGeometry,
  { direction, gather }: TiledRequest,
): TiledPlan | undefined {
  const half = halfPrecision(backend.device);
  if (!half && familyFor(backend.device, geometry, { direction, software }) === "register") return undefined;
  return planTiled(gather(), { half });
}

function runTiled(
  { backend }: Target,
  { variant, uniforms, invocations }: TiledPlan,
  { x, filter, bias, shape }: GatherOperands,
): TensorInfo {
  return dispatch(backend, {
    key: tiledKey(variant),
    code: () => tiledCode(variant),
    inputs: [x, filter, bias],
    shape,
    uniforms,
    invocations,
  });
}

/** Runs a planned gather. The result has the given shape, its last axis the output channels. */
export function runGather(
  { backend }: Target,
  { variant, uniforms, invocations }: GatherPlan,
  { x, filter, bias, shape }: GatherOperands,
): TensorInfo {
  const channels = shape[shape.length - 1] ?? 0;
  const padded = variant.outputVec4 ? 4 * Math.ceil(channels / 4) : channels;
  const result = dispatch(backend, {
    key: gatherKey(variant),
    code: () => gatherCode(variant),
    inputs: [x, filter, bias],
    shape: [...shape.slice(0, -1), padded],
    uniforms,
    invocations,
  });
  return padded === channels ? result : sumShares(backend, result, { shares: 1, padded, shape });
}

function transposeFilter(backend: WebGPUBackend, g: ConvGeometry, filter: TensorInfo): TensorInfo {
  const size = sizeOf(filter.shape);
  return dispatch(backend, {
    key: "transpose_filter",
    code: transposeFilterCode,
    inputs: [filter],
    shape: [g.kernelHeight, g.kernelWidth, g.outChannels, g.inChannels],
    uniforms: [size, g.inChannels, g.outChannels],
    invocations: size,
  });
}

function transposeFilterCode(): string {
  return program({
    result: "f32",
    inputs: [["w", "f32"]],
    uniforms: ["count", "inChannels", "outChannels"],
    body: `
  if (id >= u.count) { return; }
  let input = id % u.inChannels;
  let output = (id / u.inChannels) % u.outChannels;
  let tap = id / (u.inChannels * u.outChannels);
  result[id] = w[(tap * u.inChannels + input) * u.outChannels + output];`,
  });
}

/**
 * Adds shares in order, and drops the padding of the last axis. Takes the shares' data.
 *
 * @param options.padded how long the last axis is before
 * @param options.shape of the result
 */
function sumShares(
  backend: WebGPUBackend,
  partial: TensorInfo,
  { shares, padded, shape }: { shares: number; padded: number; shape: readonly number[] },
): TensorInfo {
  const size = sizeOf(shape);
  const sum = dispatch(backend, {
    key: "sum_shares",
    code: () =>
      program({
        result: "f32",
        inputs: [["partial", "f32"]],
        uniforms: ["count", "shares", "channels", "padded", "stride"],
        body: `
  if (id >= u.count) { return; }
  let first = id / u.channels * u.padded + id % u.channels;
  var sum = 0.0;
  for (var s = 0; s < u.shares; s++) { sum += partial[s * u.stride + first]; }
  result[id] = sum;`,
      }),
    inputs: [partial],
    shape,
    uniforms: [size, shares, shape[shape.length - 1] ?? 0, padded, sizeOf(partial.shape) / shares],
    invocations: size,
  });
  backend.disposeData(partial.dataId);
  return sum;
}
