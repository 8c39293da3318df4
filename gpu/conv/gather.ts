/**
 * Convolution as a gather, NHWC, without workgroup memory. One program does the forward pass and the gradient of the
 * input.
 *
 * Each invocation owns `rows` × `columns` output pixels × `channels` output channels in registers, and neighbouring
 * invocations take neighbouring channels. For a kernel row and four input channels it loads a strip of input columns
 * once and uses it for every tap of that row, so a load feeds about 50 multiply-adds: on a software adapter a load is a
 * gather lane by lane and costs as much as 20 of them from a texture, 90 from a buffer.
 *
 * ```
 * forward pass:   out[oy, ox] = Σ in[oy·s + kh·d − pad, ox·s + kw·d − pad] · w[kh, kw]
 * input gradient: out[iy, ix] = Σ in[(iy + pad − kh·d) / s, (ix + pad − kw·d) / s] · wᵀ[kh, kw]
 * ```
 *
 * The second sum is over the taps that divide. For s = 2 the output columns of one parity share their taps, so an
 * invocation owns columns of one parity (a "phase") and nothing is multiplied by zero.
 */

import { type Dispatch, program } from "../kernels/dispatch.ts";
import { fetchTexel } from "../kernels/texels.ts";
import { ACTIVATIONS } from "./activation_wgsl.ts";
import type { Activation } from "./geometry.ts";
import { loadInput, loadWeight, store, storeTexels } from "./operands_wgsl.ts";

/** What distinguishes one program from another. Everything else is a uniform. */
export interface GatherVariant {
  readonly kernelWidth: number;
  /** Input columns from one output column of a phase to the next: the stride, in the forward pass. */
  readonly step: number;
  /** Number of phases: the stride, in the gradient of the input; else 1. */
  readonly phases: number;
  /**
   * Input columns (of the undivided sum) from one tap to the next: the dilation, negative in the gradient of the input.
   */
  readonly tapStep: number;
  /**
   * What is added to the undivided input column: −pad left in the forward pass, pad left in the gradient of the input.
   */
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
  /** 4 or 8. */
  readonly channels: number;
  /** Whether x and w come as texels (see kernels/texels.ts) in place of buffers. */
  readonly texels: boolean;
  /** Whether the number of input channels is divisible by four. True for texels. */
  readonly inputVec4: boolean;
  /** Whether the result's rows of channels are whole groups of four. True for texels: the result is padded. */
  readonly outputVec4: boolean;
  readonly activation: Activation;
  /** Whether a result may ask for inputs beyond the border, which are zero. True for buffers. */
  readonly padded: boolean;
  /** Whether the result is texels too, as the next convolution reads them. */
  readonly texelResult: boolean;
  /** Whether texels of the result's shape are added before the activation. */
  readonly plus: boolean;
}

/** The uniform fields of the program, in order. */
export const GATHER_UNIFORMS = [
  "count",
  "inHeight",
  "inWidth",
  "inChannels",
  "outHeight",
  "outWidth",
  "outChannels",
  "kernelHeight",
  "rowTapStep",
  "rowOffset",
  "rowStep",
  "groups",
  "stripsX",
  "stripsY",
  "batch",
  "inGroups",
  "outGroups",
  "hasBias",
  "alpha:f32",
] as const;

/**
 * A tap of a kernel row: its index, and the input column it reads relative to the output column's place in its phase.
 */
export interface Tap {
  readonly kernel: number;
  readonly offset: number;
}

/** The taps that the output columns of one phase use. */
export function tapsOf(
  { kernelWidth, phases, tapStep, offset }: Pick<GatherVariant, "kernelWidth" | "phases" | "tapStep" | "offset">,
  phase: number,
): Tap[] {
  const taps: Tap[] = [];
  for (let kernel = 0; kernel < kernelWidth; kernel++) {
    const undivided = phase + offset + kernel * tapStep;
    if (undivided % phases === 0) taps.push({ kernel, offset: undivided / phases });
  }
  return taps;
}

// So many sums of four are finished together for a strip of input: with eight lanes each they fill half of a CPU's
// vector registers, and the other sums may wait in memory. A third faster than one multiply-add for each sum in turn.
const BLOCK = 2;

/** A unique name for the variant. */
export function gatherKey(v: GatherVariant): string {
  return `conv_gather_k${v.kernelWidth}_s${v.step}_p${v.phases}_t${v.tapStep}_o${v.offset}` +
    `_${v.rows}x${v.columns}x${v.channels}` +
    `${v.texels ? "_t" : v.inputVec4 ? "_i4" : ""}${v.outputVec4 ? "_o4" : ""}${v.padded ? "" : "_in"}` +
    `${v.texelResult ? "_texels" : ""}${v.plus ? "_plus" : ""}_${v.activation}`;
}

/** The WGSL of a variant. Bindings: result, x, w, bias, what is added if any, uniforms. */
export function gatherCode(v: GatherVariant): ReturnType<Dispatch["code"]> {
  const phases: string[] = [];
  for (let phase = 0; phase < v.phases; phase++) phases.push(phaseCode(v, phase));
  const split = phases.map((code, phase) => v.phases === 1 ? code : `if (phaseX == ${phase}) {\n${code}}`).join(
    " else ",
  );
  return program({
    result: v.texelResult ? "texture" : v.outputVec4 ? "vec4<f32>" : "f32",
    inputs: [
      ["x", v.texels ? "texture" : v.inputVec4 ? "vec4<f32>" : "f32"],
      ["w", v.texels ? "texture" : v.outputVec4 ? "vec4<f32>" : "f32"],
      ["bias", "f32"],
      ...(v.plus ? [["more", "texture"] as const] : []),
    ],
    uniforms: GATHER_UNIFORMS,
    functions: `${v.texels ? "" : `${loadInput(v)}\n${loadWeight(v)}`}\n${v.texelResult ? storeTexels(v) : store(v)}`,
    body: `
  if (id >= u.count) { return; }
  let channel = (id % u.groups) * ${v.channels / 4};
  var rest = id / u.groups;
  let stripX = (rest % u.stripsX) * ${v.columns}; rest = rest / u.stripsX;
  let stripY = (rest % u.stripsY) * ${v.rows}; rest = rest / u.stripsY;
  let image = rest % u.batch; rest = rest / u.batch;
  let phaseY = rest % ${v.phases};
  let phaseX = rest / ${v.phases};
  ${split}`,
  });
}

function phaseCode(v: GatherVariant, phase: number): string {
  const taps = tapsOf(v, phase);
  const halves = v.channels / 4;
  const lines: string[] = [];
  const each = (body: (row: number, column: number, half: number) => string) => {
    for (let r = 0; r < v.rows; r++) {
      for (let c = 0; c < v.columns; c++) for (let h = 0; h < halves; h++) lines.push(body(r, c, h));
    }
  };
  const used = new Set<number>();
  for (const tap of taps) for (let c = 0; c < v.columns; c++) used.add(c * v.step + tap.offset);
  const offsets = [...used].sort((a, b) => a - b);

  for (let h = 0; h < halves; h++) lines.push(`let b${h} = loadBias(channel + ${h});`);
  each((r, c, h) => `var a${r}_${c}_${h} = b${h};`);
  if (taps.length > 0) {
    lines.push(`let column = stripX * ${v.step};`);
    for (const o of offsets) {
      const at = `column + ${o}`;
      lines.push(`let c${name(o)} = ${v.padded ? `clamp(${at}, 0, u.inWidth - 1)` : at};`);
      if (v.padded) lines.push(`let in${name(o)} = ${at} >= 0 && ${at} < u.inWidth;`);
    }
    lines.push(`for (var kh = 0; kh < u.kernelHeight; kh++) {`);
    lines.push(`let undivided = phaseY + u.rowOffset + kh * u.rowTapStep;`);
    if (v.phases > 1) lines.push(`if (undivided % ${v.phases} != 0) { continue; }`);
    for (let r = 0; r < v.rows; r++) {
      lines.push(`let y${r} = (stripY + ${r}) * u.rowStep + undivided / ${v.phases};`);
      if (v.padded) lines.push(`let ok${r} = y${r} >= 0 && y${r} < u.inHeight;`);
      const y = v.padded ? `clamp(y${r}, 0, u.inHeight - 1)` : `y${r}`;
      lines.push(`let row${r} = (image * u.inHeight + ${y}) * u.inWidth;`);
    }
    lines.push(...(v.texels ? loadTexels(v, { taps, offsets }) : loadElements(v, { taps, offsets })));
    for (let r = 0; r < v.rows; r++) {
      for (let h = 0; h < halves; h++) {
        for (let first = 0; first < v.columns; first += BLOCK) {
          const block = [...Array(Math.min(BLOCK, v.columns - first)).keys()].map((c) => first + c);
          for (const { kernel, offset } of taps) {
            for (let i = 0; i < 4; i++) {
              for (const c of block) {
                const x = `x${r}_${name(c * v.step + offset)}.${"xyzw"[i]}`;
                lines.push(`a${r}_${c}_${h} = fma(vec4<f32>(${x}), w${kernel}_${i}_${h}, a${r}_${c}_${h});`);
              }
            }
          }
        }
      }
    }
    lines.push("}", "}");
  }
  for (let r = 0; r < v.rows; r++) {
    lines.push(`let toY${r} = (stripY + ${r}) * ${v.phases} + phaseY;`, `if (toY${r} < u.outHeight) {`);
    lines.push(`let toRow = (image * u.outHeight + toY${r}) * u.outWidth + ${phase};`);
    for (let c = 0; c < v.columns; c++) {
      lines.push(`if ((stripX + ${c}) * ${v.phases} + ${phase} < u.outWidth) {`);
      for (let h = 0; h < halves; h++) {
        const [pixel, group] = [`toRow + (stripX + ${c}) * ${v.phases}`, `channel + ${h}`];
        const more = v.plus ? ` + loadMore(${pixel}, ${group})` : "";
        const call = `let v = a${r}_${c}_${h}${more}; store(${pixel}, ${group}, ${ACTIVATIONS[v.activation]("v")});`;
        lines.push(h === 0 ? `{ ${call} }` : `if ((${group}) * 4 < u.outChannels) { ${call} }`);
      }
      lines.push("}");
    }
    lines.push("}");
  }
  return lines.join("\n");
}

/** The part of a variable's name that says which input column it is of. */
function name(offset: number): string {
  return offset < 0 ? `m${-offset}` : `${offset}`;
}

interface Strip {
  readonly taps: readonly Tap[];
  /** Input columns that the taps read, relative to the first of the strip. */
  readonly offsets: readonly number[];
}

/** Opens the loop over input channels, four at a time, and loads inputs and weights from buffers. */
function loadElements(v: GatherVariant, { taps, offsets }: Strip): string[] {
  const lines = [`for (var c = 0; c < u.inChannels; c += 4) {`];
  for (let r = 0; r < v.rows; r++) {
    for (const o of offsets) {
      lines.push(`let x${r}_${name(o)} = loadInput(row${r} + c${name(o)}, c, ok${r} && in${name(o)});`);
    }
  }
  for (const { kernel } of taps) {
    lines.push(`let tap${kernel} = (kh * ${v.kernelWidth} + ${kernel}) * u.inChannels + c;`);
    for (let i = 0; i < 4; i++) {
      for (let h = 0; h < v.channels / 4; h++) {
        lines.push(`let w${kernel}_${i}_${h} = loadWeight(tap${kernel} + ${i}, channel + ${h});`);
      }
    }
  }
  return lines;
}

/**
 * The same from texels. What does not change from channel to channel is computed before the loop: llvmpipe's compiler
 * takes nothing out of one.
 */
function loadTexels(v: GatherVariant, { taps, offsets }: Strip): string[] {
  const lines: string[] = [];
  const places = [...Array(v.rows).keys()].flatMap((r) => offsets.map((o) => ({ r, o, at: `${r}_${name(o)}` })));
  for (const { r, o, at } of places) {
    lines.push(`let first${at} = (row${r} + c${name(o)}) * u.inGroups;`);
    if (v.padded) lines.push(`let inside${at} = ok${r} && in${name(o)};`);
  }
  for (const { kernel } of taps) {
    lines.push(`var tap${kernel} = (kh * ${v.kernelWidth} + ${kernel}) * u.inGroups * 4 * u.outGroups + channel;`);
  }
  lines.push("let g1 = u.outGroups;", "let g2 = 2 * g1;", "let g3 = 3 * g1;");
  lines.push(`for (var c = 0; c < u.inGroups; c++) {`);
  for (const { at } of places) {
    const texel = fetchTexel("x", `first${at} + c`);
    lines.push(`let x${at} = ${v.padded ? `select(vec4<f32>(), ${texel}, inside${at})` : texel};`);
  }
  for (const { kernel } of taps) {
    for (let i = 0; i < 4; i++) {
      for (let h = 0; h < v.channels / 4; h++) {
        const texel = fetchTexel("w", `tap${kernel}${i > 0 ? ` + g${i}` : ""} + ${h}`);
        lines.push(`let w${kernel}_${i}_${h} = ${texel};`);
      }
    }
    lines.push(`tap${kernel} += 4 * g1;`);
  }
  return lines;
}
