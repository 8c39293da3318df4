/**
 * Complete textures from single photographs, for many faces at once on the device: what was not seen comes from the
 * mirrored other half, matched in colour, and what neither half saw is filled smoothly. The borders fade, so that no
 * seam shows.
 *
 * Values agree with the reference's (complete_textures_cpu.ts) to f32 rounding, 2e-6 of full scale: its sums over cells
 * are in f64, here they are in f32, row by row.
 */
import type { Tensor, Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import { itemsAtOnce } from "@ftim/gpu/at-once";
import { webgpuBackend } from "@ftim/gpu/backend";
import { boxMeanPacked, packedRow } from "@ftim/gpu/ops/box-mean";
import { fillTexels, halfOf } from "@ftim/gpu/ops/push-pull";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { run } from "@ftim/gpu/wgsl";
import { blendCode, finishCode, matchCode } from "./complete_blend_wgsl.ts";
import { BOUND, type CompleteOptions, LEAST_OVERLAP } from "./complete_options.ts";
import {
  cellGainsCode,
  cellRowsCode,
  gainRowsCode,
  gatherCode,
  ownCode,
  visibilityCode,
} from "./complete_textures_wgsl.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import { type UvMap, uvMap } from "./uv_map.ts";

/** What is known of the faces. */
export interface SeenTextures {
  /** [faces, size, size, 3], as `unwrap` gives each. */
  readonly textures: Tensor4D;
  /** Visibility, 0..1 [faces, size, size]; a last axis of 1 may follow. */
  readonly visibilities: Tensor;
  /** What is shown where neither half was seen, of each face [faces, size, size, 3]. Default: nothing. */
  readonly templates?: Tensor4D | undefined;
}

/** Complete textures. */
export interface CompletedTextures {
  /**
   * [faces, size, size, 3], defined everywhere, also outside the chart; of an unseen face it is the template, or 0. The
   * caller disposes of it.
   */
  readonly textures: Tensor4D;
  /**
   * The faces of which no texel was seen, in order; one whose colours are no finite numbers is among them. Their
   * textures mean nothing.
   */
  readonly unseen: readonly number[];
}

/** How textures are completed, and how many at a time. */
export interface CompleteAllOptions extends Omit<CompleteOptions, "template"> {
  /** Texels of the largest tensors at a time. Default 2²⁰; more is not faster, and takes 150 bytes for each. */
  readonly texelsAtOnce?: number;
}

/**
 * Completes textures. Nothing is read back but whether each face was seen, once for all faces.
 *
 * The same bits come out for a face in any batch.
 *
 * @throws {RangeError} if shapes do not fit, or the maps are of less than 2×2 texels
 * @throws {GpuError} if the device reports an error
 */
export async function completeTextures(
  tf: Tfjs,
  faces: SeenTextures,
  { texelsAtOnce = 1 << 20, ...options }: CompleteAllOptions,
): Promise<CompletedTextures> {
  const [count, size, width] = faces.textures.shape;
  const { textures, visibilities, templates } = faces;
  if (
    size !== width || size < 2 || textures.shape[3] !== 3 || visibilities.size !== count * size * size ||
    templates !== undefined && templates.shape.join() !== textures.shape.join()
  ) {
    throw new RangeError(
      `Textures [${textures.shape}] cannot be completed with visibilities [${visibilities.shape}]` +
        (templates === undefined ? "" : ` and templates [${templates.shape}]`),
    );
  }
  if (count === 0) return { textures: textures.clone(), unseen: [] };
  // The largest tensors have 16 bytes a texel.
  const most = itemsAtOnce(tf, 16 * size ** 2, { bytesAtOnce: 16 * texelsAtOnce });
  const [complete, tops] = tf.tidy(() => {
    const parts: { complete: Tensor4D; top: Tensor2D }[] = [];
    for (let first = 0; first < count; first += most) {
      const taken = Math.min(most, count - first);
      const part = (map: Tensor) => taken === count ? map : tf.slice(map, first, taken);
      parts.push(tf.tidy(() =>
        completeBatch(tf, {
          textures: part(textures) as Tensor4D,
          visibilities: part(visibilities),
          templates: templates === undefined ? undefined : part(templates) as Tensor4D,
        }, options)
      ));
    }
    const join = <T extends Tensor>(all: T[]) => all.length === 1 ? all[0]! : tf.concat(all);
    return [join(parts.map(({ complete }) => complete)), join(parts.map(({ top }) => top))] as const;
  });
  try {
    const [weights] = await readBack([tops], "completeTextures");
    return { textures: complete, unseen: [...Array(count).keys()].filter((i) => !(weights![4 * i + 3]! > 0)) };
  } catch (error) {
    complete.dispose();
    throw error;
  }
}

/** The complete textures, and the top level of what is known of each [faces, 4]. */
function completeBatch(
  tf: Tfjs,
  { textures, visibilities, templates }: SeenTextures,
  { topology, feather = 6, trust = [0.25, 0.75], seam = 0, bound, cells = 16, gainPrior = 0.02 }: Omit<
    CompleteOptions,
    "template"
  >,
): { complete: Tensor4D; top: Tensor2D } {
  const [count, size] = textures.shape;
  const map = uvMap(topology, size);
  const own = seenWeights(tf, visibilities, { map, feather, trust });
  const templated = templates === undefined ? 0 : 1;
  const row = packedRow(size);
  const half = halfOf(size);
  const [texels, blocks] = [count * size * size, count * half * half];

  const gather = (values: Tensor, weights: Tensor | undefined) =>
    run(tf, {
      key: `complete_gather_${size % 4 === 0 ? 4 : 1}`,
      code: () => gatherCode(size % 4 === 0),
      inputs: [values, weights ?? own],
      shape: [texels, 4],
      uniforms: [count * size * row, row, size, weights === undefined ? 0 : 1],
      invocations: count * size * row,
    });
  const seen = gather(textures, own);
  const template = templates === undefined ? tf.zeros([1, 4]) : gather(templates, undefined);
  const gains = colourGains(tf, seen, { count, size, cells, gainPrior });
  const matched = empty(tf, texels);
  const differences = run(tf, {
    key: "complete_match",
    code: matchCode,
    inputs: [seen, template, gains],
    outputs: [matched],
    shape: [2 * blocks, 4],
    uniforms: [blocks, size, half, cells, Math.ceil(size / cells), templated],
    invocations: blocks,
  }) as Tensor2D;
  const [seamed, bounded] = [seam > 0, bound !== undefined];
  const known = empty(tf, texels);
  const level = run(tf, {
    key: `complete_blend_${seamed}_${bounded}`,
    code: () => blendCode({ seamed, bounded }),
    inputs: [
      seen,
      template,
      matched,
      seamed || bounded ? fillTexels(tf, differences, { size: half }).filled : differences,
      seamed ? boxMeanPacked(tf, own, { size, radius: seam }) : own,
      bounded ? boxMeanPacked(tf, own, { size, radius: BOUND.radius }) : own,
    ],
    outputs: [known],
    shape: [blocks, 4],
    uniforms: [blocks, size, half, row, templated, { f32: bound ?? 0 }, { f32: BOUND.widening }],
    invocations: blocks,
  }) as Tensor2D;
  const { filled, top } = fillTexels(tf, level, { size: half });
  const complete = run(tf, {
    key: "complete_finish",
    code: finishCode,
    inputs: [known, template, filled],
    shape: textures.shape,
    uniforms: [blocks, size, half, templated],
    invocations: blocks,
  }) as Tensor4D;
  return { complete, top };
}

/** How far each texel counts as seen: `fade` of the reference. Packed. */
function seenWeights(
  tf: Tfjs,
  visibilities: Tensor,
  { map, feather, trust: [least, full] }: { map: UvMap; feather: number; trust: readonly [number, number] },
): Tensor2D {
  const { size } = map;
  const row = packedRow(size);
  const elements = size * row;
  const invocations = visibilities.size / size ** 2 * elements;
  const nearest = tf.tensor1d(packedNearest(map), "int32");
  const visibility = run(tf, {
    key: "complete_visibility",
    code: visibilityCode,
    inputs: [visibilities, nearest],
    shape: [invocations, 4],
    uniforms: [invocations, elements, size * size],
    invocations,
  }) as Tensor2D;
  const limits = [0.5 / 0.75 * full, Math.min(1, 0.95 / 0.75 * full), least, full].map((f32) => ({ f32 }));
  return run(tf, {
    key: "complete_own",
    code: ownCode,
    inputs: [visibility, boxMeanPacked(tf, visibility, { size, radius: feather }), nearest],
    shape: [invocations, 4],
    uniforms: [invocations, elements, row, size, ...limits],
    invocations,
  }) as Tensor2D;
}

/**
 * The gains of the cells with those filled in that both halves say little of, along rows as long as the map's
 * [faces·cells·size, 4]: `colourGain` of the reference.
 */
function colourGains(
  tf: Tfjs,
  seen: Tensor,
  { count, size, cells, gainPrior }: { count: number; size: number; cells: number; gainPrior: number },
): Tensor2D {
  const side = Math.ceil(size / cells);
  const [rows, all] = [count * size * cells, count * cells * cells];
  const sums = run(tf, {
    key: "complete_cell_rows",
    code: cellRowsCode,
    inputs: [seen],
    shape: [2 * rows, 4],
    uniforms: [rows, size, cells, side],
    invocations: rows,
  });
  const gains = run(tf, {
    key: "complete_cell_gains",
    code: cellGainsCode,
    inputs: [sums],
    shape: [all, 4],
    uniforms: [all, size, cells, side, { f32: gainPrior * side * side }, { f32: LEAST_OVERLAP }],
    invocations: all,
  }) as Tensor2D;
  return run(tf, {
    key: "complete_gain_rows",
    code: gainRowsCode,
    inputs: [fillTexels(tf, gains, { size: cells }).filled],
    shape: [rows, 4],
    uniforms: [rows, size, cells, side],
    invocations: rows,
  }) as Tensor2D;
}

/** Texels for a program to write [count, 4]. */
function empty(tf: Tfjs, count: number): Tensor2D {
  return tf.engine().makeTensorFromTensorInfo(
    webgpuBackend(tf).makeTensorInfo([count, 4], "float32"),
  ) as Tensor2D;
}

const packings = new WeakMap<UvMap, Int32Array>();

/** The nearest texels in rows padded to elements of four. */
function packedNearest(map: UvMap): Int32Array {
  let packed = packings.get(map);
  if (packed !== undefined) return packed;
  const { size, nearest } = map;
  const width = 4 * packedRow(size);
  packed = new Int32Array(size * width);
  for (let y = 0; y < size; y++) packed.set(nearest.subarray(y * size, (y + 1) * size), y * width);
  packings.set(map, packed);
  return packed;
}
