/**
 * Depthwise convolution, NHWC, one output channel per input channel: forward pass and gradient of the input, as a
 * gather like gather.ts.
 *
 * Each invocation owns some rows and columns of output × four channels. Nothing is reused across channels. On a
 * software adapter, where loads are what costs, operands come as texels (see kernels/texels.ts) and several rows share
 * what they read.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { dispatch, program } from "../kernels/dispatch.ts";
import { fetchTexel } from "../kernels/texels.ts";
import { elementFor } from "../kernels/invocations.ts";
import { isSoftware } from "../device.ts";
import type { ForwardOperands } from "./conv2d.ts";
import { ACTIVATIONS } from "./activation_wgsl.ts";
import { type GatherVariant, tapsOf } from "./gather.ts";
import type { Activation, ConvGeometry } from "./geometry.ts";
import { packPixels } from "./packing.ts";

/**
 * activation(depthwise(x, filter) + bias): [batch, outHeight, outWidth, channels]. The filter is [kernelHeight,
 * kernelWidth, channels, 1].
 */
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

/** Rows of output that one invocation owns where loads are dear. */
const ROWS = 4;

function gather(
  backend: WebGPUBackend,
  { geometry, input, filter, bias, taps, rows, from, to, activation, alpha }: Gather,
): TensorInfo {
  const { batch, inChannels: channels, kernelHeight, kernelWidth } = geometry;
  const { element, width } = elementFor(channels);
  const texels = element === "vec4<f32>" && isSoftware(backend.device);
  const groups = channels / width;
  const perPhase = Math.ceil(to[1] / taps.phases);
  const columns = perPhase >= 8 ? 8 : 4;
  const strips = Math.ceil(perPhase / columns);
  const tall = texels && taps.phases === 1 && to[0] >= ROWS ? ROWS : 1;
  const down = Math.ceil(to[0] / tall);
  const count = groups * strips * down * batch * taps.phases;
  const variant: Variant = {
    taps,
    rows: { count: tall, kernelHeight, tapStep: rows[0], offset: rows[1], step: rows[2] },
    columns,
    element,
    texels,
    activation,
  };
  return dispatch(backend, {
    key: keyOf(variant),
    code: () => code(variant),
    inputs: [
      texels ? packPixels(backend, input, { slot: "x" }) : input,
      texels
        ? packPixels(backend, { ...filter, shape: [kernelHeight * kernelWidth, channels] }, {
          slot: "filter",
          keep: "again",
        })
        : filter,
      bias ?? filter,
    ],
    shape: [batch, ...to, channels],
    uniforms: [count, groups, strips, down, ...from, ...to, bias === undefined ? 0 : 1, { f32: alpha }],
    invocations: count,
  });
}

interface Variant {
  readonly taps: Taps;
  readonly rows: {
    /** Rows of output of an invocation; more than one only without phases. */
    readonly count: number;
    readonly kernelHeight: number;
    /** Of the undivided sum: from one tap to the next, of the first tap, from one row of output to the next. */
    readonly tapStep: number;
    readonly offset: number;
    readonly step: number;
  };
  readonly columns: number;
  readonly element: "vec4<f32>" | "f32";
  readonly texels: boolean;
  readonly activation: Activation;
}

function keyOf({ taps, rows, columns, element, texels, activation }: Variant): string {
  return `depthwise_k${rows.kernelHeight}x${taps.kernelWidth}_s${rows.step}x${taps.step}_p${taps.phases}` +
    `_t${rows.tapStep}x${taps.tapStep}_o${rows.offset}x${taps.offset}_${rows.count}x${columns}` +
    `_${element}${texels ? "_texels" : ""}_${activation}`;
}

function code(variant: Variant): string {
  const { taps, rows, columns, element, texels } = variant;
  const phases: string[] = [];
  for (let phase = 0; phase < taps.phases; phase++) {
    const body = phaseCode(variant, phase);
    phases.push(taps.phases === 1 ? body : `if (phaseX == ${phase}) {\n${body}}`);
  }
  const operand = texels ? "texture" : element;
  return program({
    result: element,
    inputs: [["x", operand], ["w", operand], ["bias", element]],
    uniforms: [
      "count",
      "groups",
      "strips",
      "down",
      "inHeight",
      "inWidth",
      "outHeight",
      "outWidth",
      "hasBias",
      "alpha:f32",
    ],
    body: `
  if (id >= u.count) { return; }
  let channel = id % u.groups;
  var rest = id / u.groups;
  let strip = (rest % u.strips) * ${columns}; rest = rest / u.strips;
  let phaseX = rest % ${taps.phases}; rest = rest / ${taps.phases};
  let y = (rest % u.down) * ${rows.count};
  let image = rest / u.down;
  var start = ${element}();
  if (u.hasBias != 0) { start = bias[channel]; }
  ${phases.join(" else ")}`,
  });
}

function phaseCode({ taps, rows, columns, element, texels, activation }: Variant, phase: number): string {
  const used = tapsOf(taps, phase);
  const count = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
  const places = count(columns, (c) => c);
  const offsets = [...new Set(used.flatMap((tap) => places.map((c) => c * taps.step + tap.offset)))].sort((a, b) =>
    a - b
  );
  const name = (offset: number) => offset < 0 ? `m${-offset}` : `${offset}`;
  const load = (operand: string, index: string) => texels ? fetchTexel(operand, index) : `${operand}[${index}]`;
  const finish = (sum: string) =>
    element === "f32"
      ? `${ACTIVATIONS[activation](`vec4<f32>(${sum}, 0.0, 0.0, 0.0)`)}.x`
      : ACTIVATIONS[activation](sum);
  const lines = count(rows.count, (r) => places.map((c) => `var a${r}_${c} = start;`)).flat();
  // Each row of input that some row of output needs, with the pairs of output row and kernel row that meet there.
  const meetings = Map.groupBy(
    count(rows.count, (r) => count(rows.kernelHeight, (kh) => ({ r, kh }))).flat(),
    ({ r, kh }) => r * rows.step + kh * rows.tapStep + rows.offset,
  );
  if (used.length > 0) {
    lines.push(`let column = strip * ${taps.step};`);
    for (let kh = 0; kh < rows.kernelHeight; kh++) {
      for (const { kernel } of used) {
        lines.push(`let w${kh}_${kernel} = ${load("w", `${kh * taps.kernelWidth + kernel} * u.groups + channel`)};`);
      }
    }
    for (const [undivided, pairs] of [...meetings].sort(([a], [b]) => a - b)) {
      lines.push(
        "{",
        `let undivided = y % ${taps.phases} + ${undivided};`,
        `let inY = (y / ${taps.phases}) * ${rows.step} + undivided / ${taps.phases};`,
        `if (undivided % ${taps.phases} == 0 && inY >= 0 && inY < u.inHeight) {`,
        "let row = (image * u.inHeight + inY) * u.inWidth;",
        ...offsets.map((o) =>
          `let x${name(o)} = select(${element}(), ` +
          `${load("x", `(row + clamp(column + ${o}, 0, u.inWidth - 1)) * u.groups + channel`)}, ` +
          `column + ${o} >= 0 && column + ${o} < u.inWidth);`
        ),
      );
      for (const { r, kh } of pairs) {
        for (const tap of used) {
          for (const c of places) {
            const sum = `a${r}_${c}`;
            lines.push(`${sum} = fma(x${name(c * taps.step + tap.offset)}, w${kh}_${tap.kernel}, ${sum});`);
          }
        }
      }
      lines.push("}}");
    }
  }
  for (let r = 0; r < rows.count; r++) {
    lines.push(
      `if (y + ${r} < u.outHeight) {`,
      `let to = (image * u.outHeight + y + ${r}) * u.outWidth + ${phase};`,
    );
    for (const c of places) {
      const place = `(strip + ${c}) * ${taps.phases}`;
      lines.push(
        `if (${place} + ${phase} < u.outWidth) { result[(to + ${place}) * u.groups + channel] = ${
          finish(`a${r}_${c}`)
        }; }`,
      );
    }
    lines.push("}");
  }
  return lines.join("\n");
}
