/**
 * The reference of fit_albedos.ts, plain loops over one face: texture = (mean + basis·code) · shading(light). The
 * product of two unknowns is fitted by turns, each turn a linear least-squares problem: light (nine bands per colour),
 * then code with a Gaussian prior (maximum a posteriori, as DECA's and Deng's texture priors are). Tests and benchmarks
 * alone use it.
 */
import { type AlbedoFitOptions, WITNESSES } from "./albedo_fit_options.ts";
import { fitLight } from "./fit_lights_cpu.ts";
import { LIGHT_BANDS } from "./light.ts";
import { shade } from "./light_cpu.ts";
import { solveCholesky } from "./linear.ts";
import type { AlbedoModel } from "./morphable.ts";

/** What was seen of one face. */
export interface SeenTexture {
  /** RGB per texel, 0..1 [T·3]. */
  texture: Float32Array;
  /** Weight ≥ 0 per texel [T]. */
  weight: Float32Array;
  /** Unit normal per texel [T·3]. */
  normals: Float32Array;
}

/**
 * Fits light and albedo.
 *
 * @returns `light` [27], band-major, RGB last; `code` [K] in standard deviations
 * @throws {RangeError} if no texel has weight
 */
export function fitAlbedo(
  model: AlbedoModel,
  seen: SeenTexture,
  { noise = 0.0025, lightRidge = 0.01, turns = 4, stride = 7, huber = Infinity }: AlbedoFitOptions = {},
): { light: Float32Array; code: Float32Array } {
  const samples = thin(model, seen, stride);
  const count = samples.weight.length;
  const components = model.albedoSigma.length;
  const total = samples.weight.reduce((a, b) => a + b, 0);
  const trust = total > 0 ? WITNESSES * Math.min(1, total / (0.2 * count)) / total : 0;
  const code = new Float32Array(components);
  const albedo = samples.mean.slice();
  const robust = samples.weight.slice();
  let light = new Float32Array(3 * LIGHT_BANDS) as Float32Array;
  for (let turn = 0; turn < turns; turn++) {
    light = fitLight({ albedo, normals: samples.normals, colours: samples.colours, weights: robust }, {
      ridge: lightRidge,
    });
    const shading = shade(samples.normals, light);
    code.set(solveCode({ ...samples, weight: robust, shading, components, trust, noise }));
    albedo.set(samples.mean);
    for (let k = 0; k < components; k++) {
      const row = samples.basis[k] as Float32Array;
      for (let i = 0; i < albedo.length; i++) albedo[i] = albedo[i]! + code[k]! * row[i]!;
    }
    if (huber === Infinity) continue;
    for (let i = 0; i < count; i++) {
      let error = 0;
      for (let c = 3 * i; c < 3 * i + 3; c++) error += Math.abs(albedo[c]! * shading[c]! - samples.colours[c]!) / 3;
      robust[i] = samples.weight[i]! * Math.min(1, huber / Math.max(error, 1e-6));
    }
  }
  return { light, code };
}

interface Samples {
  mean: Float32Array;
  basis: Float32Array[];
  colours: Float32Array;
  normals: Float32Array;
  weight: Float32Array;
}

function thin(
  { albedoMean, albedoBasis, albedoSigma }: AlbedoModel,
  { texture, weight, normals }: SeenTexture,
  stride: number,
): Samples {
  const chosen: number[] = [];
  for (let i = 0; i < weight.length; i += stride) if (weight[i]! > 0) chosen.push(i);
  const take = (values: Float32Array, { offset = 0, scale = 1 } = {}) => {
    const out = new Float32Array(3 * chosen.length);
    chosen.forEach((texel, i) => {
      for (let c = 0; c < 3; c++) out[3 * i + c] = scale * values[offset + 3 * texel + c]!;
    });
    return out;
  };
  return {
    mean: take(albedoMean),
    basis: Array.from(albedoSigma, (scale, k) => take(albedoBasis, { offset: k * albedoMean.length, scale })),
    colours: take(texture),
    normals: take(normals),
    weight: Float32Array.from(chosen, (texel) => weight[texel]!),
  };
}

/** Normal equations of the code: Σ w (mean·s + basis·s·code − colour)² · trust / noise + |code|². */
function solveCode(
  { mean, basis, colours, weight, shading, components, trust, noise }: Samples & {
    shading: Float32Array;
    components: number;
    trust: number;
    noise: number;
  },
): Float64Array {
  const matrix = new Float64Array(components * components);
  const right = new Float64Array(components);
  const row = new Float64Array(components);
  for (let i = 0; i < mean.length; i++) {
    const w = weight[Math.floor(i / 3)]! * trust / noise;
    const s = shading[i]!;
    const residual = colours[i]! - mean[i]! * s;
    for (let j = 0; j < components; j++) {
      row[j] = basis[j]![i]! * s;
      right[j] = right[j]! + w * row[j]! * residual;
      for (let k = 0; k <= j; k++) matrix[j * components + k] = matrix[j * components + k]! + w * row[j]! * row[k]!;
    }
  }
  for (let j = 0; j < components; j++) matrix[j * components + j] = matrix[j * components + j]! + 1;
  return solveCholesky({ matrix, right });
}
