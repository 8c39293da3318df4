/** tf.sum and tf.mean over the leading axes, the trailing ones or all of them. */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Tfjs } from "../backend.ts";
import { columnSum } from "./column_sum.ts";
import { sizeOf } from "./dispatch.ts";
import { LEAST_SIZE, replaceKernel, required } from "./replace.ts";
import { rowSum } from "./row_sum.ts";

/**
 * Puts column and row sums in place of the kernels Sum and Mean. Axes in the middle go to the stock kernels, and so do
 * short rows. Which kernel adds up a row, and in which order, depends on the row's length alone, so that a row has the
 * same bits among any number of others.
 */
export function registerReductions(tf: Tfjs, { software }: { readonly software: boolean }): void {
  for (const kernel of ["Sum", "Mean"] as const) {
    replaceKernel(tf, kernel, ({ inputs, backend, attrs }): TensorInfo | undefined => {
      const x = required(inputs, "x");
      const { axis, keepDims } = attrs as unknown as { axis: number | number[]; keepDims: boolean };
      const axes = tf.util.parseAxisParam(axis, x.shape).sort((a, b) => a - b);
      if (axes.length === 0 || x.dtype !== "float32") return undefined;
      const shape = keepDims
        ? x.shape.map((size, i) => axes.includes(i) ? 1 : size)
        : x.shape.filter((_, i) => !axes.includes(i));
      const summed = sizeOf(axes.map((i) => x.shape[i] ?? 1));
      const kept = sizeOf(shape);
      const options = { shape, software, scale: kernel === "Mean" ? 1 / summed : 1 };
      if (axes[0] === x.shape.length - axes.length) {
        if (summed < LEAST_SIZE) return undefined;
        return rowSum(backend as WebGPUBackend, x, { rows: kept, columns: summed, ...options });
      }
      if (axes[axes.length - 1] === axes.length - 1 && sizeOf(x.shape) >= LEAST_SIZE) {
        return columnSum(backend as WebGPUBackend, x, { rows: summed, columns: kept, ...options });
      }
      return undefined;
    });
  }
}
