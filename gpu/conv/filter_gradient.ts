/**
 * The gradient of a convolution's filter, NHWC. The sum is over images and pixels:
 *
 * ```
 * dw[kh, kw, ci, co] = Σ x[y·s + kh·d − pad, x·s + kw·d − pad, ci] · dy[y, x, co]
 * ```
 *
 * Each invocation owns one kernel row's taps × 4·`inputs` input channels × 8 output channels in registers and walks
 * over the pixels of its share of the image rows; a strip of input columns serves all taps. Shares are added afterwards
 * in a fixed order, so the result is the same in every run; float atomics, the usual way, are not.
 */

import { program, type Uniform } from "../kernels/dispatch.ts";
import { fetchTexel } from "../kernels/texels.ts";
import type { ConvGeometry } from "./geometry.ts";

/** What distinguishes one program from another. */
export interface FilterVariant {
  readonly kernelWidth: number;
  readonly stride: number;
  readonly dilation: number;
  /** Output pixels per step of the walk. */
  readonly columns: number;
  /** Groups of four input channels per invocation. */
  readonly inputs: number;
  /** Groups of four output channels per invocation. */
  readonly outputs: number;
  readonly inputVec4: boolean;
  /** Whether x and dy come as texels (see kernels/texels.ts) in place of buffers. */
  readonly texels: boolean;
  readonly outputVec4: boolean;
}

/**
 * A variant with its uniforms. The result is [shares, kernelHeight, kernelWidth, inChannels, outChannels], padded to
 * whole groups of four output channels for texels.
 */
export interface FilterPlan {
  readonly variant: FilterVariant;
  readonly uniforms: readonly Uniform[];
  readonly invocations: number;
  readonly shares: number;
}

const UNIFORMS = [
  "count",
  "batch",
  "inHeight",
  "inWidth",
  "inChannels",
  "outHeight",
  "outWidth",
  "outChannels",
  "kernelHeight",
  "strideHeight",
  "dilationHeight",
  "padTop",
  "padLeft",
  "groups",
  "inputGroups",
  "rowsPerShare",
] as const;

// Beyond this a share's partial sums cost more memory than the parallelism is worth.
const MAX_PARTIAL_VALUES = 1 << 22;

/** Plans the filter gradient. */
export function planFilterGradient(given: ConvGeometry, { software }: { readonly software: boolean }): FilterPlan {
  const g =
    given.kernelHeight === 1 && given.kernelWidth === 1 && given.strideHeight === 1 && given.strideWidth === 1 &&
      given.padTop === 0 && given.padLeft === 0
      ? foldRows(given)
      : given;
  const outputs = g.outChannels > 4 ? 2 : 1;
  const widest = g.kernelWidth === 1 ? 4 : g.kernelWidth <= 3 ? 2 : 1;
  const inputs = Math.min(widest, Math.ceil(g.inChannels / 4));
  const columns = g.outWidth >= 8 && g.kernelWidth * inputs <= 6 ? 8 : g.outWidth >= 4 ? 4 : g.outWidth >= 2 ? 2 : 1;
  const groups = Math.ceil(g.outChannels / (4 * outputs));
  const inputGroups = Math.ceil(g.inChannels / (4 * inputs));
  const tiles = groups * inputGroups * g.kernelHeight;
  const rows = g.batch * g.outHeight;
  const values = g.kernelHeight * g.kernelWidth * g.inChannels * g.outChannels;
  const wanted = Math.ceil((software ? 512 : 16384) / tiles);
  const most = Math.max(1, Math.min(wanted, rows, Math.floor(MAX_PARTIAL_VALUES / values)));
  const rowsPerShare = Math.ceil(rows / most);
  const shares = Math.ceil(rows / rowsPerShare);
  const invocations = tiles * shares;
  return {
    variant: {
      kernelWidth: g.kernelWidth,
      stride: g.strideWidth,
      dilation: g.dilationWidth,
      columns,
      inputs,
      outputs,
      texels: software,
      inputVec4: g.inChannels % 4 === 0,
      outputVec4: software || g.outChannels % 4 === 0,
    },
    uniforms: [
      invocations,
      g.batch,
      g.inHeight,
      g.inWidth,
      g.inChannels,
      g.outHeight,
      g.outWidth,
      g.outChannels,
      g.kernelHeight,
      g.strideHeight,
      g.dilationHeight,
      g.padTop,
      g.padLeft,
      groups,
      inputGroups,
      rowsPerShare,
    ],
    invocations,
    shares,
  };
}

/** A 1×1 convolution of an image of a few pixels is one of a row of 32 pixels, where the number of pixels divides. */
function foldRows(g: ConvGeometry): ConvGeometry {
  const pixels = g.batch * g.inHeight * g.inWidth;
  const width = [64, 32, 16, 8].find((candidate) => pixels % candidate === 0);
  if (width === undefined || g.inWidth % 8 === 0) return g;
  return { ...g, batch: 1, inHeight: pixels / width, outHeight: pixels / width, inWidth: width, outWidth: width };
}

/** A unique name for the variant. */
export function filterKey(v: FilterVariant): string {
  return `conv_filter_k${v.kernelWidth}_s${v.stride}_d${v.dilation}_${v.columns}x${v.inputs}x${v.outputs}` +
    `${v.texels ? "_t" : v.inputVec4 ? "_i4" : ""}${v.outputVec4 ? "_o4" : ""}`;
}

/** The WGSL of a variant. Bindings: result, x, dy, uniforms. */
export function filterCode(v: FilterVariant): string {
  const taps = [...Array(v.kernelWidth).keys()];
  const inputs = [...Array(v.inputs).keys()];
  const outputs = [...Array(v.outputs).keys()];
  const columns = [...Array(v.columns).keys()];
  const used = [...new Set(columns.flatMap((c) => taps.map((tap) => c * v.stride + tap * v.dilation)))].sort((a, b) =>
    a - b
  );
  const lines: string[] = [];
  const each = (body: (tap: number, input: number, lane: number, output: number) => string) => {
    for (const t of taps) {
      for (const i of inputs) for (let l = 0; l < 4; l++) for (const o of outputs) lines.push(body(t, i, l, o));
    }
  };
  each((t, i, l, o) => `var a${t}_${i}_${l}_${o} = vec4<f32>();`);
  lines.push(`for (var row = first; row < last; row++) {
    let image = row / u.outHeight;
    let y = row % u.outHeight;
    let inY = y * u.strideHeight + kh * u.dilationHeight - u.padTop;
    if (inY < 0 || inY >= u.inHeight) { continue; }
    let inRow = (image * u.inHeight + inY) * u.inWidth;
    for (var column = 0; column < u.outWidth; column += ${v.columns}) {
      let inColumn = column * ${v.stride} - u.padLeft;`);
  for (const c of columns) {
    for (const o of outputs) {
      lines.push(
        `let d${c}_${o} = loadDy(row * u.outWidth + column + ${c}, output + ${o}, column + ${c} < u.outWidth);`,
      );
    }
  }
  for (const offset of used) {
    lines.push(`let at${offset} = inRow + clamp(inColumn + ${offset}, 0, u.inWidth - 1);`);
    lines.push(`let in${offset} = inColumn + ${offset} >= 0 && inColumn + ${offset} < u.inWidth;`);
    for (const i of inputs) lines.push(`let x${offset}_${i} = loadX(at${offset}, input + ${i}, in${offset});`);
  }
  // Two sums of four at a time, to the end of the strip: they stay in registers on a CPU (see gather.ts).
  for (const t of taps) {
    for (const i of inputs) {
      for (const o of outputs) {
        for (const lanes of ["xy", "zw"]) {
          for (const c of columns) {
            for (const lane of lanes) {
              const sum = `a${t}_${i}_${"xyzw".indexOf(lane)}_${o}`;
              lines.push(
                `${sum} = fma(vec4<f32>(x${c * v.stride + t * v.dilation}_${i}.${lane}), d${c}_${o}, ${sum});`,
              );
            }
          }
        }
      }
    }
  }
  lines.push("} }");
  each((t, i, l, o) => `store(share, kh, ${t}, (input + ${i}) * 4 + ${l}, output + ${o}, a${t}_${i}_${l}_${o});`);
  return program({
    result: v.outputVec4 ? "vec4<f32>" : "f32",
    inputs: [
      ["x", v.texels ? "texture" : v.inputVec4 ? "vec4<f32>" : "f32"],
      ["dy", v.texels ? "texture" : v.outputVec4 ? "vec4<f32>" : "f32"],
    ],
    uniforms: UNIFORMS,
    functions: [
      load("loadX", { ...v, buffer: "x", channels: "u.inChannels", vec4: v.inputVec4 }),
      load("loadDy", { ...v, buffer: "dy", channels: "u.outChannels", vec4: v.outputVec4 }),
      store(v),
    ].join("\n"),
    body: `
  if (id >= u.count) { return; }
  let output = (id % u.groups) * ${v.outputs};
  var rest = id / u.groups;
  let input = (rest % u.inputGroups) * ${v.inputs}; rest = rest / u.inputGroups;
  let kh = rest % u.kernelHeight;
  let share = rest / u.kernelHeight;
  let first = share * u.rowsPerShare;
  let last = min(first + u.rowsPerShare, u.batch * u.outHeight);
${lines.join("\n")}`,
  });
}

interface LoadOptions {
  readonly buffer: string;
  readonly channels: string;
  readonly texels: boolean;
  readonly vec4: boolean;
}

function load(name: string, { buffer, channels, texels, vec4 }: LoadOptions): string {
  if (texels) {
    return `fn ${name}(pixel : i32, group : i32, inside : bool) -> vec4<f32> {
  let groups = (${channels} + 3) >> 2u;
  let i = pixel * groups + group;
  return select(vec4<f32>(), ${fetchTexel(buffer, "i")}, inside && group < groups);
}`;
  }
  return `fn ${name}(pixel : i32, group : i32, inside : bool) -> vec4<f32> {
  ${
    vec4 ? `return select(vec4<f32>(), ${buffer}[pixel * (${channels} >> 2u) + group], inside);` : `let c = group * 4;
  let i = pixel * ${channels} + c;
  let left = ${channels} - c;
  let there = vec4<bool>(inside && left > 0, inside && left > 1, inside && left > 2, inside && left > 3);
  return select(vec4<f32>(), vec4<f32>(${buffer}[i], ${buffer}[i + 1], ${buffer}[i + 2], ${buffer}[i + 3]), there);`
  }
}`;
}

function store({ kernelWidth, outputVec4 }: FilterVariant): string {
  return `fn store(share : i32, kh : i32, kw : i32, input : i32, output : i32, v : vec4<f32>) {
  let c = output * 4;
  if (input >= u.inChannels || c >= u.outChannels) { return; }
  let i = ((share * u.kernelHeight + kh) * ${kernelWidth} + kw) * u.inChannels + input;
  ${
    outputVec4
      ? "result[i * ((u.outChannels + 3) >> 2u) + output] = v;"
      : [0, 1, 2, 3].map((k) => `if (c + ${k} < u.outChannels) { result[i * u.outChannels + c + ${k}] = v[${k}]; }`)
        .join("\n  ")
  }
}`;
}
