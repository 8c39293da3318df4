/** Which texels take part in a fit, and their values side by side on the device. */
import type { Tensor, Tensor1D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run, sizeOf } from "@ftim/gpu/wgsl";

/** Which texels of a map take part. */
export interface Sampling {
  /** Only every n-th texel is used. */
  readonly stride: number;
  /** Where given, only texels that are not 0 here, such as those inside the chart [T]. */
  readonly inside?: Uint8Array | undefined;
}

/**
 * The texels of a map that take part, in order.
 *
 * @param texels of the map
 * @throws {RangeError} if there is none
 */
export function sampleTexels(texels: number, { stride, inside }: Sampling): Int32Array {
  const chosen: number[] = [];
  for (let i = 0; i < texels; i += stride) if (inside === undefined || inside[i] !== 0) chosen.push(i);
  if (chosen.length === 0) throw new RangeError(`Of ${texels} texels none takes part in the fit`);
  return Int32Array.from(chosen);
}

/**
 * Puts the samples of some maps on the device and leaves the rest, most of a map, where it is.
 *
 * @param maps one a face, T texels of the same number of values
 * @param samples which texels
 * @returns [B, N, values of a texel], or [B, N] where a texel has one
 * @throws {RangeError} if maps differ in size
 */
export function uploadSamples(
  tf: Tfjs,
  maps: readonly Float32Array[],
  { samples, texels }: { readonly samples: Int32Array; readonly texels: number },
): Tensor {
  const width = (maps[0]?.length ?? 0) / texels;
  const values = new Float32Array(maps.length * samples.length * width);
  let to = 0;
  for (const [face, map] of maps.entries()) {
    if (map.length !== texels * width || !Number.isInteger(width)) {
      throw new RangeError(`Face ${face}: a map has ${map.length} values, which is not ${width} for each texel`);
    }
    for (const texel of samples) for (let c = 0; c < width; c++) values[to++] = map[texel * width + c]!;
  }
  return tf.tensor(values, [maps.length, samples.length, ...(width === 1 ? [] : [width])]);
}

/**
 * RGB or xyz of each sample, and its weight; all 0 where the weight is not above 0, so that what was not seen cannot
 * count, whatever its value.
 *
 * @param source [B, …, 3] of T texels or of the N samples, or [1, …, 3] for all faces
 * @param options.weight [B, …] of T texels or of the N samples; `samples` [N]
 * @returns [B, N, 4]
 */
export function takeTexels(
  tf: Tfjs,
  source: Tensor,
  { weight, samples }: { weight: Tensor; samples: Tensor1D },
): Tensor {
  const [batch = 0] = weight.shape;
  const [count] = samples.shape;
  const [texels, weights] = [sizeOf(source.shape) / 3 / source.shape[0]!, sizeOf(weight.shape) / batch];
  return run(tf, {
    key: "take_texels",
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["source", "f32"], ["weights", "f32"], ["samples", "i32"]],
        uniforms: ["total", "count", "texels", "whole", "weightTexels", "weightWhole"],
        body: `
  if (id >= u.total) { return; }
  let face = id / u.count;
  let sample = id % u.count;
  let texel = samples[sample];
  let weight = weights[face * u.weightTexels + select(sample, texel, u.weightWhole != 0)];
  let first = 3 * (face * u.texels + select(sample, texel, u.whole != 0));
  let value = vec4<f32>(source[first], source[first + 1], source[first + 2], weight);
  result[id] = select(vec4<f32>(), value, weight > 0.0);`,
      }),
    inputs: [source, weight, samples],
    shape: [batch, count, 4],
    uniforms: [
      batch * count,
      count,
      source.shape[0] === 1 ? 0 : texels,
      texels === count ? 0 : 1,
      weights,
      weights === count ? 0 : 1,
    ],
    invocations: batch * count,
  });
}

/**
 * Checks the maps of a batch of faces.
 *
 * @param options.texels of a whole map; `samples` how many take part
 * @throws {RangeError} if there is no face, or a map is not one of all faces, of all texels or of the samples alone
 */
export function checkMaps(
  weight: Tensor,
  maps: Readonly<Record<string, { map: Tensor; shared?: boolean }>>,
  { texels, samples }: { texels: number; samples: number },
): void {
  const [batch = 0] = weight.shape;
  const fits = (size: number) => size === texels || size === samples;
  if (weight.rank < 2 || batch === 0) throw new RangeError(`There is no face: the weights are [${weight.shape}]`);
  if (!fits(weight.size / batch)) {
    throw new RangeError(`Weights [${weight.shape}] must be of ${texels} texels for each face, or of ${samples}`);
  }
  for (const [name, { map, shared = false }] of Object.entries(maps)) {
    const [faces = 0] = map.shape;
    if ((faces !== batch && !(shared && faces === 1)) || map.shape.at(-1) !== 3 || !fits(map.size / faces / 3)) {
      throw new RangeError(`${name} [${map.shape}] must be [${batch}, …, 3], of ${texels} texels or of ${samples}`);
    }
  }
}
