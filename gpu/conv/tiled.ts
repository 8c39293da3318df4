/**
 * Convolution through workgroup memory, NHWC: the second family, for small images on GPUs. A workgroup owns 32 output
 * pixels × 32 channels, an invocation 4 × 4 of them in registers. For a kernel row and some input channels it brings
 * what all of them read into workgroup memory, once; what the next round needs is on its way from memory meanwhile.
 *
 * On an H100 it takes half the time of gather.ts for 128 channels at 8², where that has too few invocations to fill the
 * GPU, and twice its time for 64 at 64². Larger tiles (up to 128 pixels × 128 channels) were faster than this one
 * there, and slower than gather.ts still.
 *
 * It adds in the order of gather.ts (kernel row, four input channels, tap, channel), one multiply-add at a time, so
 * both families give the same bits where the adapter compiles fma the same way, and which one serves a shape is a
 * matter of time alone (see tuner.ts).
 */

import { program, WORKGROUP } from "../kernels/dispatch.ts";
import { ACTIVATIONS } from "./activation_wgsl.ts";
import { GATHER_UNIFORMS, type GatherVariant } from "./gather.ts";
import { loadInput, loadWeight, store } from "./operands_wgsl.ts";
import type { GatherPlan } from "./plan.ts";

/** What distinguishes one program from another. */
export interface TiledVariant
  extends
    Pick<GatherVariant, "kernelWidth" | "step" | "tapStep" | "offset" | "inputVec4" | "outputVec4" | "activation"> {
  /** Groups of four input channels that are brought at once. */
  readonly quads: number;
  /** Whether workgroup memory holds half floats: inputs and weights are rounded, sums stay in single precision. */
  readonly half: boolean;
}

const PIXELS = 32;
/** Output pixels of an invocation. */
const OWN = 4;
/** Groups of four output channels of a workgroup; as many invocations share a pixel. */
const COLUMNS = 8;
/** Invocations that bring inputs of one pixel. */
const STRANDS = WORKGROUP / PIXELS;
/** Multiply-adds in depth between two barriers, about. */
const DEPTH = 24;

/** A variant with its uniforms. */
export interface TiledPlan {
  readonly variant: TiledVariant;
  readonly uniforms: GatherPlan["uniforms"];
  readonly invocations: number;
}

/**
 * The tiled form of a planned gather from buffers; undefined where that has more than one phase (input gradients of
 * strided convolutions).
 */
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
    invocations: WORKGROUP * groups * Math.ceil(pixels / PIXELS),
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
  const own = range(OWN);
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
${loadInput(v)}
${loadWeight(v)}
${store(v)}`,
    body: `
  let lane = id & ${WORKGROUP - 1};
  let group = id / ${WORKGROUP};
  let channel = (group % u.groups) * ${COLUMNS};
  let firstPixel = (group / u.groups) * ${PIXELS};
  let chunks = (u.inChannels + ${4 * v.quads - 1}) / ${4 * v.quads};
  let rounds = u.kernelHeight * chunks;
  // The pixel of whose inputs this invocation brings some.
  let place = lane % ${PIXELS};
  let strand = lane / ${PIXELS};
  let pixel = firstPixel + place;
  let inside = pixel < u.count;
  let column = (pixel % u.outWidth) * ${v.step} + ${v.offset};
  let line = (pixel / u.outWidth) % u.outHeight * u.rowStep + u.rowOffset;
  let image = min(pixel / (u.outWidth * u.outHeight), u.batch - 1);
  // The pixels and the channels whose sums it holds.
  let row = lane / ${COLUMNS} * ${OWN};
  let side = lane % ${COLUMNS};
  let start = loadBias(channel + side);
  ${own.map((p) => `var a${p} = start;`).join(" ")}
  ${declarations(depth)}
  { let round = 0; ${bring(v)} }
  for (var now = 0; now < rounds; now++) {
    workgroupBarrier();
    ${put(depth, element)}
    workgroupBarrier();
    { let round = now + 1; ${bring(v)} }
    for (var k = 0; k < ${depth}; k++) {
      ${own.map((p) => `let x${p} = vec4<f32>(tileX[k * ${PIXELS} + row + ${p}]);`).join("\n      ")}
      ${
      range(4).map((i) =>
        `let w${i} = vec4<f32>(tileW[(k * 4 + ${i}) * ${COLUMNS} + side]);\n      ` +
        own.map((p) => `a${p} = fma(vec4<f32>(x${p}.${"xyzw"[i]}), w${i}, a${p});`).join(" ")
      ).join("\n      ")
    }
    }
  }
  if (channel + side >= u.outGroups) { return; }
  ${
      own.map((p) =>
        `if (firstPixel + row + ${p} < u.count) { store(firstPixel + row + ${p}, channel + side, ${
          ACTIVATIONS[v.activation](`a${p}`)
        }); }`
      ).join("\n  ")
    }`,
  });
}

/** What an invocation brings in a round: so many groups of four inputs, and of four weights. */
function loads(depth: number): { readonly inputs: readonly number[]; readonly weights: readonly number[] } {
  return { inputs: range(Math.ceil(depth / STRANDS)), weights: range(Math.ceil(depth * 4 * COLUMNS / WORKGROUP)) };
}

function declarations(depth: number): string {
  const { inputs, weights } = loads(depth);
  return [...inputs.map((t) => `newX${t}`), ...weights.map((j) => `newW${j}`)].map((name) => `var ${name} : vec4<f32>;`)
    .join(" ");
}

/** From memory into registers: what the workgroup needs in `round`, or zeros beyond the last. */
function bring(v: TiledVariant): string {
  const { inputs, weights } = loads(v.quads * v.kernelWidth);
  return `
    let kh = round / chunks;
    let c = round % chunks * ${4 * v.quads};
    let y = line + kh * u.rowTapStep;
    let ok = inside && round < rounds && y >= 0 && y < u.inHeight;
    let first = (image * u.inHeight + clamp(y, 0, u.inHeight - 1)) * u.inWidth;
    ${
    inputs.map((t) =>
      `{
      let k = ${t * STRANDS} + strand;
      let at = column + k % ${v.kernelWidth} * ${v.tapStep};
      let quad = c + k / ${v.kernelWidth} * 4;
      let there = ok && at >= 0 && at < u.inWidth && quad < u.inChannels;
      newX${t} = loadInput(first + clamp(at, 0, u.inWidth - 1), quad, there);
    }`
    ).join("\n    ")
  }
    ${
    weights.map((j) =>
      `{
      let e = lane + ${j * WORKGROUP};
      let k = e / ${4 * COLUMNS};
      let input = c + k / ${v.kernelWidth} * 4 + e / ${COLUMNS} % 4;
      let output = channel + e % ${COLUMNS};
      let weight = loadWeight((kh * ${v.kernelWidth} + k % ${v.kernelWidth}) * u.inChannels + input, output);
      newW${j} = select(vec4<f32>(), weight, round < rounds && input < u.inChannels && output < u.outGroups);
    }`
    ).join("\n    ")
  }`;
}

/** From registers into workgroup memory. */
function put(depth: number, element: string): string {
  const { inputs, weights } = loads(depth);
  const within = (index: string, end: number, most: number, statement: string) =>
    most <= end ? statement : `if (${index} < ${end}) { ${statement} }`;
  return [
    ...inputs.map((t) => {
      const k = `${t * STRANDS} + strand`;
      return within(k, depth, (t + 1) * STRANDS, `tileX[(${k}) * ${PIXELS} + place] = ${element}(newX${t});`);
    }),
    ...weights.map((j) => {
      const e = `lane + ${j * WORKGROUP}`;
      return within(e, depth * 4 * COLUMNS, (j + 1) * WORKGROUP, `tileW[${e}] = ${element}(newW${j});`);
    }),
  ].join("\n    ");
}

function range(count: number): number[] {
  return [...Array(count).keys()];
}
