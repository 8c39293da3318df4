// Depthwise convolution, NHWC, one output channel per input channel: forward pass and gradient of the input, as a gather like gather.ts.
//
// Each invocation owns a strip of output columns × four channels. Nothing is reused across channels, so operands stay in buffers.

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { dispatch, program } from "../kernels/dispatch.ts";
import { elementFor } from "../ops/run.ts";
import type { ForwardOperands } from "./conv2d.ts";
import { ACTIVATIONS, type GatherVariant, tapsOf } from "./gather.ts";
import type { Activation, ConvGeometry } from "./geometry.ts";

/** activation(depthwise(x, filter) + bias): [batch, outHeight, outWidth, channels]. The filter is [kernelHeight, kernelWidth, channels, 1]. */
export function depthwiseConv2d(
  backend: WebGPUBackend,
  g: ConvGeometry,
  { x, filter, bias, epilogue }: ForwardOperands,
): TensorInfo {
  return gather(backend, {
    geometry: g,
    input: x,
    filter,
    bias,
    taps: { kernelWidth: g.kernelWidth, phases: 1, tapStep: g.dilationWidth, offset: -g.padLeft, step: g.strideWidth },
    rows: [g.dilationHeight, -g.padTop, g.strideHeight],
    from: [g.inHeight, g.inWidth],
    to: [g.outHeight, g.outWidth],
    activation: epilogue?.activation ?? "linear",
    alpha: epilogue?.alpha ?? 0,
  });
}

/** Gradient of a depthwise convolution's input: [batch, inHeight, inWidth, channels]. Both strides must be equal. */
export function depthwiseConv2dInputGradient(
  backend: WebGPUBackend,
  g: ConvGeometry,
  { dy, filter }: { readonly dy: TensorInfo; readonly filter: TensorInfo },
): TensorInfo {
  return gather(backend, {
    geometry: g,
    input: dy,
    filter,
    bias: undefined,
    taps: { kernelWidth: g.kernelWidth, phases: g.strideWidth, tapStep: -g.dilationWidth, offset: g.padLeft, step: 1 },
    rows: [-g.dilationHeight, g.padTop, 1],
    from: [g.outHeight, g.outWidth],
    to: [g.inHeight, g.inWidth],
    activation: "linear",
    alpha: 0,
  });
}

type Taps = Pick<GatherVariant, "kernelWidth" | "phases" | "tapStep" | "offset" | "step">;

interface Gather {
  readonly geometry: ConvGeometry;
  readonly input: TensorInfo;
  readonly filter: TensorInfo;
  readonly bias: TensorInfo | undefined;
  readonly taps: Taps;
  /** Of rows: tap step, offset, step. */
  readonly rows: readonly [number, number, number];
  readonly from: readonly [height: number, width: number];
  readonly to: readonly [height: number, width: number];
  readonly activation: Activation;
  readonly alpha: number;
}

function gather(
  backend: WebGPUBackend,
  { geometry, input, filter, bias, taps, rows, from, to, activation, alpha }: Gather,
): TensorInfo {
  const { batch, inChannels: channels, kernelHeight } = geometry;
  const { element, width } = elementFor(channels);
  const groups = channels / width;
  const perPhase = Math.ceil(to[1] / taps.phases);
  const columns = perPhase >= 8 ? 8 : 4;
  const strips = Math.ceil(perPhase / columns);
  const count = groups * strips * to[0] * batch * taps.phases;
  return dispatch(backend, {
    key:
      `depthwise_k${taps.kernelWidth}_s${taps.step}_p${taps.phases}_t${taps.tapStep}_o${taps.offset}_${columns}_${element}_${activation}`,
    code: () => code({ taps, columns, element, activation }),
    inputs: [input, filter, bias ?? filter],
    shape: [batch, ...to, channels],
    uniforms: [count, groups, strips, ...from, ...to, kernelHeight, ...rows, bias === undefined ? 0 : 1, {
      f32: alpha,
    }],
    invocations: count,
  });
}

interface Variant {
  readonly taps: Taps;
  readonly columns: number;
  readonly element: "vec4<f32>" | "f32";
  readonly activation: Activation;
}

function code({ taps, columns, element, activation }: Variant): string {
  const phases: string[] = [];
  for (let phase = 0; phase < taps.phases; phase++) {
    const body = phaseCode({ taps, columns, element, activation }, phase);
    phases.push(taps.phases === 1 ? body : `if (phaseX == ${phase}) {\n${body}}`);
  }
  return program({
    result: element,
    inputs: [["x", element], ["w", element], ["bias", element]],
    uniforms: [
      "count",
      "groups",
      "strips",
      "inHeight",
      "inWidth",
      "outHeight",
      "outWidth",
      "kernelHeight",
      "tapStep",
      "offset",
      "step",
      "hasBias",
      "alpha:f32",
    ],
    body: `
  if (id >= u.count) { return; }
  let channel = id % u.groups;
  var rest = id / u.groups;
  let strip = (rest % u.strips) * ${columns}; rest = rest / u.strips;
  let phaseX = rest % ${taps.phases}; rest = rest / ${taps.phases};
  let y = rest % u.outHeight;
  let image = rest / u.outHeight;
  var start = ${element}();
  if (u.hasBias != 0) { start = bias[channel]; }
  ${phases.join(" else ")}`,
  });
}

function phaseCode({ taps, columns, element, activation }: Variant, phase: number): string {
  const used = tapsOf(taps, phase);
  const places = [...Array(columns).keys()];
  const offsets = [...new Set(used.flatMap((tap) => places.map((c) => c * taps.step + tap.offset)))].sort((a, b) =>
    a - b
  );
  const name = (offset: number) => offset < 0 ? `m${-offset}` : `${offset}`;
  const finish = (c: number) =>
    element === "f32"
      ? `${ACTIVATIONS[activation](`vec4<f32>(a${c}, 0.0, 0.0, 0.0)`)}.x`
      : ACTIVATIONS[activation](`a${c}`);
  const lines = places.map((c) => `var a${c} = start;`);
  if (used.length > 0) {
    lines.push(
      `let column = strip * ${taps.step};`,
      "for (var kh = 0; kh < u.kernelHeight; kh++) {",
      `let undivided = y % ${taps.phases} + u.offset + kh * u.tapStep;`,
      `let inY = (y / ${taps.phases}) * u.step + undivided / ${taps.phases};`,
      `if (undivided % ${taps.phases} != 0 || inY < 0 || inY >= u.inHeight) { continue; }`,
      "let row = (image * u.inHeight + inY) * u.inWidth;",
      ...offsets.map((o) =>
        `let x${
          name(o)
        } = select(${element}(), x[(row + clamp(column + ${o}, 0, u.inWidth - 1)) * u.groups + channel], ` +
        `column + ${o} >= 0 && column + ${o} < u.inWidth);`
      ),
    );
    for (const tap of used) {
      lines.push(`let w${tap.kernel} = w[(kh * ${taps.kernelWidth} + ${tap.kernel}) * u.groups + channel];`);
      for (const c of places) lines.push(`a${c} = fma(x${name(c * taps.step + tap.offset)}, w${tap.kernel}, a${c});`);
    }
    lines.push("}");
  }
  lines.push(`let to = (image * u.outHeight + y) * u.outWidth + ${phase};`);
  for (const c of places) {
    const place = `(strip + ${c}) * ${taps.phases}`;
    lines.push(
      `if (${place} + ${phase} < u.outWidth) { result[(to + ${place}) * u.groups + channel] = ${finish(c)}; }`,
    );
  }
  return lines.join("\n");
}
