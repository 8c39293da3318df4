/**
 * Light on a face as nine spherical-harmonic bands per colour: image = albedo · shading. Order and constants are DECA's
 * (Feng et al. 2021, `decalib/utils/renderer.py`), so that its light codes can be used as they are. Normals are in view
 * space: x right, y up, z to the viewer.
 */
import { solveCholesky } from "./linear.ts";

/** Bands of the basis. */
export const LIGHT_BANDS = 9;

/** What each band's polynomial is multiplied by. */
// deno-fmt-ignore
export const LIGHT_FACTORS = [
  0.2820948, 1.0233267, 1.0233267, 1.0233267, 0.8580855, 0.8580855, 0.8580855, 0.4290428, 0.2477080,
] as const;

/** Writes the nine basis values of the unit normal (x, y, z) to `out`. */
export function lightBasis(normal: { x: number; y: number; z: number }, out: Float64Array): void {
  const { x, y, z } = normal;
  out[0] = LIGHT_FACTORS[0];
  out[1] = LIGHT_FACTORS[1] * x;
  out[2] = LIGHT_FACTORS[2] * y;
  out[3] = LIGHT_FACTORS[3] * z;
  out[4] = LIGHT_FACTORS[4] * x * y;
  out[5] = LIGHT_FACTORS[5] * x * z;
  out[6] = LIGHT_FACTORS[6] * y * z;
  out[7] = LIGHT_FACTORS[7] * (x * x - y * y);
  out[8] = LIGHT_FACTORS[8] * (3 * z * z - 1);
}

/**
 * Shading of each normal.
 *
 * @param normals N unit vectors, xyz triples.
 * @param light 27 values, band-major, RGB last.
 * @returns N RGB triples; not clamped: a strong light from behind can give values below 0.
 */
export function shade(normals: Float32Array, light: Float32Array): Float32Array {
  const out = new Float32Array(normals.length);
  const basis = new Float64Array(LIGHT_BANDS);
  for (let i = 0; i < normals.length; i += 3) {
    lightBasis({ x: normals[i]!, y: normals[i + 1]!, z: normals[i + 2]! }, basis);
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (let k = 0; k < LIGHT_BANDS; k++) sum += light[3 * k + c]! * basis[k]!;
      out[i + c] = sum;
    }
  }
  return out;
}

/** The Gaussian prior of {@linkcode fitLight}. Pulls are in units of the mean squared sample. */
export interface LightPrior {
  /**
   * Pull of the first order toward 0 (and, a thousand times weaker, of the ambient band toward shading 1). Default
   * 0.01, which keeps half-seen faces from inventing light behind them.
   */
  readonly ridge?: number;
  /**
   * How many times as much the second order is pulled. Default 16: skin passes on little of it (Ramamoorthi & Hanrahan
   * 2001, "On the relationship between radiance and irradiance"), and half a face cannot tell it from the first. A face
   * that is seen whole can: 1.
   */
  readonly secondOrder?: number;
  /**
   * How many times as much the channels' directional bands are pulled to their common mean: lamps differ in place and
   * strength, and little in colour. Default 10.
   */
  readonly tint?: number;
}

/**
 * The light under which `albedo` looks most like `colours`: weighted least squares with a Gaussian prior.
 *
 * @param samples.albedo N RGB triples, 0..1.
 * @param samples.normals N unit vectors.
 * @param samples.colours N RGB triples as seen.
 * @param samples.weights N weights ≥ 0; all 1 by default.
 * @returns 27 values, band-major, RGB last.
 * @throws RangeError if no sample has weight.
 */
export function fitLight(
  samples: { albedo: Float32Array; normals: Float32Array; colours: Float32Array; weights?: Float32Array },
  { ridge = 0.01, secondOrder = 16, tint = 10 }: LightPrior = {},
): Float32Array {
  const { albedo, normals, colours, weights } = samples;
  const n = LIGHT_BANDS;
  const matrices = [new Float64Array(n * n), new Float64Array(n * n), new Float64Array(n * n)];
  const rights = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  const energy = new Float64Array(3);
  const basis = new Float64Array(n);
  for (let i = 0; i < normals.length; i += 3) {
    const weight = weights?.[i / 3] ?? 1;
    if (!(weight > 0)) continue;
    lightBasis({ x: normals[i]!, y: normals[i + 1]!, z: normals[i + 2]! }, basis);
    for (let c = 0; c < 3; c++) {
      const a = albedo[i + c]!;
      const waa = weight * a * a;
      const way = weight * a * colours[i + c]!;
      energy[c] = energy[c]! + waa;
      const [matrix, right] = [matrices[c]!, rights[c]!];
      for (let j = 0; j < n; j++) {
        right[j] = right[j]! + way * basis[j]!;
        for (let k = 0; k <= j; k++) matrix[j * n + k] = matrix[j * n + k]! + waa * basis[j]! * basis[k]!;
      }
    }
  }
  if (energy.some((value) => !(value > 0))) {
    throw new RangeError("No light can be fitted: no sample has both weight and albedo");
  }
  return solveWithPrior({ matrices, rights, energy }, { ridge: Math.max(ridge, 1e-9), secondOrder, tint });
}

/** The channels' normal equations as one system, band-major, because the prior ties the channels to each other. */
function solveWithPrior(
  { matrices, rights, energy }: {
    matrices: readonly Float64Array[];
    rights: readonly Float64Array[];
    energy: Float64Array;
  },
  { ridge, secondOrder, tint }: Required<LightPrior>,
): Float32Array {
  const n = LIGHT_BANDS;
  const matrix = new Float64Array(9 * n * n);
  const right = new Float64Array(3 * n);
  const at = (band: number, c: number, other: number, d: number) => (3 * band + c) * 3 * n + 3 * other + d;
  const mean = (energy[0]! + energy[1]! + energy[2]!) / 3;
  for (let band = 0; band < n; band++) {
    for (let c = 0; c < 3; c++) {
      for (let other = 0; other <= band; other++) matrix[at(band, c, other, c)] = matrices[c]![band * n + other]!;
      const strength = band === 0 ? 1e-3 : band < 4 ? 1 : secondOrder;
      const own = at(band, c, band, c);
      matrix[own] = matrix[own]! + ridge * strength * energy[c]!;
      right[3 * band + c] = rights[c]![band]! + (band === 0 ? ridge * strength * energy[c]! / LIGHT_FACTORS[0] : 0);
      if (band === 0) continue;
      for (let d = 0; d <= c; d++) {
        const pair = at(band, c, band, d);
        matrix[pair] = matrix[pair]! + tint * ridge * mean * ((c === d ? 1 : 0) - 1 / 3);
      }
    }
  }
  return Float32Array.from(solveCholesky({ matrix, right }));
}
