/**
 * Normalisation and its gradients as plain loops in double precision: the definition of what normalize.ts computes.
 *
 * With x̂ = (x − mean) / √(variance + ε), z = gamma · x̂ + beta and dz = dy through the activation, over the n values
 * of a group: dx = (gamma · dz − mean(gamma · dz) − x̂ · mean(gamma · dz · x̂)) / √(variance + ε).
 */

import { type Dense, zeros } from "../dense.ts";
import type { NormalizeOptions } from "./normalize.ts";

/** leakyRelu(gamma · (x − mean) / √(variance + epsilon) + beta). Shapes as in `normalize`. */
export function normalizeCpu(x: Dense, options: NormalizeOptions<Dense>): Dense<Float64Array> {
  const { gamma, beta, slope = 1 } = options;
  const y = zeros(x.shape);
  for (const { places, mean, deviation } of groupsOf(x, options)) {
    for (const i of places) {
      const channel = i % gamma.data.length;
      const z = gamma.data[channel]! * (x.data[i]! - mean) / deviation + beta.data[channel]!;
      y.data[i] = z > 0 ? z : z * slope;
    }
  }
  return y;
}

/** The gradients of `normalizeCpu` for an upstream gradient of x's shape. */
export function normalizeGradientCpu(
  dy: Dense,
  { x, ...options }: NormalizeOptions<Dense> & { readonly x: Dense },
): { readonly x: Dense<Float64Array>; readonly gamma: Dense<Float64Array>; readonly beta: Dense<Float64Array> } {
  const { gamma, beta, slope = 1 } = options;
  const [dx, dGamma, dBeta] = [zeros(x.shape), zeros(gamma.shape), zeros(beta.shape)];
  for (const { places, mean, deviation } of groupsOf(x, options)) {
    const terms = places.map((i) => {
      const channel = i % gamma.data.length;
      const normal = (x.data[i]! - mean) / deviation;
      const dz = gamma.data[channel]! * normal + beta.data[channel]! > 0 ? dy.data[i]! : slope * dy.data[i]!;
      dGamma.data[channel]! += dz * normal;
      dBeta.data[channel]! += dz;
      return { normal, scaled: gamma.data[channel]! * dz };
    });
    const meanScaled = meanOf(terms.map(({ scaled }) => scaled));
    const meanProduct = meanOf(terms.map(({ scaled, normal }) => scaled * normal));
    for (const [k, { normal, scaled }] of terms.entries()) {
      dx.data[places[k]!] = (scaled - meanScaled - normal * meanProduct) / deviation;
    }
  }
  return { x: dx, gamma: dGamma, beta: dBeta };
}

/** The values that are normalised together: their indices, mean, and the root of their variance and epsilon. */
interface Group {
  readonly places: readonly number[];
  readonly mean: number;
  readonly deviation: number;
}

function groupsOf(x: Dense, { gamma, groups = gamma.data.length, epsilon = 1e-5 }: NormalizeOptions<Dense>): Group[] {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const together = channels / groups;
  const found: Group[] = [];
  for (let image = 0; image < batch; image++) {
    for (let group = 0; group < groups; group++) {
      const places: number[] = [];
      for (let pixel = image * height * width; pixel < (image + 1) * height * width; pixel++) {
        for (let c = group * together; c < (group + 1) * together; c++) places.push(pixel * channels + c);
      }
      const mean = meanOf(places.map((i) => x.data[i]!));
      const variance = meanOf(places.map((i) => (x.data[i]! - mean) ** 2));
      found.push({ places, mean, deviation: Math.sqrt(variance + epsilon) });
    }
  }
  return found;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
