/** The reference of fit_corrections.ts: one correction from all samples, in f64. Tests alone use it. */
import { solveCholesky } from "./linear.ts";
import {
  displacementAt,
  errorsOf,
  FEATURES,
  FIT,
  type FitOptions,
  type MeshCorrection,
  type MeshErrorRow,
  type MeshSample,
  robustWeights,
  TURNS,
} from "./mesh_correction.ts";

/**
 * Learns a correction by ridge least squares. A sample whose residual exceeds `limit` medians weighs (limit · median /
 * residual)²: the network has lost that face, and there is no usual error to learn from it.
 *
 * @throws {RangeError} if there is no sample, or its meshes differ from the mean in size
 */
export function fitCorrection(
  samples: readonly MeshSample[],
  { mean, mirror, ridge = FIT.ridge, limit = FIT.limit }: FitOptions,
): MeshCorrection {
  if (samples.length === 0) throw new RangeError("A correction needs faces whose true mesh is known");
  const rows = samples.flatMap((sample) => errorsOf(sample, { mean, mirror }));
  let coefficients = solveRidge(rows, { ridge, weights: rows.map(() => 1) });
  for (let turn = 0; turn < TURNS; turn++) {
    const residuals = rows.map(({ features, displacement }) => {
      const predicted = displacementAt(coefficients, features);
      return Math.sqrt(predicted.reduce((sum, value, i) => sum + (value - displacement[i]!) ** 2, 0) / mean.length);
    });
    coefficients = solveRidge(rows, { ridge, weights: robustWeights(residuals, limit) });
  }
  return { mean, coefficients };
}

function solveRidge(
  rows: readonly MeshErrorRow[],
  { ridge, weights }: { ridge: number; weights: readonly number[] },
): Float32Array {
  const length = rows[0]!.displacement.length;
  const matrix = new Float64Array(FEATURES * FEATURES);
  const right = new Float64Array(FEATURES * length);
  for (const [n, { features, displacement }] of rows.entries()) {
    for (let k = 0; k < FEATURES; k++) {
      const weight = weights[n]! * features[k]!;
      for (let j = 0; j <= k; j++) matrix[FEATURES * k + j] = matrix[FEATURES * k + j]! + weight * features[j]!;
      for (let i = 0; i < length; i++) right[k * length + i] = right[k * length + i]! + weight * displacement[i]!;
    }
  }
  for (let k = 0; k < FEATURES; k++) matrix[FEATURES * k + k] = matrix[FEATURES * k + k]! + ridge;
  return Float32Array.from(solveCholesky({ matrix, right }));
}
