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
  /** 3·S² values, and 0 up to whole elements of four. */
  readonly mean: Tensor;
  /** What one standard deviation of each component adds, as long as the mean each; a row of 0 where there is none. */
  readonly rows: Tensor;
}

/** Faces that an invocation computes, so that the model is read once for all of them. */
const FACES = 8;

/** Puts an albedo model on the device. */
export function uploadAlbedoModel(tf: Tfjs, { albedoMean, albedoBasis, albedoSigma }: AlbedoModel): DeviceAlbedoModel {
  const length = albedoMean.length;
  const padded = 4 * Math.ceil(length / 4);
  const mean = new Float32Array(padded);
  mean.set(albedoMean);
  const rows = new Float32Array(Math.max(1, albedoSigma.length) * padded);
  for (const [k, sigma] of albedoSigma.entries()) {
    for (let i = 0; i < length; i++) rows[k * padded + i] = sigma * albedoBasis[k * length + i]!;
  }
  return {
    components: albedoSigma.length,
    size: Math.sqrt(length / 3),
    mean: tf.keep(tf.tensor1d(mean)),
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
  const width = Math.ceil(length / 4);
  return tf.tidy(() =>
    run(tf, {
      key: "template_albedos",
      code: programCode,
      inputs: [mean, rows, tf.tensor1d(values)],
      shape: [codes.length, size, size, 3],
      uniforms: [groups * width, length, width, components, codes.length],
      invocations: groups * width,
    })
  ) as Tensor4D;
}

function programCode(): string {
  const faces = [...Array(FACES).keys()];
  return program({
    result: "f32",
    inputs: [["mean", "vec4<f32>"], ["rows", "vec4<f32>"], ["codes", "vec4<f32>"]],
    uniforms: ["total", "length", "width", "components", "faces"],
    body: `
  if (id >= u.total) { return; }
  let group = id / u.width;
  let column = id - group * u.width;
  let start = mean[column];
  ${faces.map((k) => `var s${k} = start;`).join(" ")}
  for (var k = 0; k < u.components; k++) {
    let row = rows[k * u.width + column];
    let low = codes[2 * (group * u.components + k)];
    let high = codes[2 * (group * u.components + k) + 1];
    ${
      faces.map((k) => `s${k} = fma(vec4<f32>(${k < 4 ? "low" : "high"}.${"xyzw"[k & 3]}), row, s${k});`).join("\n    ")
    }
  }
  let first = group * ${FACES};
  let left = u.length - 4 * column;
  ${
      faces.map((k) =>
        `if (first + ${k} < u.faces) {
    let value = floor(clamp(s${k}, vec4<f32>(), vec4<f32>(1)) * 255.0 + 0.5) / 255.0;
    let to = (first + ${k}) * u.length + 4 * column;
    ${[..."xyzw"].map((c, i) => `if (${i} < left) { result[to + ${i}] = value.${c}; }`).join(" ")}
  }`
      ).join("\n  ")
    }`,
  });
}
