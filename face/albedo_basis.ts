/** An albedo model on the device, at the texels that take part in a fit. */
import type { Tensor, Tensor1D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import type { AlbedoModel } from "./morphable.ts";
import { sampleTexels, type Sampling } from "./sampled_texels.ts";

/** N texels of an albedo model of K components. */
export interface AlbedoBasis {
  readonly components: number;
  /** Texels of the whole map. */
  readonly texels: number;
  /** Which texels these are. */
  readonly samples: Int32Array;
  /** The same on the device [N] int32. */
  readonly places: Tensor1D;
  /** RGB and a 0 [N, 4]. */
  readonly mean: Tensor;
  /** What one standard deviation of each component adds to each colour of a texel [3·N, K or a few more of 0]. */
  readonly rows: Tensor;
}

/**
 * Puts an albedo model on the device, until `disposeAlbedoBasis`.
 *
 * @param options.stride only every n-th texel is used; default 7, which shares no factor with 256
 * @param options.inside where given, only texels that are not 0 here are used. What is outside the chart is never seen,
 *   so a fit is the same and takes less time.
 * @throws {RangeError} if the model has no component, or no texel is used
 */
export function uploadAlbedoBasis(
  tf: Tfjs,
  { albedoMean, albedoBasis, albedoSigma }: AlbedoModel,
  { stride = 7, inside }: Partial<Sampling> = {},
): AlbedoBasis {
  const components = albedoSigma.length;
  if (components === 0) throw new RangeError("The albedo model has no component to fit");
  const texels = albedoMean.length / 3;
  const samples = sampleTexels(texels, { stride, inside });
  const count = samples.length;
  const width = 4 * Math.ceil(components / 4);
  const mean = new Float32Array(4 * count);
  const rows = new Float32Array(3 * count * width);
  for (const [sample, i] of samples.entries()) {
    for (let c = 0; c < 3; c++) {
      mean[4 * sample + c] = albedoMean[3 * i + c]!;
      const row = (3 * sample + c) * width;
      for (let k = 0; k < components; k++) {
        rows[row + k] = albedoSigma[k]! * albedoBasis[k * albedoMean.length + 3 * i + c]!;
      }
    }
  }
  return {
    components,
    texels,
    samples,
    places: tf.keep(tf.tensor1d(samples, "int32")),
    mean: tf.keep(tf.tensor2d(mean, [count, 4])),
    rows: tf.keep(tf.tensor2d(rows, [3 * count, width])),
  };
}

/** Frees a model's tensors. */
export function disposeAlbedoBasis({ places, mean, rows }: AlbedoBasis): void {
  for (const tensor of [places, mean, rows]) tensor.dispose();
}
