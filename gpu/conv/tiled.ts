// Convolution through workgroup memory, NHWC: the second family, for GPUs. A workgroup owns 64 output pixels × 32 channels, an invocation 8 × 4
// of them in registers. For a kernel row and some input channels it brings what all of them read into workgroup memory, once.
//
// It adds in the order of gather.ts (kernel row, four input channels, tap, channel), one multiply-add at a time, so both families give the same
// bits where the adapter compiles fma the same way, and which one serves a shape is a matter of time alone (see tuner.ts).

import { program } from "../kernels/dispatch.ts";
import { ACTIVATIONS, GATHER_UNIFORMS, type GatherVariant, loadInput, loadWeight, store } from "./gather.ts";
import type { GatherPlan } from "./geometry.ts";

/** What distinguishes one program from another. */
export interface TiledVariant
  extends
    Pick<GatherVariant, "kernelWidth" | "step" | "tapStep" | "offset" | "inputVec4" | "outputVec4" | "activation"> {
  /** Groups of four input channels that are brought at once. */
  readonly quads: number;
  /** Whether workgroup memory holds half floats: inputs and weights are rounded, sums stay in single precision. */
  readonly half: boolean;
}

const PIXELS = 64;
/** Groups of four output channels of a workgroup. */
const COLUMNS = 8;
/** Multiply-adds in depth between two barriers, about. */
const DEPTH = 24;

/** A variant with its uniforms. */
export interface TiledPlan {
  readonly variant: TiledVariant;
  readonly uniforms: GatherPlan["uniforms"];
  readonly invocations: number;
}

/** The tiled form of a planned gather from buffers; undefined where that has more than one phase (input gradients of strided convolutions). */
export function planTiled({ variant, uniforms }: GatherPlan, { half }: { half: boolean }): TiledPlan | undefined {
  if (variant.phases !== 1 || variant.texels) return undefined;
  const { kernelWidth, step, tapStep, offset, inputVec4, outputVec4, activation } = variant;
  const named = new Map(GATHER_UNIFORMS.map((name, i) => [name as string, uniforms[i]!]));
  const value = (name: typeof GATHER_UNIFORMS[number]) => named.get(name) as number;
  const pixels = value("batch") * value("outHeight") * value("outWidth");
  const groups = Math.ceil(value("outChannels") / (4 * COLUMNS));
  named.set("count", pixels).set("groups", groups);
  const quads = Math.max(1, Math.round(DEPTH / 4 / kernelWidth));
  return {
    variant: { kernelWidth, step, tapStep, offset, inputVec4, outputVec4, activation, quads, half },
    uniforms: [...named.values()],
    invocations: 64 * groups * Math.ceil(pixels / PIXELS),
  };
}

/** A unique name for the variant. */
export function tiledKey(v: TiledVariant): string {
  return `conv_tiled_k${v.kernelWidth}_s${v.step}_t${v.tapStep}_o${v.offset}_q${v.quads}` +
    `${v.inputVec4 ? "_i4" : ""}${v.outputVec4 ? "_o4" : ""}${v.half ? "_f16" : ""}_${v.activation}`;
}

/** The WGSL of a variant. Bindings as in gather.ts: result, x, w, bias, uniforms. */
export function tiledCode(v: TiledVariant): string {
  const element = v.half ? "vec4<f16>" : "vec4<f32>";
  const depth = v.quads * v.kernelWidth;
  const own = [...Array(8).keys()];
  const inputs = { inputVec4: v.inputVec4, texels: false };
  const outputs = { outputVec4: v.outputVec4, texels: false };
  return program({
    ...(v.half ? { enable: ["f16"] } : {}),
    result: v.outputVec4 ? "vec4<f32>" : "f32",
    inputs: [
      ["x", v.inputVec4 ? "vec4<f32>" : "f32"],
      ["w", v.outputVec4 ? "vec4<f32>" : "f32"],
      ["bias", "f32"],
    ],
    uniforms: GATHER_UNIFORMS,
    functions: `
var<workgroup> tileX : array<${element}, ${depth * PIXELS}>;
var<workgroup> tileW : array<${element}, ${depth * 4 * COLUMNS}>;
${loadInput(inputs)}\n${loadWeight(outputs)}\n${store(v)}`,
    body: `
  let lane = id & 63;
  let group = id >> 6u;
  let channel = (group % u.groups) * ${COLUMNS};
  let firstPixel = (group / u.groups) * ${PIXELS};
  // The pixel whose inputs this invocation brings.
  let pixel = firstPixel + lane;
  let inside = pixel < u.count;
  let column = (pixel % u.outWidth) * ${v.step} + ${v.offset};
  let line = (pixel / u.outWidth) % u.outHeight * u.rowStep + u.rowOffset;
  let image = pixel / (u.outWidth * u.outHeight);
  // The pixels and the channels whose sums it holds.
  let row = lane / ${COLUMNS};
  let place = lane % ${COLUMNS};
  let start = loadBias(channel + place);
  ${own.map((p) => `var a${p} = start;`).join(" ")}
  for (var kh = 0; kh < u.kernelHeight; kh++) {
    let y = line + kh * u.rowTapStep;
    let ok = inside && y >= 0 && y < u.inHeight;
    for (var c = 0; c < u.inChannels; c += ${4 * v.quads}) {
      workgroupBarrier();
      for (var k = 0; k < ${depth}; k++) {
        let quad = c + k / ${v.kernelWidth} * 4;
        let at = column + k % ${v.kernelWidth} * ${v.tapStep};
        let there = ok && at >= 0 && at < u.inWidth && quad < u.inChannels;
        let source = (image * u.inHeight + clamp(y, 0, u.inHeight - 1)) * u.inWidth + clamp(at, 0, u.inWidth - 1);
        tileX[k * ${PIXELS} + lane] = ${element}(loadInput(source, quad, there));
      }
      for (var e = lane; e < ${depth * 4 * COLUMNS}; e += 64) {
        let k = e / ${4 * COLUMNS};
        let input = c + k / ${v.kernelWidth} * 4 + e / ${COLUMNS} % 4;
        let output = channel + e % ${COLUMNS};
        let weight = loadWeight((kh * ${v.kernelWidth} + k % ${v.kernelWidth}) * u.inChannels + input, output);
        tileW[e] = ${element}(select(vec4<f32>(), weight, input < u.inChannels && output * 4 < u.outChannels));
      }
      workgroupBarrier();
      for (var k = 0; k < ${depth}; k++) {
        ${own.map((p) => `let x${p} = vec4<f32>(tileX[k * ${PIXELS} + row * 8 + ${p}]);`).join("\n        ")}
        ${
      [0, 1, 2, 3].map((i) =>
        `let w${i} = vec4<f32>(tileW[(k * 4 + ${i}) * ${COLUMNS} + place]);\n        ` +
        own.map((p) => `a${p} = fma(vec4<f32>(x${p}.${"xyzw"[i]}), w${i}, a${p});`).join(" ")
      ).join("\n        ")
    }
      }
    }
  }
  if ((channel + place) * 4 >= u.outChannels) { return; }
  ${
      own.map((p) =>
        `if (firstPixel + row * 8 + ${p} < u.count) { store(firstPixel + row * 8 + ${p}, channel + place, ${
          ACTIVATIONS[v.activation](`a${p}`)
        }); }`
      ).join("\n  ")
    }`,
  });
}
