/**
 * The inner part of the ID-MRF loss: how well each target feature is found again among the generated ones. The N×N
 * matrix of cosines is made by the convolution kernel and consumed by three kernels of our own. A matrix that is too
 * large is made some rows at a time, and made again for the gradient, so that memory is that of one block. Every sum
 * and maximum runs in one thread in a fixed order, so a value is the same bits each time.
 *
 * With c[p,s] the cosine of generated feature p and target feature s:
 * d = max(0, (1 − c)/2), z = −d / (h·(min over s of d + ε)), log q[p,s] = z − log Σ_s exp z, and the result is max over
 * p of log q[p,s].
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { convolve } from "@ftim/gpu/ops/convolve";
import { differentiable, program, run } from "@ftim/gpu/wgsl";
import { EPSILON, NONE, STRETCH } from "./best_matches_constants.ts";

/** What `bestMatches` compares. */
export interface BestMatchesOptions {
  /**
   * Features to be found [N,C], each of length 1. No gradient reaches them. N is a multiple of four, for kernels read
   * four at once.
   */
  readonly target: tfjs.Tensor2D;
  /** [N], 1 where a position takes part (as target and as match), 0 where it does not. */
  readonly inside: tfjs.Tensor1D;
  /** Rows of the matrix held at once; by default as many as fit into 8 MiB. */
  readonly rows?: number;
}

const BLOCK_VALUES = 2 ** 21;

/**
 * For each target feature the logarithm of its greatest similarity to a generated one, normalised over the targets.
 * Differentiable in
 * `generated`, by hand: where distances tie, the first one counts.
 *
 * @param generated [N,C], each of length 1
 * @returns [N], at most 0; −1e30 outside
 */
export function bestMatches(tf: Tfjs, generated: tfjs.Tensor2D, options: BestMatchesOptions): tfjs.Tensor1D {
  const [count, channels] = generated.shape;
  const { target, inside } = options;
  const perBlock = Math.max(1, options.rows ?? Math.floor(BLOCK_VALUES / count));
  const blocks = Array.from({ length: Math.ceil(count / perBlock) }, (_, i) => {
    const first = i * perBlock;
    return { first, rows: Math.min(perBlock, count - first) };
  });
  const cosines = (x: tfjs.Tensor2D, target: tfjs.Tensor2D, { first, rows }: Block) => {
    const block = tf.reshape(tf.slice(x, [first, 0], [rows, channels]), [1, 1, rows, channels]) as tfjs.Tensor4D;
    const filter = tf.reshape(tf.transpose(target), [1, 1, channels, count]) as tfjs.Tensor4D;
    return convolve(tf, block, { filter });
  };
  return differentiable(tf, {
    inputs: [generated],
    forward: (save) => {
      let matches: tfjs.Tensor = tf.fill([2 * count], NONE);
      const statistics: tfjs.Tensor[] = [];
      let whole: tfjs.Tensor[] = [];
      for (const block of blocks) {
        const [maxima, ofRows, ...kept] = tf.tidy(() => {
          const matrix = cosines(generated, target, block);
          const ofRows = rowStatistics(tf, { ...block, matrix, inside });
          const maxima = columnMaxima(tf, { ...block, matrix, inside, statistics: ofRows, matches });
          return [maxima, ofRows, ...(blocks.length === 1 ? [matrix] : [])];
        });
        [matches, whole] = [maxima!, kept];
        statistics.push(ofRows!);
      }
      save([generated, target, inside, matches, tf.concat(statistics), ...whole]);
      return tf.slice(matches, [0], [count]);
    },
    gradient: (dy, saved) => {
      const [x, target] = saved as tfjs.Tensor2D[] as [tfjs.Tensor2D, tfjs.Tensor2D];
      const [inside, matches, statistics, whole] = saved.slice(2) as [
        tfjs.Tensor,
        tfjs.Tensor,
        tfjs.Tensor,
        tfjs.Tensor?,
      ];
      const filter = tf.reshape(target, [1, 1, count, channels]) as tfjs.Tensor4D;
      const parts = blocks.map((block) =>
        tf.tidy(() => {
          const matrix = whole ?? cosines(x, target, block);
          const gradient = matrixGradient(tf, { ...block, matrix, inside, matches, statistics, upstream: dy });
          const flat = tf.reshape(gradient, [1, 1, block.rows, count]) as tfjs.Tensor4D;
          return tf.reshape(convolve(tf, flat, { filter }), [block.rows, channels]);
        })
      );
      return [parts.length === 1 ? parts[0]! : tf.concat(parts)];
    },
  }) as tfjs.Tensor1D;
}

interface Block {
  /** First generated feature of the block. */
  first: number;
  rows: number;
}

interface Pass extends Block {
  /** Cosines of the block. */
  matrix: tfjs.Tensor;
  inside: tfjs.Tensor;
}

const FUNCTIONS = `
fn distance4(c : vec4<f32>) -> vec4<f32> { return max(vec4<f32>(), 0.5 - 0.5 * c); }
fn total(v : vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }
`;

/**
 * [rows,4]: least distance m, 1/(h·(m + ε)), log Σ exp((m − d)/(h·(m + ε))), index of the least; the last is −1
 * outside.
 */
function rowStatistics(tf: Tfjs, { matrix, inside, first, rows }: Pass): tfjs.Tensor {
  return run(tf, {
    key: "id_mrf_rows",
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["cosines", "vec4<f32>"], ["inside", "vec4<f32>"]],
        uniforms: ["rows", "quads", "first"],
        functions: FUNCTIONS,
        body: `
  if (id >= u.rows) { return; }
  let row = u.first + id;
  result[id] = vec4<f32>(0.0, 0.0, 0.0, -1.0);
  if (inside[row / 4][row % 4] == 0.0) { return; }
  let at = id * u.quads;
  var least = vec4<f32>(1e30);
  var index = vec4<i32>(-1);
  for (var q = 0; q < u.quads; q++) {
    let d = select(vec4<f32>(1e30), distance4(cosines[at + q]), inside[q] > vec4<f32>());
    let closer = d < least;
    least = select(least, d, closer);
    index = select(index, vec4<i32>(q), closer);
  }
  var m = least.x;
  var argmin = 4 * index.x;
  for (var k = 1; k < 4; k++) {
    let other = 4 * index[k] + k;
    if (least[k] < m || (least[k] == m && other < argmin)) { m = least[k]; argmin = other; }
  }
  let rate = 1.0 / (${STRETCH} * (m + ${EPSILON}));
  var sum = vec4<f32>();
  for (var q = 0; q < u.quads; q++) {
    sum += inside[q] * exp((m - distance4(cosines[at + q])) * rate * inside[q]);
  }
  result[id] = vec4<f32>(m, rate, log(total(sum)), f32(argmin));`,
      }),
    inputs: [matrix, inside],
    shape: [rows, 4],
    uniforms: [rows, inside.size / 4, first],
    invocations: rows,
  });
}

/** [2·N]: for each target the greatest log similarity so far, then which generated feature has it. */
function columnMaxima(
  tf: Tfjs,
  { matrix, inside, first, rows, statistics, matches }: Pass & { statistics: tfjs.Tensor; matches: tfjs.Tensor },
): tfjs.Tensor {
  const quads = inside.size / 4;
  return run(tf, {
    key: "id_mrf_columns",
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["cosines", "vec4<f32>"], ["inside", "vec4<f32>"], ["rows", "vec4<f32>"], ["known", "vec4<f32>"]],
        uniforms: ["count", "quads", "first"],
        functions: FUNCTIONS,
        body: `
  if (id >= u.quads) { return; }
  var best = known[id];
  var found = known[u.quads + id];
  let counts = inside[id] > vec4<f32>();
  for (var p = 0; p < u.count; p++) {
    let row = rows[p];
    if (row.w < 0.0) { continue; }
    let similarity = (row.x - distance4(cosines[p * u.quads + id])) * row.y - row.z;
    let better = counts & (similarity > best);
    best = select(best, similarity, better);
    found = select(found, vec4<f32>(f32(u.first + p)), better);
  }
  result[id] = best;
  result[u.quads + id] = found;`,
      }),
    inputs: [matrix, inside, statistics, matches],
    shape: [2 * inside.size],
    uniforms: [rows, quads, first],
    invocations: quads,
  });
}

/** Gradient with respect to a block of cosines. */
function matrixGradient(
  tf: Tfjs,
  { matrix, inside, first, rows, statistics, matches, upstream }:
    & Pass
    & Record<"statistics" | "matches" | "upstream", tfjs.Tensor>,
): tfjs.Tensor {
  return run(tf, {
    key: "id_mrf_gradient",
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [
          ...["cosines", "inside", "rows", "known", "upstream"].map((name) => [name, "vec4<f32>"] as const),
        ],
        uniforms: ["count", "quads", "first"],
        functions: FUNCTIONS,
        body: `
  if (id >= u.count) { return; }
  let at = id * u.quads;
  let row = rows[u.first + id];
  let own = vec4<f32>(f32(u.first + id));
  // What arrives at this row: through the targets that it matches best.
  var sums = vec4<f32>();
  var products = vec4<f32>();
  var matched = vec4<bool>(false);
  for (var q = 0; q < u.quads; q++) {
    let hit = known[u.quads + q] == own;
    if (!any(hit)) { continue; }
    matched = matched | hit;
    let dy = select(vec4<f32>(), upstream[q], hit);
    sums += dy;
    products += dy * distance4(cosines[at + q]);
  }
  if (!any(matched)) {
    for (var q = 0; q < u.quads; q++) { result[at + q] = vec4<f32>(); }
    return;
  }
  let sum = total(sums);
  var mean = vec4<f32>();
  for (var q = 0; q < u.quads; q++) {
    let c = cosines[at + q];
    let d = distance4(c);
    let share = inside[q] * exp(((row.x - d) * row.y - row.z) * inside[q]);
    mean += share * d;
    let dz = select(vec4<f32>(), upstream[q], known[u.quads + q] == own) - share * sum;
    result[at + q] = select(vec4<f32>(), 0.5 * row.y * dz, c < vec4<f32>(1.0));
  }
  // The least distance, by which all of the row are divided.
  let least = i32(row.w);
  if (cosines[at + least / 4][least % 4] < 1.0) {
    let through = 0.5 * ${STRETCH} * row.y * row.y * (total(products) - sum * total(mean));
    result[at + least / 4][least % 4] -= through;
  }`,
      }),
    inputs: [matrix, inside, statistics, matches, upstream],
    shape: matrix.shape,
    uniforms: [rows, inside.size / 4, first],
    invocations: rows,
  });
}
