/** The reference of fit_lights.ts, plain loops over one face. Tests and benchmarks alone use it. */
import { LIGHT_BANDS, LIGHT_FACTORS, type LightPrior } from "./light.ts";
import { lightBasis } from "./light_cpu.ts";
import { solveCholesky } from "./linear.ts";

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
