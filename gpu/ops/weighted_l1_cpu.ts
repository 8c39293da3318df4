/**
 * Weighted absolute differences and their gradients as plain loops in double precision: the definition of what
 * weighted_l1.ts computes.
 */

import { type Dense, zeros } from "../dense.ts";
import type { MeanDeviationOptions, WeightedL1Options } from "./weighted_l1.ts";

// Keeps a loss without any weight finite.
const EPSILON = 1e-6;

/** A loss with its gradient in `a`. */
export interface LossCpu {
  readonly value: number;
  readonly gradient: Dense<Float64Array>;
}

/** Σ weight · |a − b| / (channels · Σ weight + 1e-6), over pixels and channels. Where a equals b the gradient is 0. */
export function weightedL1Cpu(a: Dense, { b, weight }: WeightedL1Options<Dense>): LossCpu {
  const channels = a.shape.at(-1)!;
  const weightAt = (i: number) => weight.data[Math.floor(i / channels) % weight.data.length]!;
  let [error, total] = [0, EPSILON];
  for (let i = 0; i < a.data.length; i++) {
    error += weightAt(i) * Math.abs(a.data[i]! - b.data[i]!);
    total += weightAt(i);
  }
  const data = Float64Array.from(a.data, (value, i) => weightAt(i) * Math.sign(value - b.data[i]!) / total);
  return { value: error / total, gradient: { shape: a.shape, data } };
}

/**
 * Σ weight · |a − mean over the batch| / (batch · channels · Σ weight + 1e-6), for a [batch, height, width, channels].
 */
export function meanDeviationCpu(a: Dense, { weight }: MeanDeviationOptions<Dense>): LossCpu {
  const [batch, , , channels] = a.shape as [number, number, number, number];
  const size = a.data.length / batch;
  const total = batch * channels * Array.from(weight.data).reduce((sum, value) => sum + value, 0) + EPSILON;
  const gradient = zeros(a.shape);
  let value = 0;
  for (let i = 0; i < size; i++) {
    const values = Array.from({ length: batch }, (_, n) => a.data[n * size + i]!);
    const mean = values.reduce((sum, v) => sum + v, 0) / batch;
    const signs = values.map((v) => Math.sign(v - mean));
    const share = weight.data[Math.floor(i / channels)]! / total;
    const pull = signs.reduce((sum, sign) => sum + sign, 0) / batch;
    for (const [n, v] of values.entries()) {
      value += share * Math.abs(v - mean);
      gradient.data[n * size + i] = share * (signs[n]! - pull);
    }
  }
  return { value, gradient };
}
