/**
 * Principal components of long vectors with the heavy sums on the device: the Gram matrix, and the components out of
 * its eigenvectors, which stay in JavaScript. `principalComponents` of pca.ts is the reference.
 *
 * A Gram matrix of two hundred thousand columns needs more than f32 has. So a lane adds 64 products at a time and then
 * those sums; the lanes, a hundred or so, are added in f64 after the read-back. That is right to about 1e-7 of the
 * largest element. A variance below 1e-6 of the largest is therefore noise and dropped, where the reference goes down
 * to 1e-9.
 */
import type { Tensor, Tensor2D } from "@tensorflow/tfjs";
import { submitRecorded, type Tfjs, webgpuBackend } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";
import { symmetricEigen } from "./linear.ts";
import type { Components } from "./pca.ts";
import { readBack } from "@ftim/gpu/ops/read-back";

/** Elements of four columns that a lane adds before it adds the sum to others. */
const RUN = 16;
/** Such sums of a lane. */
const RUNS = 32;
/** Rows of a tile: an invocation has the products of so many with so many. */
const TILE = 8;
/** Bytes of vectors that go to the device at once. */
const BLOCK_BYTES = 1 << 24;
/** Share of the largest variance below which there is only rounding. */
const LEAST_VARIANCE = 1e-6;

const eight = [...Array(TILE).keys()];
const tilesOf = (rows: number) => (rows / TILE) * (rows / TILE + 1) / 2;

/**
 * Inner products of all pairs of vectors.
 *
 * @param vectors N of D values
 * @returns N×N, symmetric, in f64; row-major
 * @throws {RangeError} if vectors differ in length, or a product is not finite, and the message says of which vector
 * @throws {GpuError} if the device reports an error
 */
export async function gramMatrix(tf: Tfjs, vectors: readonly Float32Array[]): Promise<Float64Array> {
  const blocks = blocksOf(vectors);
  return await gramOf(tf, vectors.length, blocks.map((block) => tf.tidy(() => products(tf, uploadBlock(tf, block)))));
}

/**
 * Principal components of few long vectors, see `principalComponents`. Of a component's two signs the one is taken for
 * which the sum of its samples' weights, each times the sample's number, is positive: where samples are mirror images
 * of each other, rounding would decide.
 *
 * @param deviations N vectors of D values from which the mean has been taken. They stay on the device meanwhile.
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
  const length = deviations[0]?.length ?? 0;
  const uploaded: Tensor2D[] = [];
  try {
    const partials = blocksOf(deviations).map((block) => {
      const tensor = uploadBlock(tf, block);
      uploaded.push(tensor);
      return tf.tidy(() => products(tf, tensor));
    });
    const { values, vectors } = symmetricEigen(await gramOf(tf, n, partials));
    const kept = values.filter((value) => value > LEAST_VARIANCE * values[0]! && value > 0).length;
    const rank = Math.min(kept, count, Math.max(0, Math.floor(degrees)));
    const sigma = Float32Array.from({ length: rank }, (_, k) => Math.sqrt(values[k]! / degrees));
    const basis = new Float32Array(rank * length);
    const height = Math.ceil(rank / TILE);
    const weights = new Float32Array(TILE * height * n);
    for (let k = 0; k < rank; k++) {
      const own = vectors.subarray(k * n, (k + 1) * n);
      const turned = own.reduce((sum, weight, i) => sum + (i + 1) * weight, 0) < 0;
      const scale = (turned ? -1 : 1) / Math.sqrt(values[k]!);
      for (let i = 0; i < n; i++) weights[TILE * height * i + k] = own[i]! * scale;
    }
    const parts = rank === 0
      ? []
      : uploaded.map((block) => tf.tidy(() => combine(tf, block, { weights: tf.tensor1d(weights), rows: n, height })));
    let first = 0;
    for (const part of await readBack(parts, "principalComponentsOnDevice")) {
      const width = part.length / (TILE * height);
      const used = Math.min(width, length - first);
      for (let k = 0; k < rank; k++) basis.set(part.subarray(k * width, k * width + used), k * length + first);
      first += width;
    }
    return { basis, sigma };
  } finally {
    tf.dispose(uploaded);
  }
}

/** Adds up the lanes of all blocks. */
async function gramOf(tf: Tfjs, n: number, partials: readonly Tensor[]): Promise<Float64Array> {
  submitRecorded(webgpuBackend(tf));
  const gram = new Float64Array(n * n);
  for (const values of await readBack(partials, "gramMatrix")) {
    const lanes = values.length / (tilesOf(TILE * Math.ceil(n / TILE)) * TILE * TILE);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const [down, right] = [Math.floor(i / TILE), Math.floor(j / TILE)];
        const tile = down * (down + 1) / 2 + right;
        const at = ((tile * TILE + i % TILE) * TILE + j % TILE) * lanes;
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

/** Some columns of the vectors. */
interface Block {
  readonly vectors: readonly Float32Array[];
  readonly first: number;
  readonly end: number;
  /** Where they are put side by side; all blocks share it. */
  readonly scratch: Float32Array;
}

/**
 * The columns in blocks. How many a block has depends on how many vectors there are; where sums are cut does not,
 * because a block has whole lanes.
 *
 * @throws {RangeError} if vectors differ in length
 */
function blocksOf(vectors: readonly Float32Array[]): Block[] {
  const length = vectors[0]?.length ?? 0;
  for (const [i, vector] of vectors.entries()) {
    if (vector.length !== length) {
      throw new RangeError(`Vector ${i} has ${vector.length} values, the first has ${length}`);
    }
  }
  const lane = 4 * RUN * RUNS;
  const rows = TILE * Math.ceil(vectors.length / TILE);
  const most = lane * Math.max(1, Math.floor(BLOCK_BYTES / (4 * rows * lane)));
  const width = Math.min(most, 4 * Math.ceil(length / 4));
  const scratch = new Float32Array(rows * width);
  return Array.from(
    { length: width === 0 ? 0 : Math.ceil(length / width) },
    (_, b) => ({ vectors, first: b * width, end: Math.min(length, (b + 1) * width), scratch }),
  );
}

/** A block on the device, with rows up to whole tiles, which nobody reads, and columns of 0 up to whole elements. */
function uploadBlock(tf: Tfjs, { vectors, first, end, scratch }: Block): Tensor2D {
  const [rows, width] = [TILE * Math.ceil(vectors.length / TILE), 4 * Math.ceil((end - first) / 4)];
  const values = scratch.subarray(0, rows * width);
  for (const [i, vector] of vectors.entries()) {
    values.set(vector.subarray(first, end), i * width);
    values.fill(0, i * width + end - first, (i + 1) * width);
  }
  const block = tf.tensor2d(values, [rows, width]);
  // The next block takes the scratch's place, so its values must be with the device now.
  webgpuBackend(tf).uploadToGPU(block.dataId);
  return block;
}

/** Products of eight rows with eight, for each lane [tiles, 64, lanes]. */
function products(tf: Tfjs, block: Tensor2D): Tensor {
  const tiles = tilesOf(block.shape[0]);
  const width = block.shape[1] / 4;
  const lanes = Math.ceil(width / (RUN * RUNS));
  const each = (line: (a: number, b: number) => string) =>
    eight.flatMap((a) => eight.map((b) => line(a, b))).join("\n  ");
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
  ${each((a, b) => `var s${a}${b} = 0.0;`)}
  let left = ${TILE} * i * u.width;
  let right = ${TILE} * j * u.width;
  for (var part = 0; part < ${RUNS}; part++) {
    ${each((a, b) => `var r${a}${b} = 0.0;`)}
    let first = (lane * ${RUNS} + part) * ${RUN};
    for (var k = first; k < min(first + ${RUN}, u.width); k++) {
      ${
          eight.map((a) => `let a${a} = x[left + ${a} * u.width + k]; let b${a} = x[right + ${a} * u.width + k];`).join(
            " ",
          )
        }
      ${each((a, b) => `r${a}${b} += dot(a${a}, b${b});`)}
    }
    ${each((a, b) => `s${a}${b} += r${a}${b};`)}
  }
  let to = id / u.lanes * ${TILE * TILE} * u.lanes + lane;
  ${each((a, b) => `result[to + ${TILE * a + b} * u.lanes] = s${a}${b};`)}`,
      }),
    inputs: [block],
    shape: [tiles, TILE * TILE, lanes],
    uniforms: [tiles * lanes, lanes, width],
    invocations: tiles * lanes,
  });
}

/** Sums of the rows, eight at once, each row times its weight [8·height, columns]. */
function combine(
  tf: Tfjs,
  block: Tensor2D,
  { weights, rows, height }: { weights: Tensor; rows: number; height: number },
): Tensor {
  const width = block.shape[1] / 4;
  const weight = (k: number) => `w${k >> 2}.${"xyzw"[k & 3]}`;
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
  ${eight.map((k) => `var s${k} = vec4<f32>();`).join(" ")}
  for (var row = 0; row < u.rows; row++) {
    let value = x[row * u.width + column];
    let w0 = weights[2 * (row * u.height + group)];
    let w1 = weights[2 * (row * u.height + group) + 1];
    ${eight.map((k) => `s${k} = fma(vec4<f32>(${weight(k)}), value, s${k});`).join("\n    ")}
  }
  ${eight.map((k) => `result[(${TILE} * group + ${k}) * u.width + column] = s${k};`).join("\n  ")}`,
      }),
    inputs: [block, weights],
    shape: [TILE * height, 4 * width],
    uniforms: [height * width, width, rows, height],
    invocations: height * width,
  });
}
