/** Arrays for the tests of the kernels: seeded random ones, and how far two of them are apart. */

import type { Dense } from "../../gpu/dense.ts";

/** Single floats, as they go to the device. */
export interface Values extends Dense<Float32Array> {
  readonly shape: number[];
}

/** A seeded random array, uniform in −0.5..0.5 (mulberry32). */
export function random(shape: number[], seed = 1): Values {
  let state = seed;
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (state + 0x6D2B79F5) | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296 - 0.5;
  });
  return { shape, data };
}

/** The largest |a − b| over the largest |b|. */
export function relativeError(a: Float32Array, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  let scale = 1e-12;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? NaN) - (b[i] ?? NaN));
    if (!(difference <= worst)) worst = difference;
    scale = Math.max(scale, Math.abs(b[i] ?? 0));
  }
  return worst / scale;
}

/** Σ a·b in float64. */
export function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? NaN) * (b[i] ?? NaN);
  return sum;
}
