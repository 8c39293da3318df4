/**
 * Template albedos of many faces on the device: `albedoOf` of morphable.ts, rounded to the bytes that a face keeps of
 * its template. A texel is a byte apart where f32 rounding decides to which of two it goes.
 */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";
import type { AlbedoModel } from "./morphable.ts";

/** An albedo model of K components on the device, until `disposeAlbedoModel`. */
export interface DeviceAlbedoModel {
  readonly components: number;
  /** Texels a side. */
  readonly size: number;
  /** [3·S²] */
  readonly mean: Tensor;
  /** What one standard deviation of each component adds [K, 3·S²]; a row of 0 where there is none. */
  readonly rows: Tensor;
}

/** Faces that an invocation computes, so that the model is read once for all of them. */
const FACES = 8;

/** Puts an albedo model on the device. */
export function uploadAlbedoModel(tf: Tfjs, { albedoMean, albedoBasis, albedoSigma }: AlbedoModel): DeviceAlbedoModel {
  const length = albedoMean.length;
  const rows = new Float32Array(Math.max(1, albedoSigma.length) * length);
  for (const [k, sigma] of albedoSigma.entries()) {
    for (let i = k * length; i < (k + 1) * length; i++) rows[i] = sigma * albedoBasis[i]!;
  }
  return {
    components: albedoSigma.length,
    size: Math.sqrt(length / 3),
    mean: tf.keep(tf.tensor1d(albedoMean)),
    rows: tf.keep(tf.tensor1d(rows)),
  };
}

/** Frees a model's tensors. */
export function disposeAlbedoModel({ mean, rows }: DeviceAlbedoModel): void {
  mean.dispose();
  rows.dispose();
}

/**
 * The albedo map of each code, clamped to 0..1 and rounded to whole 255ths. The same bits come out in any batch.
 *
 * @param codes of each face, standard deviations; missing components are 0
 * @returns [B, S, S, 3]
 * @throws {RangeError} without a code, or if one has more values than the model has components
 */
export function templateAlbedos(
  tf: Tfjs,
  { components, size, mean, rows }: DeviceAlbedoModel,
  codes: readonly Float32Array[],
): Tensor4D {
  if (codes.length === 0) throw new RangeError("There is no code to make an albedo of");
  const groups = Math.ceil(codes.length / FACES);
  const values = new Float32Array(groups * FACES * Math.max(1, components));
  for (const [face, code] of codes.entries()) {
    if (code.length > components) {
      throw new RangeError(`Face ${face}: ${code.length} coefficients for ${components} components`);
    }
    // The weights of a group's faces lie side by side, component after component.
    const first = Math.floor(face / FACES) * FACES * components + face % FACES;
    code.forEach((value, k) => values[first + FACES * k] = value);
  }
  const length = 3 * size * size;
  return tf.tidy(() =>
    run(tf, {
      key: "template_albedos",
      code: programCode,
      inputs: [mean, rows, tf.tensor1d(values)],
      shape: [codes.length, size, size, 3],
      uniforms: [groups * length, length, components, codes.length],
      invocations: groups * length,
    })
  ) as Tensor4D;
}

function programCode(): string {
  const faces = [...Array(FACES).keys()];
  const half = (k: number) => (k < 4 ? "low" : "high");
  return program({
    result: "f32",
    inputs: [["mean", "f32"], ["rows", "f32"], ["codes", "vec4<f32>"]],
    uniforms: ["total", "length", "components", "faces"],
    body: `
  if (id >= u.total) { return; }
  let group = id / u.length;
  let at = id - group * u.length;
  var low = vec4<f32>(mean[at]);
  var high = low;
  for (var k = 0; k < u.components; k++) {
    let row = vec4<f32>(rows[k * u.length + at]);
    let code = 2 * (group * u.components + k);
    low = fma(codes[code], row, low);
    high = fma(codes[code + 1], row, high);
  }
  low = floor(clamp(low, vec4<f32>(), vec4<f32>(1)) * 255.0 + 0.5) / 255.0;
  high = floor(clamp(high, vec4<f32>(), vec4<f32>(1)) * 255.0 + 0.5) / 255.0;
  let first = group * ${FACES};
  ${
      faces.map((k) =>
        `if (first + ${k} < u.faces) { result[(first + ${k}) * u.length + at] = ${half(k)}.${"xyzw"[k & 3]}; }`
      ).join("\n  ")
    }`,
  });
}
