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
  /** [S·S·3] */
  readonly mean: Tensor;
  /** [K, S·S·3], rows of unit length. */
  readonly basis: Tensor;
  /** Standard deviation of each component [K]. */
  readonly sigma: Float32Array;
}

/** Puts a whole albedo model on the device, until `disposeAlbedoParts`. */
export function uploadAlbedoParts(tf: Tfjs, { albedoMean, albedoBasis, albedoSigma }: AlbedoModel): AlbedoParts {
  const components = albedoSigma.length;
  return {
    components,
    size: Math.sqrt(albedoMean.length / 3),
    mean: tf.keep(tf.tensor1d(albedoMean)),
    // WebGPU binds no empty buffer.
    basis: tf.keep(tf.tensor1d(components > 0 ? albedoBasis : new Float32Array(4))),
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
  return tf.tidy(() =>
    run(tf, {
      key: "albedo_maps",
      code: wgsl,
      inputs: [mean, basis, tf.tensor1d(weights)],
      shape: [batch, size, size, 3],
      uniforms: [groups * values, values, components, batch, levels],
      invocations: groups * values,
    })
  ) as Tensor4D;
}

function wgsl(): string {
  return program({
    result: "f32",
    inputs: [["mean", "f32"], ["basis", "f32"], ["weights", "vec4<f32>"]],
    uniforms: ["total", "count", "components", "batch", "levels"],
    body: `
  if (id >= u.total) { return; }
  let at = id % u.count;
  let group = id / u.count;
  var sum = vec4<f32>(mean[at]);
  for (var k = 0; k < u.components; k++) { sum += weights[group * u.components + k] * basis[k * u.count + at]; }
  if (u.levels > 0) { sum = floor(clamp(sum, vec4<f32>(), vec4<f32>(1.0)) * f32(u.levels) + 0.5) / f32(u.levels); }
  let first = ${FACES} * group;
  for (var face = first; face < min(first + ${FACES}, u.batch); face++) {
    result[face * u.count + at] = sum[face - first];
  }`,
  });
}
