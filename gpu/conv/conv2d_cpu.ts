/**
 * Convolution and its gradients as plain loops in double precision: the definition of what conv2d.ts computes. The
 * operands are the same, as arrays; `keep` and `packed` say where a kernel's memory is, and change nothing here.
 */

import { type Dense, zeros } from "../dense.ts";
import type { Through } from "../kernels/texels.ts";
import { activateCpu } from "./activation_cpu.ts";
import type { FilterGradientOperands, ForwardOperands, InputGradientOperands } from "./conv2d.ts";
import type { ConvGeometry, Epilogue } from "./geometry.ts";
import { eachTap } from "./geometry_cpu.ts";

/** activation(conv(x, filter) + bias): [batch, outHeight, outWidth, outChannels]. */
export function conv2dCpu(
  geometry: ConvGeometry,
  { x, filter, bias, epilogue }: ForwardOperands<Dense>,
): Dense<Float64Array> {
  const { batch, outHeight, outWidth, outChannels } = geometry;
  const y = zeros([batch, outHeight, outWidth, outChannels]);
  eachProduct(geometry, (output, input, weight) => {
    y.data[output]! += x.data[input]! * filter.data[weight]!;
  });
  return finish(y, { bias, epilogue });
}

/**
 * Gradient of a convolution's input, which is a transposed convolution of dy: [batch, inHeight, inWidth, inChannels].
 */
export function conv2dInputGradientCpu(
  geometry: ConvGeometry,
  { dy, filter, through, bias, epilogue }: InputGradientOperands<Dense>,
): Dense<Float64Array> {
  const { batch, inHeight, inWidth, inChannels } = geometry;
  const upstream = through === undefined ? dy : passThroughCpu(dy, through);
  const dx = zeros([batch, inHeight, inWidth, inChannels]);
  eachProduct(geometry, (output, input, weight) => {
    dx.data[input]! += upstream.data[output]! * filter.data[weight]!;
  });
  return finish(dx, { bias, epilogue });
}

/** Gradient of a convolution's filter: [kernelHeight, kernelWidth, inChannels, outChannels]. */
export function conv2dFilterGradientCpu(
  geometry: ConvGeometry,
  { x, dy, through }: FilterGradientOperands<Dense>,
): Dense<Float64Array> {
  const { kernelHeight, kernelWidth, inChannels, outChannels } = geometry;
  const upstream = through === undefined ? dy : passThroughCpu(dy, through);
  const dw = zeros([kernelHeight, kernelWidth, inChannels, outChannels]);
  eachProduct(geometry, (output, input, weight) => {
    dw.data[weight]! += upstream.data[output]! * x.data[input]!;
  });
  return dw;
}

/** A gradient through a leaky relu: dy where the result was positive, else slope · dy. */
export function passThroughCpu(dy: Dense, { value, slope }: Through<Dense>): Dense<Float64Array> {
  return { shape: dy.shape, data: Float64Array.from(dy.data, (d, i) => value.data[i]! > 0 ? d : slope * d) };
}

/** Adds the bias of each channel, the last axis, and applies the activation. */
function finish(
  { shape, data }: Dense<Float64Array>,
  { bias, epilogue }: { bias: Dense | undefined; epilogue: Omit<Epilogue, "hasBias"> | undefined },
): Dense<Float64Array> {
  const channels = shape.at(-1)!;
  return { shape, data: data.map((sum, i) => activateCpu(sum + (bias?.data[i % channels] ?? 0), epilogue)) };
}

/** Calls `visit` with the index of an output, an input and a weight for every product that a convolution adds up. */
function eachProduct(g: ConvGeometry, visit: (output: number, input: number, weight: number) => void): void {
  eachTap(g, (output, input, tap) => {
    for (let from = 0; from < g.inChannels; from++) {
      for (let to = 0; to < g.outChannels; to++) {
        visit(
          output * g.outChannels + to,
          input * g.inChannels + from,
          (tap * g.inChannels + from) * g.outChannels + to,
        );
      }
    }
  });
}
