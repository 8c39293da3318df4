/**
 * The light of many faces at once on the device: `fitLight` of fit_lights_cpu.ts. The normal equations are sums over
 * the texels in a fixed order, the systems are solved on the device too, and there is one read-back for all faces. The
 * light is the reference's to about 1e-5 of its size, and the same bits whatever the other faces are.
 */
import type { Tensor } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run, sizeOf } from "@ftim/gpu/wgsl";
import { LIGHT_BANDS, LIGHT_FACTORS, type LightPrior } from "./light.ts";
import { BASIS } from "./light_wgsl.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import { checkMaps, sampleTexels, type Sampling, takeTexels } from "./sampled_texels.ts";
import { solveSystems } from "./solve_batch.ts";
import { addLanes, LANES } from "./weighted_sums.ts";

/**
 * What was seen of some faces, and their albedo; T texels in any shape. But for the normals a map may also have only
 * the texels that take part (`uploadSamples`).
 */
export interface LitFaces {
  /** [B, …, 3], or [1, …, 3] for all faces. */
  readonly albedo: Tensor;
  /** Unit normals [B, …, 3], in view space. */
  readonly normals: Tensor;
  /** Colours as seen [B, …, 3]. */
  readonly texture: Tensor;
  /** Weights ≥ 0 [B, …]. */
  readonly weight: Tensor;
}

/**
 * Fits the light of each face.
 *
 * @param options the prior of `fitLight`; only every `stride`-th texel counts (default 1), and where `inside` is given,
 *   only texels that are not 0 there
 * @returns 27 values a face, band-major, RGB last
 * @throws {RangeError} if the shapes do not fit; or if a face has no sample with weight and albedo, or one that is not
 *   finite, and the message says which
 * @throws {GpuError} if the device reports an error
 */
export async function fitLights(
  tf: Tfjs,
  { albedo, normals, texture, weight }: LitFaces,
  { stride = 1, inside, ...prior }: LightPrior & Partial<Sampling> = {},
): Promise<Float32Array[]> {
  const texels = normals.size / 3 / (normals.shape[0] ?? 1);
  const chosen = sampleTexels(texels, { stride, inside });
  checkMaps(weight, { albedo: { map: albedo, shared: true }, normals: { map: normals }, texture: { map: texture } }, {
    texels,
    samples: chosen.length,
  });
  const light = tf.tidy(() => {
    const samples = tf.tensor1d(chosen, "int32");
    const [place, colour, own] = [normals, texture, albedo].map((map) => takeTexels(tf, map, { weight, samples }));
    return solveLights(tf, lightSums(tf, { place: place!, colour: colour!, albedo: own! }), prior);
  });
  const [values] = await readBack([light], "fitLights");
  return readSolutions(values!, { faces: weight.shape[0]!, count: 3 * LIGHT_BANDS, what: "light" });
}

/**
 * The unknowns of each face out of the answer of `solveSystems`.
 *
 * @throws {RangeError} if a face has no solution
 */
export function readSolutions(
  values: Float32Array,
  { faces, count, what }: { faces: number; count: number; what: string },
): Float32Array[] {
  const length = values.length / faces;
  return Array.from({ length: faces }, (_, face) => {
    const [first, last] = [face * length, face * length + count];
    const solution = values.slice(first, last);
    if (values[last] !== 1 || !solution.every(Number.isFinite)) {
      throw new RangeError(
        `Face ${face}: no ${what} can be fitted; no sample has both weight and albedo, or a value is not finite`,
      );
    }
    return solution;
  });
}

/** Elements of four floats that `lightSums` gives for each colour of each face. */
const ELEMENTS = 14;
/** Where the sums of the right side, of the weights and of the samples with weight begin. */
const RIGHT = LIGHT_BANDS * (LIGHT_BANDS + 1) / 2;
/** Index of the sum of the weights; the next is the number of samples that have one. */
export const WEIGHT_SUM = RIGHT + LIGHT_BANDS;
/** Floats that `lightSums` gives for each face. */
export const FACE_SUMS = 3 * 4 * ELEMENTS;

/** Samples of some faces [B, N, 4] each. */
export interface LitSamples {
  /** Unit normal and weight. */
  readonly place: Tensor;
  /** Colour as seen, and one that is not used. */
  readonly colour: Tensor;
  /** Albedo, and the weight in this fit. */
  readonly albedo: Tensor;
}

/**
 * The normal equations of each face and colour.
 *
 * @returns [B, 3, 56]: the lower triangle of the matrix row by row, the right side, the sum of the samples' own
 *   weights, and how many have one
 */
export function lightSums(tf: Tfjs, { place, colour, albedo }: LitSamples): Tensor {
  const [batch = 0, count = 0] = place.shape;
  const partial = run(tf, {
    key: "light_sums",
    code: sumsCode,
    inputs: [place, colour, albedo],
    shape: [batch, 3, ELEMENTS, LANES, 4],
    uniforms: [batch * LANES, count],
    invocations: batch * LANES,
  });
  const sums = addLanes(tf, partial);
  partial.dispose();
  return tf.reshape(sums, [batch, 3, 4 * ELEMENTS]);
}

function sumsCode(): string {
  const bands = [...Array(LIGHT_BANDS).keys()];
  const channels = ["x", "y", "z"];
  const terms = (c: string) => [
    ...bands.flatMap((j) => bands.slice(0, j + 1).map((k) => `a${j}.${c} * h${k}`)),
    ...bands.map((j) => `way.${c} * h${j}`),
    "p.w",
    "select(0.0, 1.0, p.w > 0.0)",
  ];
  const each = (line: (c: string, q: number) => string) =>
    channels.flatMap((c) => Array.from({ length: ELEMENTS }, (_, q) => line(c, q))).join("\n  ");
  return program({
    result: "vec4<f32>",
    inputs: [["place", "vec4<f32>"], ["colour", "vec4<f32>"], ["albedo", "vec4<f32>"]],
    uniforms: ["total", "count"],
    body: `
  if (id >= u.total) { return; }
  let lane = id % ${LANES};
  let face = id / ${LANES};
  ${each((c, q) => `var ${c}${q} = vec4<f32>();`)}
  for (var i = face * u.count + lane; i < (face + 1) * u.count; i += ${LANES}) {
    let p = place[i];
    let own = albedo[i];
    let waa = own.w * own.xyz * own.xyz;
    let way = own.w * own.xyz * colour[i].xyz;
    let normal = p.xyz;
    ${BASIS}
    ${bands.map((j) => `let a${j} = waa * h${j};`).join("\n    ")}
    ${each((c, q) => `${c}${q} += vec4<f32>(${terms(c).slice(4 * q, 4 * q + 4).join(", ")});`)}
  }
  let to = face * ${3 * ELEMENTS * LANES} + lane;
  ${each((c, q) => `result[to + ${(channels.indexOf(c) * ELEMENTS + q) * LANES}] = ${c}${q};`)}`,
  });
}

/**
 * Solves the normal equations with the prior of `fitLight`.
 *
 * @param sums [B, 3, 56] of `lightSums`
 * @returns [B, 28]: 27 values, and 1 where there is a solution
 */
export function solveLights(
  tf: Tfjs,
  sums: Tensor,
  { ridge = 0.01, secondOrder = 16, tint = 10 }: LightPrior = {},
): Tensor {
  const [batch = 0] = sums.shape;
  const n = 3 * LIGHT_BANDS;
  const shape = [n, n + 1, batch];
  const systems = run(tf, {
    key: "light_systems",
    code: systemsCode,
    inputs: [sums],
    shape,
    uniforms: [sizeOf(shape), batch, { f32: Math.max(ridge, 1e-9) }, { f32: secondOrder }, { f32: tint }],
    invocations: sizeOf(shape),
  });
  const solution = solveSystems(tf, systems);
  systems.dispose();
  return solution;
}

/** The channels' equations as one system, because the prior ties the channels to each other; see light.ts. */
function systemsCode(): string {
  const n = 3 * LIGHT_BANDS;
  return program({
    result: "f32",
    inputs: [["sums", "f32"]],
    uniforms: ["total", "batch", "ridge:f32", "secondOrder:f32", "tint:f32"],
    functions: `
fn sumAt(face : i32, c : i32, index : i32) -> f32 { return sums[(face * 3 + c) * ${4 * ELEMENTS} + index]; }
fn energy(face : i32, c : i32) -> f32 { return sumAt(face, c, 0) / ${LIGHT_FACTORS[0] ** 2}; }`,
    body: `
  if (id >= u.total) { return; }
  let face = id % u.batch;
  let column = id / u.batch % ${n + 1};
  let row = id / u.batch / ${n + 1};
  let band = row / 3;
  let c = row % 3;
  let strength = u.ridge * select(select(u.secondOrder, 1.0, band < 4), 1e-3, band == 0);
  if (column == ${n}) {
    let ambient = select(0.0, strength * energy(face, c) / ${LIGHT_FACTORS[0]}, band == 0);
    result[id] = sumAt(face, c, ${RIGHT} + band) + ambient;
    return;
  }
  let other = column / 3;
  let same = column % 3 == c;
  var value = select(0.0, sumAt(face, c, band * (band + 1) / 2 + min(other, band)), same);
  if (other == band) {
    if (same) { value += strength * energy(face, c); }
    if (band > 0) {
      let mean = (energy(face, 0) + energy(face, 1) + energy(face, 2)) / 3.0;
      value += u.tint * u.ridge * mean * (select(0.0, 1.0, same) - 1.0 / 3.0);
    }
  }
  result[id] = value;`,
  });
}
