/**
 * Many small symmetric positive systems at once on the device, in f32: `solveCholesky` of linear.ts, one invocation a
 * system. A fit by turns then waits for the device once, at its end: a read-back takes 12 ms in Deno, which looks every
 * 10 ms whether it is done, so that the 12 read-backs of six turns took longer than all else.
 *
 * Cholesky's method does not mind how the unknowns are scaled, and the systems here have a prior, so f32 costs a factor
 * of some ten of its rounding, 1e-6.
 */
import type { Tensor } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";

/** Floats of a solution: n unknowns, whether there is one, and zeros up to a multiple of four. */
export function solutionLength(unknowns: number): number {
  return 4 * Math.ceil((unknowns + 1) / 4);
}

/**
 * Solves one system for each face. The systems are overwritten.
 *
 * @param systems [n, n + 1, B]: A and, in the last column, b; only the lower triangle of A is read
 * @returns [B, solutionLength(n)]: the n unknowns; 1, or 0 with unknowns of 0 where A is not positive definite; zeros
 */
export function solveSystems(tf: Tfjs, systems: Tensor): Tensor {
  const [n = 0, , batch = 0] = systems.shape;
  const length = solutionLength(n);
  return run(tf, {
    key: "solve_systems",
    code: () =>
      program({
        result: "f32",
        inputs: [],
        outputs: [["a", "f32"]],
        uniforms: ["n", "batch", "length"],
        functions: `
fn at(face : i32, row : i32, column : i32) -> i32 { return (row * (u.n + 1) + column) * u.batch + face; }`,
        body: `
  if (id >= u.batch) { return; }
  let to = id * u.length;
  var good = true;
  for (var j = 0; j < u.n; j++) {
    for (var i = j; i < u.n; i++) {
      var sum = a[at(id, i, j)];
      for (var k = 0; k < j; k++) { sum -= a[at(id, i, k)] * a[at(id, j, k)]; }
      if (i > j) {
        sum /= a[at(id, j, j)];
      } else if (sum > 0.0) {
        sum = sqrt(sum);
      } else {
        good = false;
        sum = 1.0;
      }
      a[at(id, i, j)] = sum;
    }
    // The right side goes down with the columns.
    var right = a[at(id, j, u.n)];
    for (var k = 0; k < j; k++) { right -= a[at(id, j, k)] * result[to + k]; }
    result[to + j] = right / a[at(id, j, j)];
  }
  for (var i = u.n - 1; i >= 0; i--) {
    var sum = result[to + i];
    for (var k = i + 1; k < u.n; k++) { sum -= a[at(id, k, i)] * result[to + k]; }
    result[to + i] = select(0.0, sum / a[at(id, i, i)], good);
  }
  for (var i = u.n; i < u.length; i++) { result[to + i] = select(0.0, 1.0, good && i == u.n); }`,
      }),
    inputs: [],
    outputs: [systems],
    shape: [batch, length],
    uniforms: [n, batch, length],
    invocations: batch,
  });
}
