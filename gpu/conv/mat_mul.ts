/**
 * Matrix product: a 1×1 convolution of as many pixels as a has rows. tfjs adds up a single row in another order than
 * several, so that a row would not have the same bits alone and among others; and its kernels go through workgroup
 * memory, which is of no use on a software adapter. On GPUs what comes transposed stays with tfjs's tiled kernel.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { sizeOf } from "../kernels/dispatch.ts";
import { replaceKernel, required } from "../kernels/replace.ts";
import { pack } from "../kernels/texels.ts";
import type { Tfjs } from "../backend.ts";
import { conv2d, runGather, type Target } from "./conv2d.ts";
import { type ConvGeometry, type Epilogue, isFusable } from "./geometry.ts";
import { planForward } from "./plan.ts";

// Below this the stock kernel is as good, and small tensors on the CPU should stay there.
const LEAST_PRODUCTS = 1 << 16;
// Fewer rows count as so many, so that a single row is not left to the stock kernel where several are not.
const LEAST_ROWS = 16;

interface MatMulAttrs {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
}

/**
 * Puts our matrix product in place of BatchMatMul and _FusedMatMul where b is one matrix, and a too if it comes
 * transposed.
 */
export function registerMatMul(tf: Tfjs, { software }: { readonly software: boolean }): void {
  for (const kernel of ["BatchMatMul", "_FusedMatMul"]) {
    replaceKernel(tf, kernel, ({ inputs, backend, attrs }) => {
      const bias = inputs.bias ?? undefined;
      const options = attrs as unknown as MatMulAttrs;
      const activation = options.activation ?? "linear";
      if (!isFusable(activation)) return undefined;
      const epilogue = { activation, alpha: options.leakyreluAlpha ?? 0.2, hasBias: bias !== undefined };
      const [a, b] = [required(inputs, "a"), required(inputs, "b")];
      return matMul({ backend: backend as WebGPUBackend, software }, { a, b, bias, ...options, epilogue });
    });
  }
}

/** Operands of a matrix product. */
export interface MatMulOperands<Tensor = TensorInfo> extends Pick<MatMulAttrs, "transposeA" | "transposeB"> {
  /** [.., rows, inner], or [.., inner, rows] if it comes transposed. */
  readonly a: Tensor;
  /** [1.., inner, columns], or [1.., columns, inner] if it comes transposed. */
  readonly b: Tensor;
  /** [columns] */
  readonly bias: Tensor | undefined;
  readonly epilogue: Epilogue;
}

function matMul(
  { backend, software }: Target,
  { a, b, bias, transposeA, transposeB, epilogue }: MatMulOperands,
): TensorInfo | undefined {
  const [rowsA = 1, columnsA = 1] = a.shape.slice(-2);
  const [rowsB = 1, columnsB = 1] = b.shape.slice(-2);
  const batch = sizeOf(a.shape.slice(0, -2));
  const inner = transposeA ? rowsA : columnsA;
  const rows = batch * (transposeA ? columnsA : rowsA);
  const columns = transposeB ? rowsB : columnsB;
  const suits = a.dtype === "float32" && b.dtype === "float32" && sizeOf(b.shape.slice(0, -2)) === 1 &&
    b.shape.length <= a.shape.length && (batch === 1 || !transposeA) &&
    Math.max(rows, LEAST_ROWS) * inner * columns >= LEAST_PRODUCTS &&
    (bias === undefined || sizeOf(bias.shape) === columns);
  if (!suits) return undefined;
  const geometry = pointwise({ rows, inner, columns });
  const shape = [...a.shape.slice(0, -2), transposeA ? columnsA : rowsA, columns];
  if (!software) {
    if (transposeA || transposeB) return undefined;
    return { ...conv2d({ backend, software }, geometry, { x: a, filter: b, bias, epilogue }), shape };
  }
  const x = pack(backend, a, {
    outer: rows,
    outerStride: transposeA ? 1 : inner,
    inner: 1,
    innerPadded: 1,
    innerStride: 0,
    channels: inner,
    channelStride: transposeA ? columnsA : 1,
    slot: "x",
  });
  const filter = pack(backend, b, {
    outer: 1,
    outerStride: inner * columns,
    inner,
    innerPadded: 4 * Math.ceil(inner / 4),
    innerStride: transposeB ? 1 : columns,
    channels: columns,
    channelStride: transposeB ? inner : 1,
    slot: "filter",
    keep: "again",
  });
  const plan = planForward(geometry, { software, epilogue });
  return runGather({ backend, software }, plan, { x, filter, bias: bias ?? b, shape });
}

/** A 1×1 convolution of one row of pixels. */
function pointwise({ rows, inner, columns }: { rows: number; inner: number; columns: number }): ConvGeometry {
  return {
    batch: 1,
    inHeight: 1,
    inWidth: rows,
    inChannels: inner,
    outHeight: 1,
    outWidth: rows,
    outChannels: columns,
    kernelHeight: 1,
    kernelWidth: 1,
    strideHeight: 1,
    strideWidth: 1,
    dilationHeight: 1,
    dilationWidth: 1,
    padTop: 0,
    padLeft: 0,
  };
}
