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
 * @returns [N] int32
 * @throws {RangeError} if there is none
 */
export function sampleTexels(tf: Tfjs, texels: number, { stride, inside }: Sampling): Tensor1D {
  const chosen: number[] = [];
  for (let i = 0; i < texels; i += stride) if (inside === undefined || inside[i] !== 0) chosen.push(i);
  if (chosen.length === 0) throw new RangeError(`Of ${texels} texels none takes part in the fit`);
  return tf.tensor1d(chosen, "int32");
}

/**
 * RGB or xyz of each sample, and its weight; all 0 where the weight is not above 0, so that what was not seen cannot
 * count, whatever its value.
 *
 * @param source [B, …, 3] of T texels, or [1, …, 3] for all faces
 * @param options.weight [B, …] of T texels; `samples` [N]
 * @returns [B, N, 4]
 */
export function takeTexels(
  tf: Tfjs,
  source: Tensor,
  { weight, samples }: { weight: Tensor; samples: Tensor1D },
): Tensor {
  const [batch = 0] = weight.shape;
  const texels = sizeOf(weight.shape) / batch;
  const [count] = samples.shape;
  return run(tf, {
    key: "take_texels",
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["source", "f32"], ["weights", "f32"], ["samples", "i32"]],
        uniforms: ["total", "count", "texels", "step"],
        body: `
  if (id >= u.total) { return; }
  let face = id / u.count;
  let texel = samples[id % u.count];
  let weight = weights[face * u.texels + texel];
  let first = 3 * (face * u.step + texel);
  result[id] = select(vec4<f32>(), vec4<f32>(source[first], source[first + 1], source[first + 2], weight), weight > 0.0);`,
      }),
    inputs: [source, weight, samples],
    shape: [batch, count, 4],
    uniforms: [batch * count, count, texels, source.shape[0] === 1 ? 0 : texels],
    invocations: batch * count,
  });
}

/**
 * Checks the maps of a batch of faces.
 *
 * @throws {RangeError} if there is no face, or one has another number of faces or texels than the weights
 */
export function checkMaps(weight: Tensor, maps: Readonly<Record<string, { map: Tensor; shared?: boolean }>>): void {
  const [batch = 0] = weight.shape;
  if (weight.rank < 2 || weight.size === 0) throw new RangeError(`There is no face: the weights are [${weight.shape}]`);
  for (const [name, { map, shared = false }] of Object.entries(maps)) {
    const [faces = 0] = map.shape;
    const whole = faces === batch || (shared && faces === 1);
    if (!whole || map.shape.at(-1) !== 3 || map.size / faces !== 3 * weight.size / batch) {
      throw new RangeError(`${name} [${map.shape}] and weights [${weight.shape}] must be [B, …, 3] and [B, …]`);
    }
  }
}
