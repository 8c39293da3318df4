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
  /** 3·S² values, and 0 up to whole elements of four. */
  readonly mean: Tensor;
  /** As long as the mean, a component each; rows of unit length. */
  readonly basis: Tensor;
  /** Standard deviation of each component [K]. */
  readonly sigma: Float32Array;
}

/** Puts a whole albedo model on the device, until `disposeAlbedoParts`. */
export function uploadAlbedoParts(tf: Tfjs, { albedoMean, albedoBasis, albedoSigma }: AlbedoModel): AlbedoParts {
  const [components, length] = [albedoSigma.length, albedoMean.length];
  const padded = (rows: Float32Array, count: number) => {
    const width = 4 * Math.ceil(length / 4);
    if (width === length) return rows;
    const all = new Float32Array(count * width);
    for (let k = 0; k < count; k++) all.set(rows.subarray(k * length, (k + 1) * length), k * width);
    return all;
  };
  return {
    components,
    size: Math.sqrt(length / 3),
    mean: tf.keep(tf.tensor1d(padded(albedoMean, 1))),
    // WebGPU binds no empty buffer.
    basis: tf.keep(tf.tensor1d(components > 0 ? padded(albedoBasis, components) : new Float32Array(4))),
    sigma: albedoSigma,
  };
}

/** Frees a model's tensors. */
export function disposeAlbedoParts({ mean, basis }: AlbedoParts): void {
  mean.dispose();
  basis.dispose();
}

/** Faces for which an invocation reads the model once. */
const FACES = 8;

/**
 * The albedo of each code. The same bits come out in any batch.
 *
 * @param codes [K] each, in standard deviations
 * @param options.levels where given, values are cut off at 0 and 1 and rounded to so many steps between them: with 255
 *   to what a picture keeps of them. A value is a step apart where f32 rounding decides to which of two it goes.
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
  // The weights of a group's faces lie side by side, component after component.
  const weights = new Float32Array(FACES * Math.max(1, components) * groups);
  for (const [face, code] of codes.entries()) {
    if (code.length !== components || !code.every(Number.isFinite)) {
      throw new RangeError(`Face ${face}: an albedo's code must be ${components} finite numbers, not [${code}]`);
    }
    const first = Math.floor(face / FACES) * components * FACES + face % FACES;
    for (let k = 0; k < components; k++) weights[first + k * FACES] = code[k]! * sigma[k]!;
  }
  const length = 3 * size * size;
  const width = Math.ceil(length / 4);
  return tf.tidy(() =>
    run(tf, {
      key: "albedo_maps",
      code: wgsl,
      inputs: [mean, basis, tf.tensor1d(weights)],
      shape: [batch, size, size, 3],
      uniforms: [groups * width, length, width, components, batch, levels],
      invocations: groups * width,
    })
  ) as Tensor4D;
}

function wgsl(): string {
  const faces = [...Array(FACES).keys()];
  return program({
    result: "f32",
    inputs: [["mean", "vec4<f32>"], ["basis", "vec4<f32>"], ["weights", "vec4<f32>"]],
    uniforms: ["total", "length", "width", "components", "batch", "levels"],
    body: `
  if (id >= u.total) { return; }
  let group = id / u.width;
  let column = id - group * u.width;
  let start = mean[column];
  ${faces.map((k) => `var s${k} = start;`).join(" ")}
  for (var k = 0; k < u.components; k++) {
    let row = basis[k * u.width + column];
    let low = weights[2 * (group * u.components + k)];
    let high = weights[2 * (group * u.components + k) + 1];
    ${faces.map((k) => `s${k} += ${k < 4 ? "low" : "high"}.${"xyzw"[k % 4]} * row;`).join("\n    ")}
  }
  let first = group * ${FACES};
  let left = u.length - 4 * column;
  let levels = f32(u.levels);
  ${
      faces.map((k) =>
        `if (first + ${k} < u.batch) {
    if (u.levels > 0) { s${k} = floor(clamp(s${k}, vec4<f32>(), vec4<f32>(1)) * levels + 0.5) / levels; }
    let to = (first + ${k}) * u.length + 4 * column;
    ${[..."xyzw"].map((c, i) => `if (${i} < left) { result[to + ${i}] = s${k}.${c}; }`).join(" ")}
  }`
      ).join("\n  ")
    }`,
  });
}
