/** The albedo maps of many faces at once on the device: `albedoOf` of morphable.ts. */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";
import type { AlbedoModel } from "./morphable.ts";

/** An albedo model on the device, all its texels. */
export interface AlbedoParts {
  readonly components: number;
  /** Side of the map in texels. */
  readonly size: number;
  /** [S·S·3], filled up with zeros to whole elements of four. */
  readonly mean: Tensor;
  /** [K, S·S·3], rows of unit length, each filled up like the mean. */
  readonly basis: Tensor;
  /** Standard deviation of each component [K]. */
  readonly sigma: Float32Array;
}

/** Puts a whole albedo model on the device, until `disposeAlbedoParts`. */
export function uploadAlbedoParts(tf: Tfjs, { albedoMean, albedoBasis, albedoSigma }: AlbedoModel): AlbedoParts {
  const components = albedoSigma.length;
  const length = albedoMean.length;
  const padded = 4 * Math.ceil(length / 4);
  const fill = (rows: Float32Array, count: number) => {
    if (padded === length && count > 0) return rows;
    // WebGPU binds no empty buffer.
    const filled = new Float32Array(padded * Math.max(1, count));
    for (let k = 0; k < count; k++) filled.set(rows.subarray(k * length, (k + 1) * length), k * padded);
    return filled;
  };
  return {
    components,
    size: Math.sqrt(length / 3),
    mean: tf.keep(tf.tensor1d(fill(albedoMean, 1))),
    basis: tf.keep(tf.tensor1d(fill(albedoBasis, components))),
    sigma: albedoSigma,
  };
}

/** Frees a model's tensors. */
export function disposeAlbedoParts({ mean, basis }: AlbedoParts): void {
  mean.dispose();
  basis.dispose();
}

/** Faces for which an invocation reads the model once. */
const FACES = 4;

/**
 * The albedo of each code.
 *
 * @param codes [K] each, in standard deviations
 * @param options.levels where given, values are cut off at 0 and 1 and rounded to so many steps between them: with 255
 *   to what a picture keeps of them
 * @returns [B, S, S, 3]
 * @throws {RangeError} if there is no code, or if one has another number of components or is not finite, and the
 *   message says which
 */
export function albedoMaps(
  tf: Tfjs,
  { components, size, mean, basis, sigma }: AlbedoParts,
  { codes, levels = 0 }: { readonly codes: readonly Float32Array[]; readonly levels?: number },
): Tensor4D {
  const batch = codes.length;
  if (batch === 0) throw new RangeError("There is no code of an albedo");
  const groups = Math.ceil(batch / FACES);
  // The weights of four faces side by side.
  const weights = new Float32Array(FACES * Math.max(1, components) * groups);
  for (const [face, code] of codes.entries()) {
    if (code.length !== components || !code.every(Number.isFinite)) {
      throw new RangeError(`Face ${face}: an albedo's code must be ${components} finite numbers, not [${code}]`);
    }
    const first = Math.floor(face / FACES) * components * FACES + face % FACES;
    for (let k = 0; k < components; k++) weights[first + k * FACES] = code[k]! * sigma[k]!;
  }
  const values = 3 * size * size;
  const quads = Math.ceil(values / 4);
  return tf.tidy(() =>
    run(tf, {
      key: "albedo_maps",
      code: wgsl,
      inputs: [mean, basis, tf.tensor1d(weights)],
      shape: [batch, size, size, 3],
      uniforms: [groups * quads, quads, values, components, batch, levels],
      invocations: groups * quads,
    })
  ) as Tensor4D;
}

/** Four values of four faces an invocation: so a load of four floats feeds 16 products. */
function wgsl(): string {
  const faces = Array.from({ length: FACES }, (_, face) => face);
  return program({
    result: "f32",
    inputs: [["mean", "vec4<f32>"], ["basis", "vec4<f32>"], ["weights", "vec4<f32>"]],
    uniforms: ["total", "quads", "count", "components", "batch", "levels"],
    functions: `
fn store(face : i32, at : i32, sum : vec4<f32>) {
  if (face >= u.batch) { return; }
  var value = sum;
  if (u.levels > 0) {
    value = floor(clamp(sum, vec4<f32>(), vec4<f32>(1.0)) * f32(u.levels) + 0.5) / f32(u.levels);
  }
  for (var i = 0; i < min(4, u.count - at); i++) { result[face * u.count + at + i] = value[i]; }
}`,
    body: `
  if (id >= u.total) { return; }
  let quad = id % u.quads;
  let group = id / u.quads;
  ${faces.map((face) => `var sum${face} = mean[quad];`).join(" ")}
  for (var k = 0; k < u.components; k++) {
    let weight = weights[group * u.components + k];
    let part = basis[k * u.quads + quad];
    ${faces.map((face) => `sum${face} += weight[${face}] * part;`).join(" ")}
  }
  ${faces.map((face) => `store(${FACES} * group + ${face}, 4 * quad, sum${face});`).join(" ")}`,
  });
}
