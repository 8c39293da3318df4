/**
 * The little dense linear algebra that fitting a face needs, in f64: symmetric positive systems and symmetric
 * eigenvectors. Sizes are 3 to a few hundred, so plain loops are enough. The npm package ml-matrix would do, and its
 * eigenvectors of 300×300 come ten times as fast (0.06 s). This module is kept because a fit asks for such a size only
 * once, and because another solver rounds differently: it would change the bytes of every stored mesh and texture.
 */

/**
 * Solves A·X = B for a symmetric positive definite A by Cholesky.
 *
 * @param system.matrix A, n×n row-major; only its lower triangle is read.
 * @param system.right B, n×m row-major (m = right.length / n).
 * @returns X, n×m row-major.
 * @throws RangeError if A is not positive definite.
 */
export function solveCholesky(system: { matrix: Float64Array; right: Float64Array }): Float64Array {
  const n = Math.round(Math.sqrt(system.matrix.length));
  const m = system.right.length / n;
  const lower = system.matrix.slice();
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = lower[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      if (i > j) lower[i * n + j] = sum / lower[j * n + j]!;
      else if (sum > 0) lower[j * n + j] = Math.sqrt(sum);
      else throw new RangeError(`The ${n}×${n} system is not positive definite (pivot ${j} is ${sum}); add a ridge`);
    }
  }
  const x = system.right.slice();
  for (let c = 0; c < m; c++) {
    for (let i = 0; i < n; i++) {
      let sum = x[i * m + c]!;
      for (let k = 0; k < i; k++) sum -= lower[i * n + k]! * x[k * m + c]!;
      x[i * m + c] = sum / lower[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = x[i * m + c]!;
      for (let k = i + 1; k < n; k++) sum -= lower[k * n + i]! * x[k * m + c]!;
      x[i * m + c] = sum / lower[i * n + i]!;
    }
  }
  return x;
}

/**
 * Eigenvalues and eigenvectors of a symmetric n×n matrix by cyclic Jacobi rotations, largest value first.
 *
 * @returns `values` (n) and `vectors` (n×n row-major, row k belongs to value k, unit length).
 */
export function symmetricEigen(matrix: Float64Array): { values: Float64Array; vectors: Float64Array } {
  const n = Math.round(Math.sqrt(matrix.length));
  const a = matrix.slice();
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    let diagonal = 0;
    for (let i = 0; i < n; i++) {
      diagonal += a[i * n + i]! ** 2;
      for (let j = 0; j < i; j++) off += a[i * n + j]! ** 2;
    }
    if (off <= 1e-28 * diagonal || off === 0) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate({ a, v, n, p, q });
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j]! - a[i * n + i]!);
  const values = Float64Array.from(order, (i) => a[i * n + i]!);
  const vectors = new Float64Array(n * n);
  order.forEach((i, k) => vectors.set(v.subarray(i * n, (i + 1) * n), k * n));
  return { values, vectors };
}

/** One Jacobi rotation that zeroes a[p][q]; rows of v collect the eigenvectors. */
function rotate({ a, v, n, p, q }: { a: Float64Array; v: Float64Array; n: number; p: number; q: number }): void {
  const apq = a[p * n + q]!;
  if (apq === 0) return;
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const [kp, kq] = [a[k * n + p]!, a[k * n + q]!];
    a[k * n + p] = c * kp - s * kq;
    a[k * n + q] = s * kp + c * kq;
  }
  for (let k = 0; k < n; k++) {
    const [pk, qk] = [a[p * n + k]!, a[q * n + k]!];
    a[p * n + k] = c * pk - s * qk;
    a[q * n + k] = s * pk + c * qk;
    const [vp, vq] = [v[p * n + k]!, v[q * n + k]!];
    v[p * n + k] = c * vp - s * vq;
    v[q * n + k] = s * vp + c * vq;
  }
}
