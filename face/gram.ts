/**
 * Principal components of long vectors with the heavy sums on the device: the Gram matrix, and the components out of
 * its eigenvectors, which stay in JavaScript. `principalComponents` of pca.ts is the reference.
 *
 * A Gram matrix of two hundred thousand columns needs more than f32 has. So a lane adds 64 products at a time and then
 * those sums; the lanes, a few hundred, are added in f64 after the read-back. That is right to about 1e-7 of the
 * largest element. A variance below 1e-6 of the largest is therefore noise and dropped, where the reference goes down
 * to 1e-9.
 */
import type { Tensor, Tensor2D } from "@tensorflow/tfjs";
import { type Tfjs, webgpuBackend } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";
import { symmetricEigen } from "./linear.ts";
import type { Components } from "./pca.ts";
import { readBack } from "./read_back.ts";

/** Elements of four columns that a lane adds before it adds the sum to others. */
const RUN = 16;
/** Such sums of a lane. */
const RUNS = 32;
/** Bytes of vectors that are on the device at once. */
const BLOCK_BYTES = 1 << 26;
/** Share of the largest variance below which there is only rounding. */
const LEAST_VARIANCE = 1e-6;

/**
 * Inner products of all pairs of vectors.
 *
 * @param vectors N of D values
 * @returns N×N, symmetric, in f64; row-major
 * @throws {RangeError} if vectors differ in length, or a product is not finite, and the message says of which vector
 * @throws {GpuError} if the device reports an error
 */
export async function gramMatrix(tf: Tfjs, vectors: readonly Float32Array[]): Promise<Float64Array> {
  const n = vectors.length;
  const length = checked(vectors);
  const gram = new Float64Array(n * n);
  const height = Math.ceil(n / 4);
  const partials = blocksOf(tf, { rows: 4 * height, length }).map(([first, end]) =>
    tf.tidy(() => products(tf, upload(tf, vectors, { first, end }), height))
  );
  for (const values of await readBack(partials, "gramMatrix")) {
    const lanes = values.length / (tilesOf(height) * 16);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const tile = (i >> 2) * ((i >> 2) + 1) / 2 + (j >> 2);
        const at = (tile * 16 + 4 * (i & 3) + (j & 3)) * lanes;
        let sum = gram[i * n + j]!;
        for (let lane = 0; lane < lanes; lane++) sum += values[at + lane]!;
        gram[i * n + j] = gram[j * n + i] = sum;
      }
    }
  }
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(gram[i * n + i])) throw new RangeError(`Vector ${i} has a value that is not finite`);
  }
  return gram;
}

/**
 * Principal components of few long vectors, see `principalComponents`.
 *
 * @param deviations N vectors of D values from which the mean has been taken.
 * @param options.count Most components to keep; directions without variance are dropped.
 * @param options.degrees What sums of squares are divided by for a variance; N − 1 by default.
 * @throws {RangeError} if vectors differ in length, or one is not finite
 * @throws {GpuError} if the device reports an error
 */
export async function principalComponentsOnDevice(
  tf: Tfjs,
  deviations: readonly Float32Array[],
  { count = Infinity, degrees = deviations.length - 1 }: { count?: number; degrees?: number } = {},
): Promise<Components> {
  const n = deviations.length;
  const length = checked(deviations);
  const { values, vectors } = symmetricEigen(await gramMatrix(tf, deviations));
  const kept = values.filter((value) => value > LEAST_VARIANCE * values[0]! && value > 0).length;
  const rank = Math.min(kept, count, Math.max(0, Math.floor(degrees)));
  const sigma = Float32Array.from({ length: rank }, (_, k) => Math.sqrt(values[k]! / degrees));
  const basis = new Float32Array(rank * length);
  if (rank === 0) return { basis, sigma };
  const height = Math.ceil(rank / 4);
  const weights = new Float32Array(4 * height * n);
  for (let k = 0; k < rank; k++) {
    for (let i = 0; i < n; i++) {
      weights[4 * (height * i + (k >> 2)) + (k & 3)] = vectors[k * n + i]! / Math.sqrt(values[k]!);
    }
  }
  const blocks = blocksOf(tf, { rows: Math.max(4 * Math.ceil(n / 4), 4 * height), length });
  const parts = blocks.map(([first, end]) =>
    tf.tidy(() => {
      const block = upload(tf, deviations, { first, end });
      return combine(tf, block, { weights: tf.tensor1d(weights), rows: n, height });
    })
  );
  for (const [b, values] of (await readBack(parts, "principalComponentsOnDevice")).entries()) {
    const [first, end] = blocks[b]!;
    const width = 4 * Math.ceil((end - first) / 4);
    for (let k = 0; k < rank; k++) basis.set(values.subarray(k * width, k * width + end - first), k * length + first);
  }
  return { basis, sigma };
}

/** The common length of vectors. */
function checked(vectors: readonly Float32Array[]): number {
  const length = vectors[0]?.length ?? 0;
  for (const [i, vector] of vectors.entries()) {
    if (vector.length !== length) {
      throw new RangeError(`Vector ${i} has ${vector.length} values, the first has ${length}`);
    }
  }
  return length;
}

/**
 * Ranges of columns that the device takes at once. Their number depends on how many vectors there are; where sums are
 * cut does not, because each is a multiple of what a lane adds.
 */
function blocksOf(tf: Tfjs, { rows, length }: { rows: number; length: number }): [number, number][] {
  const bytes = Math.min(BLOCK_BYTES, webgpuBackend(tf).device.limits.maxStorageBufferBindingSize);
  const lane = 4 * RUN * RUNS;
  const width = lane * Math.max(1, Math.floor(bytes / (4 * rows * lane)));
  return Array.from(
    { length: rows === 0 ? 0 : Math.ceil(length / width) },
    (_, b) => [b * width, Math.min(length, (b + 1) * width)],
  );
}

/** Some columns of the vectors, with rows of 0 up to a multiple of four, and columns too. */
function upload(
  tf: Tfjs,
  vectors: readonly Float32Array[],
  { first, end }: { first: number; end: number },
): Tensor2D {
  const [rows, width] = [4 * Math.ceil(vectors.length / 4), 4 * Math.ceil((end - first) / 4)];
  const values = new Float32Array(rows * width);
  for (const [i, vector] of vectors.entries()) values.set(vector.subarray(first, end), i * width);
  return tf.tensor2d(values, [rows, width]);
}

const tilesOf = (height: number) => height * (height + 1) / 2;
const four = [0, 1, 2, 3];

/** Products of four rows with four, for each lane [tiles, 16, lanes]. */
function products(tf: Tfjs, block: Tensor2D, height: number): Tensor {
  const width = block.shape[1] / 4;
  const lanes = Math.ceil(width / (RUN * RUNS));
  const total = tilesOf(height) * lanes;
  return run(tf, {
    key: "gram_products",
    code: () =>
      program({
        result: "f32",
        inputs: [["x", "vec4<f32>"]],
        uniforms: ["total", "lanes", "width"],
        body: `
  if (id >= u.total) { return; }
  let lane = id % u.lanes;
  var i = 0;
  var j = id / u.lanes;
  while (j > i) {
    i++;
    j -= i;
  }
  ${four.flatMap((a) => four.map((b) => `var s${a}${b} = 0.0;`)).join(" ")}
  let left = 4 * i * u.width;
  let right = 4 * j * u.width;
  for (var part = 0; part < ${RUNS}; part++) {
    ${four.flatMap((a) => four.map((b) => `var r${a}${b} = 0.0;`)).join(" ")}
    let first = (lane * ${RUNS} + part) * ${RUN};
    for (var k = first; k < min(first + ${RUN}, u.width); k++) {
      ${
          four.map((a) => `let a${a} = x[left + ${a} * u.width + k]; let b${a} = x[right + ${a} * u.width + k];`).join(
            " ",
          )
        }
      ${four.flatMap((a) => four.map((b) => `r${a}${b} += dot(a${a}, b${b});`)).join(" ")}
    }
    ${four.flatMap((a) => four.map((b) => `s${a}${b} += r${a}${b};`)).join(" ")}
  }
  let to = id / u.lanes * 16 * u.lanes + lane;
  ${four.flatMap((a) => four.map((b) => `result[to + ${4 * a + b} * u.lanes] = s${a}${b};`)).join("\n  ")}`,
      }),
    inputs: [block],
    shape: [tilesOf(height), 16, lanes],
    uniforms: [total, lanes, width],
    invocations: total,
  });
}

/** Sums of the rows, four at once, each row times its weight [4·height, columns]. */
function combine(
  tf: Tfjs,
  block: Tensor2D,
  { weights, rows, height }: { weights: Tensor; rows: number; height: number },
): Tensor {
  const width = block.shape[1] / 4;
  return run(tf, {
    key: "gram_combine",
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["x", "vec4<f32>"], ["weights", "vec4<f32>"]],
        uniforms: ["total", "width", "rows", "height"],
        body: `
  if (id >= u.total) { return; }
  let column = id % u.width;
  let group = id / u.width;
  ${four.map((a) => `var s${a} = vec4<f32>();`).join(" ")}
  for (var row = 0; row < u.rows; row++) {
    let value = x[row * u.width + column];
    let w = weights[row * u.height + group];
    ${four.map((a) => `s${a} = fma(vec4<f32>(w.${"xyzw"[a]}), value, s${a});`).join(" ")}
  }
  ${four.map((a) => `result[(4 * group + ${a}) * u.width + column] = s${a};`).join("\n  ")}`,
      }),
    inputs: [block, weights],
    shape: [4 * height, 4 * width],
    uniforms: [height * width, width, rows, height],
    invocations: height * width,
  });
}
