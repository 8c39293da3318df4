/**
 * Mesh corrections on the device, many at once: `fitCorrection` of mesh_correction.ts, each on some of the samples. All
 * sums over vertices run there; the systems, of as many unknowns as there are features, are solved in JavaScript. There
 * is one read-back a turn. Coefficients are the reference's to about 1e-5 of the largest.
 */
import type { Tensor, Tensor2D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { program, run } from "@ftim/gpu/wgsl";
import { solveCholesky } from "./linear.ts";
import {
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
import { readBack } from "@ftim/gpu/ops/read-back";

/** Corrections at once: so many have some 10 MB of coefficients with a thousand vertices. */
const AT_ONCE = 64;
/** Rows that an invocation computes the residuals of, so that coefficients are read once for all of them. */
const ROWS = 4;

/**
 * Learns a correction from each choice of the samples.
 *
 * @param choices indices of samples
 * @throws {RangeError} if a choice is empty, or meshes differ from the mean in size or are not finite
 * @throws {GpuError} if the device reports an error
 */
export async function fitCorrections(
  tf: Tfjs,
  samples: readonly MeshSample[],
  { choices, ...options }: FitOptions & { choices: readonly (readonly number[])[] },
): Promise<MeshCorrection[]> {
  if (choices.some(({ length }) => length === 0)) {
    throw new RangeError("A correction needs faces whose true mesh is known");
  }
  const { mean, mirror, ridge = FIT.ridge, limit = FIT.limit } = options;
  const rows = samples.flatMap((sample) => errorsOf(sample, { mean, mirror }));
  const bad = rows.findIndex(({ displacement }) => !displacement.every(Number.isFinite));
  if (bad >= 0) throw new RangeError(`Sample ${bad >> 1}: its meshes have a coordinate that is not finite`);
  const length = mean.length;
  const width = 4 * Math.ceil(length / 4);
  const height = ROWS * Math.ceil(rows.length / ROWS);
  const [displacements, features] = tf.tidy(() => [
    tf.tensor2d(laid(rows.map(({ displacement }) => displacement), { height, width }), [height, width]),
    tf.tensor2d(laid(rows.map(({ features }) => features), { height, width: FEATURES }), [height, FEATURES]),
  ]) as [Tensor2D, Tensor2D];
  const learned: MeshCorrection[] = [];
  try {
    for (let first = 0; first < choices.length; first += AT_ONCE) {
      const own = choices.slice(first, first + AT_ONCE).map((chosen) => chosen.flatMap((i) => [2 * i, 2 * i + 1]));
      const fitted = await fitChoices(tf, rows, { chosen: own, displacements, features, ridge, limit, length });
      learned.push(...fitted.map((coefficients) => ({ mean, coefficients })));
    }
    return learned;
  } finally {
    tf.dispose([displacements, features]);
  }
}

interface Choices {
  /** Rows of each choice. */
  readonly chosen: readonly (readonly number[])[];
  /** [N, 3·V and more] */
  readonly displacements: Tensor2D;
  /** [N, FEATURES] */
  readonly features: Tensor2D;
  readonly ridge: number;
  readonly limit: number;
  /** 3·V */
  readonly length: number;
}

/** The coefficients of each choice [FEATURES·3·V]. */
async function fitChoices(
  tf: Tfjs,
  rows: readonly MeshErrorRow[],
  { chosen, displacements, features, ridge, limit, length }: Choices,
): Promise<Float32Array[]> {
  const [height, width] = displacements.shape;
  let weights = chosen.map((own) => own.map(() => 1));
  for (let turn = 0;; turn++) {
    const coefficients = tf.tidy(() => {
      const solved = { height: chosen.length, width: FEATURES * height };
      const solutions = chosen.map((own, i) => solutionOf(rows, { own, weights: weights[i]!, ridge, height }));
      return tf.matMul(tf.tensor2d(laid(solutions, solved), [solved.height * FEATURES, height]), displacements);
    });
    if (turn === TURNS) {
      const [values] = await readBack([coefficients], "fitCorrections");
      return chosen.map((_, i) => unpadded(values!.subarray(i * FEATURES * width), { width, length }));
    }
    const squares = residualSums(tf, coefficients, { displacements, features });
    coefficients.dispose();
    const [sums] = await readBack([squares], "fitCorrections");
    weights = chosen.map((own, i) => robustWeights(own.map((n) => Math.sqrt(sums![i * height + n]! / length)), limit));
  }
}

/**
 * What the displacements are multiplied by to give the coefficients [FEATURES, N]: the normal equations, solved for
 * every row.
 */
function solutionOf(
  rows: readonly MeshErrorRow[],
  { own, weights, ridge, height }: {
    own: readonly number[];
    weights: readonly number[];
    ridge: number;
    height: number;
  },
): Float32Array {
  const matrix = new Float64Array(FEATURES * FEATURES);
  const right = new Float64Array(FEATURES * own.length);
  for (const [i, n] of own.entries()) {
    const { features } = rows[n]!;
    for (let k = 0; k < FEATURES; k++) {
      const weighted = weights[i]! * features[k]!;
      right[k * own.length + i] = weighted;
      for (let j = 0; j <= k; j++) matrix[FEATURES * k + j] = matrix[FEATURES * k + j]! + weighted * features[j]!;
    }
  }
  for (let k = 0; k < FEATURES; k++) matrix[FEATURES * k + k] = matrix[FEATURES * k + k]! + ridge;
  const solved = solveCholesky({ matrix, right });
  const solution = new Float32Array(FEATURES * height);
  for (let k = 0; k < FEATURES; k++) {
    for (const [i, n] of own.entries()) solution[k * height + n] = solved[k * own.length + i]!;
  }
  return solution;
}

/** Squared residuals of each row by each choice's coefficients [choices, N]. */
function residualSums(
  tf: Tfjs,
  coefficients: Tensor,
  { displacements, features }: Pick<Choices, "displacements" | "features">,
): Tensor {
  const [height, width] = displacements.shape;
  const choices = coefficients.shape[0]! / FEATURES;
  const [groups, quads] = [height / ROWS, FEATURES / 4];
  const each = (count: number, line: (k: number) => string) =>
    Array.from({ length: count }, (_, k) => line(k)).join("\n    ");
  return run(tf, {
    key: "correction_residuals",
    code: () =>
      program({
        result: "f32",
        inputs: [["coefficients", "vec4<f32>"], ["displacements", "vec4<f32>"], ["features", "vec4<f32>"]],
        uniforms: ["total", "groups", "width"],
        body: `
  if (id >= u.total) { return; }
  let row = ${ROWS} * (id % u.groups);
  let choice = id / u.groups;
  ${each(ROWS * quads, (i) => `let f${Math.floor(i / quads)}_${i % quads} = features[${quads} * row + ${i}];`)}
  ${each(ROWS, (r) => `var sum${r} = 0.0;`)}
  for (var i = 0; i < u.width; i++) {
    ${each(ROWS, (r) => `var rest${r} = displacements[(row + ${r}) * u.width + i];`)}
    ${
          each(FEATURES, (k) =>
            `let c${k} = coefficients[(${FEATURES} * choice + ${k}) * u.width + i]; ` +
            Array.from(
              { length: ROWS },
              (_, r) => `rest${r} -= f${r}_${k >> 2}.${"xyzw"[k & 3]} * c${k};`,
            ).join(" "))
        }
    ${each(ROWS, (r) => `sum${r} += dot(rest${r}, rest${r});`)}
  }
  ${each(ROWS, (r) => `result[choice * ${ROWS} * u.groups + row + ${r}] = sum${r};`)}`,
      }),
    inputs: [coefficients, displacements, features],
    shape: [choices, height],
    uniforms: [choices * groups, groups, width / 4],
    invocations: choices * groups,
  });
}

/** Rows of numbers, with 0 up to a height and a width. */
function laid(rows: readonly ArrayLike<number>[], { height, width }: { height: number; width: number }): Float32Array {
  const all = new Float32Array(height * width);
  for (const [i, row] of rows.entries()) all.set(row, i * width);
  return all;
}

/** The first values of each of the FEATURES rows. */
function unpadded(values: Float32Array, { width, length }: { width: number; length: number }): Float32Array {
  const out = new Float32Array(FEATURES * length);
  for (let k = 0; k < FEATURES; k++) out.set(values.subarray(k * width, k * width + length), k * length);
  return out;
}
