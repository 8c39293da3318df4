/**
 * Many small symmetric positive systems at once on the device, in f32: `solveCholesky` of linear.ts, one invocation a
 * system. A fit by turns then waits for the device once, at its end: a read-back takes 12 ms in Deno, which looks every
 * 10 ms whether it is done, so that the 12 read-backs of six turns would take longer than all else.
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

/** llvmpipe ends an invocation's loops, without a word, after 65,535 passes in all of them together. */
const MOST_PASSES = 30_000;
/** With so many the last dispatch stays below that. */
const MOST_UNKNOWNS = 256;
/** Products that one pass of an inner loop adds. */
const STEP = 8;

/**
 * Solves one system for each face. The systems are overwritten.
 *
 * @param systems [n, n + 1, B]: A and, in the last column, b; only the lower triangle of A is read
 * @returns [B, solutionLength(n)]: the n unknowns; 1, or 0 with unknowns of 0 where A is not positive definite; zeros
 * @throws {RangeError} if n is more than 256
 */
export function solveSystems(tf: Tfjs, systems: Tensor): Tensor {
  const [n = 0, , batch = 0] = systems.shape;
  if (n > MOST_UNKNOWNS) throw new RangeError(`A system has ${n} unknowns; at most ${MOST_UNKNOWNS} are solved here`);
  const length = solutionLength(n);
  const columns = (first: number, end: number) =>
    run(tf, {
      key: "solve_systems",
      code,
      inputs: [],
      outputs: [systems],
      shape: [batch, length],
      uniforms: [n, batch, length, first, end],
      invocations: batch,
    });
  let first = 0;
  let passes = 0;
  for (let j = 0; j < n; j++) {
    const more = (n + 1 - j) * (1 + j / STEP + STEP);
    if (passes + more > MOST_PASSES) {
      columns(first, j).dispose();
      first = j;
      passes = 0;
    }
    passes += more;
  }
  return columns(first, n);
}

/** Columns of the factor from `first` to `end`, and after the last one the solution. */
function code(): string {
  const products = Array.from({ length: STEP }, (_, k) => `a[at(face, i, k + ${k})] * a[at(face, j, k + ${k})]`);
  return program({
    result: "f32",
    inputs: [],
    outputs: [["a", "f32"]],
    uniforms: ["n", "batch", "length", "first", "end"],
    functions: `
fn at(face : i32, row : i32, column : i32) -> i32 { return (row * (u.n + 1) + column) * u.batch + face; }
/** What rows i and j have in common in the columns before the given one. */
fn inner(face : i32, i : i32, j : i32, before : i32) -> f32 {
  var sum = 0.0;
  var k = 0;
  for (; k + ${STEP} <= before; k += ${STEP}) { sum += ${products.join(" + ")}; }
  for (; k < before; k++) { sum += a[at(face, i, k)] * a[at(face, j, k)]; }
  return sum;
}`,
    body: `
  if (id >= u.batch) { return; }
  for (var j = u.first; j < u.end; j++) {
    // A negative pivot is kept as −1: a sign that there is no solution.
    let own = a[at(id, j, j)] - inner(id, j, j, j);
    let pivot = select(-1.0, sqrt(max(own, 0.0)), own > 0.0);
    a[at(id, j, j)] = pivot;
    for (var i = j + 1; i < u.n; i++) {
      a[at(id, i, j)] = (a[at(id, i, j)] - inner(id, i, j, j)) / pivot;
    }
    // The right side goes down with the columns.
    var right = a[at(id, j, u.n)];
    for (var k = 0; k < j; k++) { right -= a[at(id, j, k)] * a[at(id, k, u.n)]; }
    a[at(id, j, u.n)] = right / pivot;
  }
  if (u.end < u.n) { return; }
  let to = id * u.length;
  var good = true;
  for (var i = u.n - 1; i >= 0; i--) {
    let pivot = a[at(id, i, i)];
    good = good && pivot > 0.0;
    // Backwards, a known unknown is taken out of all rows above it.
    let value = a[at(id, i, u.n)] / pivot;
    result[to + i] = value;
    for (var k = 0; k < i; k++) { a[at(id, k, u.n)] -= a[at(id, i, k)] * value; }
  }
  for (var i = 0; i < u.length; i++) {
    if (i >= u.n || !good) { result[to + i] = select(0.0, 1.0, good && i == u.n); }
  }`,
  });
}
