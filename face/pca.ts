/** Principal components of a few long vectors, such as meshes and albedo maps. */
import { symmetricEigen } from "./linear.ts";

/** Principal directions of a set of deviations. */
export interface Components {
  /** K unit vectors of D values, one after the other, the strongest first. */
  readonly basis: Float32Array;
  /** Standard deviation along each, K values. */
  readonly sigma: Float32Array;
}

/**
 * Principal components of few long vectors, through the eigenvectors of their (small) Gram matrix: exact, and quick
 * while the number of samples is far below the dimension.
 *
 * @param deviations N vectors of D values from which the mean has been taken.
 * @param options.count Most components to keep; directions without variance are dropped.
 * @param options.degrees What sums of squares are divided by for a variance; N − 1 by default.
 */
export function principalComponents(
  deviations: readonly Float32Array[],
  { count = Infinity, degrees = deviations.length - 1 }: { count?: number; degrees?: number } = {},
): Components {
  const n = deviations.length;
  const length = deviations[0]?.length ?? 0;
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const a = deviations[i]!;
    if (a.length !== length) throw new RangeError(`Vector ${i} has ${a.length} values, the first has ${length}`);
    for (let j = 0; j <= i; j++) {
      const b = deviations[j]!;
      let sum = 0;
      for (let k = 0; k < length; k++) sum += a[k]! * b[k]!;
      gram[i * n + j] = gram[j * n + i] = sum;
    }
  }
  const { values, vectors } = symmetricEigen(gram);
  const kept = values.filter((value) => value > 1e-9 * values[0]! && value > 0).length;
  const rank = Math.min(kept, count, Math.max(0, Math.floor(degrees)));
  const basis = new Float32Array(rank * length);
  const sigma = new Float32Array(rank);
  for (let k = 0; k < rank; k++) {
    const row = new Float64Array(length);
    for (let i = 0; i < n; i++) {
      const weight = vectors[k * n + i]! / Math.sqrt(values[k]!);
      const deviation = deviations[i]!;
      for (let d = 0; d < length; d++) row[d] = row[d]! + weight * deviation[d]!;
    }
    basis.set(row, k * length);
    sigma[k] = Math.sqrt(values[k]! / degrees);
  }
  return { basis, sigma };
}
