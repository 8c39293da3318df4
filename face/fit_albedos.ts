/**
 * Light and linear albedo of many faces from their incomplete UV textures, on the device: texture = (mean + basis·code)
 * · shading(light). The product of two unknowns is fitted by turns, each turn a linear least-squares problem: light,
 * then code with a Gaussian prior (maximum a posteriori, as DECA's and Deng's texture priors are).
 *
 * All turns run there, with one read-back at the end for all faces; every sum has a fixed order, so that a face's bits
 * depend neither on the run nor on the other faces. Light and code are the reference's (fit_albedos_cpu.ts) to 1e-5 of
 * their largest value: sums in f32 by way of 128 lanes are right to about 1e-6, and the prior keeps the systems well
 * conditioned.
 */
import type { Tensor } from "@tensorflow/tfjs";
import { itemsAtOnce } from "@ftim/gpu/at-once";
import { submitRecorded, type Tfjs, webgpuBackend } from "@ftim/gpu/backend";
import { emptyTensor, run, sizeOf } from "@ftim/gpu/wgsl";
import type { AlbedoBasis } from "./albedo_basis.ts";
import type { AlbedoFitOptions } from "./albedo_fit_options.ts";
import { albedoCode, productsCode, residualsCode, systemsCode, termsCode } from "./fit_albedos_wgsl.ts";
import { FACE_SUMS, lightSums, type LitSamples, readSolutions, solveLights } from "./fit_lights.ts";
import { LIGHT_BANDS } from "./light.ts";
import { LIGHT_ELEMENTS } from "./light_wgsl.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import { checkMaps, takeTexels } from "./sampled_texels.ts";
import { solutionLength, solveSystems } from "./solve_batch.ts";
import { addLanes, LANES } from "./weighted_sums.ts";

/**
 * What was seen of some faces; T texels in any shape, or only the N that take part: `uploadSamples`, `sampleNormals`.
 */
export interface SeenTextures {
  /** RGB per texel, 0..1 [B, …, 3]. */
  readonly texture: Tensor;
  /** Weight ≥ 0 per texel [B, …]. */
  readonly weight: Tensor;
  /** Unit normal per texel [B, …, 3], in view space. */
  readonly normals: Tensor;
}

/** Stands for no limit. */
const MOST = 3e38;

/**
 * Fits light and albedo of each face.
 *
 * @param options those of `fitAlbedo`, but that the texels are those of `basis`
 * @returns for each face `light` [27], band-major, RGB last, and `code` [K] in standard deviations
 * @throws {RangeError} if the shapes do not fit; or if of a face no texel has weight or one is not finite, and the
 *   message says which
 * @throws {GpuError} if the device reports an error
 */
export async function fitAlbedos(
  tf: Tfjs,
  { texture, weight, normals }: SeenTextures,
  { basis, noise = 0.0025, lightRidge = 0.01, turns = 4, huber = Infinity }:
    & { readonly basis: AlbedoBasis }
    & Omit<AlbedoFitOptions, "stride">,
): Promise<{ light: Float32Array; code: Float32Array }[]> {
  const { components, texels, places: samples } = basis;
  checkMaps(weight, { texture: { map: texture }, normals: { map: normals } }, { texels, samples: samples.size });
  const [batch = 0] = weight.shape;
  const found = tf.tidy(() => {
    const [place, colour] = [normals, texture].map((map) => takeTexels(tf, map, { weight, samples })) as [
      Tensor,
      Tensor,
    ];
    let turned: Turn = {
      lights: tf.zeros([batch, 4 * LIGHT_ELEMENTS]),
      codes: tf.zeros([batch, solutionLength(components)]),
      shading: emptyTensor(tf, { shape: place.shape, dtype: "float32" }),
    };
    for (let turn = 0; turn < turns; turn++) {
      const last = turned;
      const limit = Math.min(huber, MOST);
      turned = tf.tidy(() =>
        nextTurn(tf, { place, colour }, { basis, last, first: turn === 0, lightRidge, noise, limit })
      );
      tf.dispose([last.lights, last.codes, last.shading]);
      // The device begins while the next turn is recorded.
      submitRecorded(webgpuBackend(tf));
    }
    return [turned.lights, turned.codes];
  });
  const [lights, codes] = await readBack(found, "fitAlbedos");
  const light = readSolutions(lights!, { faces: batch, count: 3 * LIGHT_BANDS, what: "light" });
  const code = readSolutions(codes!, { faces: batch, count: components, what: "albedo" });
  return light.map((light, face) => ({ light, code: code[face]! }));
}

/** What a turn leaves to the next. */
interface Turn {
  readonly lights: Tensor;
  readonly codes: Tensor;
  /** Of each sample by the light [B, N, 4]. */
  readonly shading: Tensor;
}

/** Light by the codes of the last turn, and codes by that light. */
function nextTurn(
  tf: Tfjs,
  { place, colour }: Omit<LitSamples, "albedo">,
  { basis, last, first, lightRidge, noise, limit }: {
    basis: AlbedoBasis;
    last: Turn;
    first: boolean;
    lightRidge: number;
    noise: number;
    limit: number;
  },
): Turn & Record<string, Tensor> {
  const { rows, mean, components } = basis;
  const [batch = 0, count = 0] = place.shape;
  const groups = Math.ceil(batch / 4);
  const width = rows.shape[1]! / 4;
  const albedo = run(tf, {
    key: "fit_albedo",
    code: albedoCode,
    inputs: [mean, rows, last.codes, last.shading, place, colour],
    shape: place.shape,
    uniforms: [groups * count, batch, count, width, first ? 0 : width, last.codes.shape[1]! / 4, { f32: limit }],
    invocations: groups * count,
  });
  const sums = lightSums(tf, { place, colour, albedo });
  const shading = emptyTensor(tf, { shape: place.shape, dtype: "float32" });
  const lights = solveLights(tf, sums, { ridge: lightRidge });
  // Some 16 samples for each read of the light.
  const slots = Math.ceil(count / 16);
  const terms = run(tf, {
    key: "fit_albedo_terms",
    code: termsCode,
    inputs: [mean, lights, place, colour, albedo],
    outputs: [shading],
    shape: [2, groups, 3 * count, 4],
    uniforms: [batch * slots, count, slots, groups * 3 * count * 4],
    invocations: batch * slots,
  });
  const shape = [components, components + 1, batch];
  const tiles = width * (width + 1) / 2;
  const system = run(tf, {
    key: "fit_albedo_systems",
    code: systemsCode,
    inputs: [products(tf, rows, { terms, groups, tiles }), residuals(tf, rows, { terms, groups }), sums],
    shape,
    uniforms: [sizeOf(shape), batch, components, tiles, width, FACE_SUMS, { f32: noise }],
    invocations: sizeOf(shape),
  });
  return { lights, codes: solveSystems(tf, system), shading };
}

/** Bytes of partial sums that are on the device at once: a hundred faces of 80 components would have 170 MB. */
const PARTIAL_BYTES = 1 << 25;

/** Σ component · component · term [groups, tiles, 16, 4 faces]. */
function products(
  tf: Tfjs,
  rows: Tensor,
  { terms, groups, tiles }: { terms: Tensor; groups: number; tiles: number },
): Tensor {
  const most = itemsAtOnce(tf, tiles * 16 * LANES * 16, { bytesAtOnce: PARTIAL_BYTES });
  const together = groups > 1 ? 2 : 1;
  const parts: Tensor[] = [];
  for (let first = 0; first < groups; first += most) {
    const some = Math.min(most, groups - first);
    const invocations = Math.ceil(some / together) * tiles * LANES;
    const partial = run(tf, {
      key: `fit_albedo_products_${together}`,
      code: () => productsCode(together),
      inputs: [rows, terms],
      shape: [some, tiles, 16, LANES, 4],
      uniforms: [invocations, first, some, tiles, rows.shape[0]!, rows.shape[1]! / 4],
      invocations,
    });
    parts.push(addLanes(tf, partial));
    partial.dispose();
  }
  return parts.length === 1 ? parts[0]! : tf.concat(parts);
}

/** Σ component · residual [groups, K, 4 faces]. */
function residuals(tf: Tfjs, rows: Tensor, { terms, groups }: { terms: Tensor; groups: number }): Tensor {
  const [height = 0, components = 0] = rows.shape;
  const width = components / 4;
  const partial = run(tf, {
    key: "fit_albedo_residuals",
    code: residualsCode,
    inputs: [rows, terms],
    shape: [groups, components, LANES, 4],
    uniforms: [groups * width * LANES, height, width, groups * height],
    invocations: groups * width * LANES,
  });
  return addLanes(tf, partial);
}
