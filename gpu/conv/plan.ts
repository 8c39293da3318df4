/** How a convolution becomes a gather: its uniforms, and the register tile for its shape. */

import type { Uniform } from "../kernels/dispatch.ts";
import type { GatherVariant } from "./gather.ts";
import type { ConvGeometry, Epilogue } from "./geometry.ts";

/** A variant of the gather program with its uniforms. */
export interface GatherPlan {
  readonly variant: GatherVariant;
  readonly uniforms: readonly Uniform[];
  readonly invocations: number;
}

/** Options of the two planners. */
export interface PlanOptions {
  /** True for an adapter that runs on the CPU: larger tiles, less parallelism. */
  readonly software: boolean;
  readonly epilogue?: Epilogue;
}

const PLAIN: Epilogue = { hasBias: false, activation: "linear", alpha: 0 };

/** Options of `planForward`. */
export interface ForwardPlanOptions extends PlanOptions, Partial<Pick<GatherVariant, "texelResult" | "plus">> {}

/** Plans out = conv(x, w). */
export function planForward(given: ConvGeometry, options: ForwardPlanOptions): GatherPlan {
  const { software, epilogue = PLAIN, texelResult = false, plus = false } = options;
  const g = isPointwise(given) ? flatten(given) : given;
  return plan({
    kernelWidth: g.kernelWidth,
    step: g.strideWidth,
    phases: 1,
    tapStep: g.dilationWidth,
    offset: -g.padLeft,
    shape: { ...g },
    rows: { tapStep: g.dilationHeight, offset: -g.padTop, step: g.strideHeight },
    software,
    epilogue,
    texelResult,
    plus,
  });
}

/**
 * Plans dx = convᵀ(dy, w). The filter must come transposed: [kernelHeight, kernelWidth, outChannels, inChannels].
 * Both strides must be equal.
 */
export function planInputGradient(given: ConvGeometry, { software, epilogue = PLAIN }: PlanOptions): GatherPlan {
  const g = isPointwise(given) ? flatten(given) : given;
  return plan({
    kernelWidth: g.kernelWidth,
    step: 1,
    phases: g.strideWidth,
    tapStep: -g.dilationWidth,
    offset: g.padLeft,
    shape: {
      ...g,
      inHeight: g.outHeight,
      inWidth: g.outWidth,
      inChannels: g.outChannels,
      outHeight: g.inHeight,
      outWidth: g.inWidth,
      outChannels: g.inChannels,
    },
    rows: { tapStep: -g.dilationHeight, offset: g.padTop, step: 1 },
    software,
    epilogue,
    texelResult: false,
    plus: false,
  });
}

/** The shapes that a gather reads and writes: in the gradient of the input, `in` is the forward pass's output. */
type Shape = Omit<
  ConvGeometry,
  "strideHeight" | "strideWidth" | "dilationHeight" | "dilationWidth" | "padTop" | "padLeft"
>;

interface Request
  extends Pick<GatherVariant, "kernelWidth" | "step" | "phases" | "tapStep" | "offset" | "texelResult" | "plus"> {
  readonly shape: Shape;
  readonly rows: { readonly tapStep: number; readonly offset: number; readonly step: number };
  readonly software: boolean;
  readonly epilogue: Epilogue;
}

function plan(request: Request): GatherPlan {
  const { kernelWidth, step, phases, tapStep, shape: s, rows: rowTaps } = request;
  // No activation is a leaky relu of slope 1, to the bit, so one program serves both.
  const epilogue: Epilogue = request.epilogue.activation === "linear"
    ? { ...request.epilogue, activation: "leakyrelu", alpha: 1 }
    : request.epilogue;
  const offset = request.offset;
  const channels = s.outChannels > 4 ? 8 : 4;
  const width = Math.ceil(s.outWidth / phases);
  const height = Math.ceil(s.outHeight / phases);
  const { rows, columns } = chooseTile({
    width,
    height,
    channels,
    step,
    taps: kernelWidth / phases,
    tapStep,
    software: request.software,
  });
  const groups = Math.ceil(s.outChannels / channels);
  const stripsX = Math.ceil(width / columns);
  const stripsY = Math.ceil(height / rows);
  const invocations = groups * stripsX * stripsY * s.batch * phases * phases;
  return {
    variant: {
      kernelWidth,
      step,
      phases,
      tapStep,
      offset,
      rows,
      columns,
      channels,
      texels: request.software,
      inputVec4: request.software || s.inChannels % 4 === 0,
      outputVec4: request.software || s.outChannels % 4 === 0,
      activation: epilogue.activation,
      padded: !request.software || phases > 1 || !allInside(request),
      texelResult: request.texelResult,
      plus: request.plus,
    },
    invocations,
    uniforms: [
      invocations,
      s.inHeight,
      s.inWidth,
      s.inChannels,
      s.outHeight,
      s.outWidth,
      s.outChannels,
      s.kernelHeight,
      rowTaps.tapStep,
      rowTaps.offset,
      rowTaps.step,
      groups,
      stripsX,
      stripsY,
      s.batch,
      Math.ceil(s.inChannels / 4),
      Math.ceil(s.outChannels / 4),
      epilogue.hasBias ? 1 : 0,
      { f32: epilogue.alpha },
    ],
  };
}

// The list is short because each tile is a program of its own, which takes 1 to 3 s to compile. The tile of 3 × 9 is
// for maps of 17 and 35 pixels a side, such as a recognition network has: there it takes 30 and 11 % less time than
// 4 × 8. That of 4 × 7 is for maps of 7, 14 and 28, as ResNet-50 has them: 8 % less.
const TILES = [[1, 1], [1, 2], [1, 4], [2, 4], [4, 4], [1, 8], [2, 8], [1, 16], [3, 9], [4, 7], [4, 8], [
  8,
  4,
]] as const;

interface TileRequest {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly step: number;
  /** Taps of a kernel row that one phase uses. */
  readonly taps: number;
  readonly tapStep: number;
  readonly software: boolean;
}

// Multiply-adds that one load of four floats counts for, with the address and the registers that it takes.
const LOAD_COST = 40;
// A program of more statements takes over a second to compile.
const MAX_STATEMENTS = 1100;

/** The tile with the least estimated work: multiply-adds and loads, those of pixels beyond the border included. */
function chooseTile(
  { width, height, channels, step, taps, tapStep, software }: TileRequest,
): { rows: number; columns: number } {
  let best = { rows: 1, columns: 1 };
  let least = Infinity;
  for (const [rows, columns] of TILES) {
    const pixels = rows * columns;
    if (pixels > (software ? 32 : 8)) continue;
    if (pixels * taps * channels > MAX_STATEMENTS) continue;
    const strip = Math.min(
      columns * Math.ceil(taps),
      (columns - 1) * step + 1 + (Math.ceil(taps) - 1) * Math.abs(tapStep),
    );
    const work = pixels * taps * channels * 4 + LOAD_COST * (rows * strip + taps * channels);
    const total = Math.ceil(width / columns) * Math.ceil(height / rows) * work;
    if (total < least) {
      least = total;
      best = { rows, columns };
    }
  }
  return best;
}

/** Whether every tap of every result lies within the input. */
function allInside({ kernelWidth, step, tapStep, offset, shape: s, rows }: Request): boolean {
  const within = (first: number, { last, taps, end }: { last: number; taps: number; end: number }) =>
    Math.min(first, first + taps) >= 0 && Math.max(first, first + taps) + last < end;
  return within(offset, { last: (s.outWidth - 1) * step, taps: (kernelWidth - 1) * tapStep, end: s.inWidth }) &&
    within(rows.offset, {
      last: (s.outHeight - 1) * rows.step,
      taps: (s.kernelHeight - 1) * rows.tapStep,
      end: s.inHeight,
    });
}

function isPointwise(g: ConvGeometry): boolean {
  return g.kernelHeight === 1 && g.kernelWidth === 1 && g.strideHeight === 1 && g.strideWidth === 1 &&
    g.padTop === 0 && g.padLeft === 0 && g.inHeight === g.outHeight && g.inWidth === g.outWidth;
}

/** A 1×1 convolution is a matrix product: all pixels in one row, so that no tile is cut by an image's edge. */
function flatten(g: ConvGeometry): ConvGeometry {
  const pixels = g.batch * g.inHeight * g.inWidth;
  return { ...g, batch: 1, inHeight: 1, outHeight: 1, inWidth: pixels, outWidth: pixels };
}
