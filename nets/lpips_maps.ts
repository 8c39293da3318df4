/**
 * What lpips.ts computes on the device around its convolutions: the colours that go in, the maps, and their means. All
 * sums have one order, so that a pair of pictures has the same bits alone and in every batch.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { alongAxis } from "@ftim/gpu/ops/along-axis";
import { transposeSparse } from "@ftim/gpu/sparse-matrix";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { program, run } from "@ftim/gpu/wgsl";
import { interpolationMatrix } from "./resample_taps.ts";

/** Added to a length. */
const EPSILON = 1e-10;

/** Colours as the authors scale them, for RGB in −1..1. */
const SHIFT = [-0.030, -0.088, -0.188];
const SCALE = [0.458, 0.448, 0.450];

/**
 * Colours as the network reads them.
 *
 * @param pictures RGB in 0..1 [B, H, W, 3]
 */
export function networkColours(tf: Tfjs, pictures: tfjs.Tensor4D): tfjs.Tensor4D {
  return run(tf, {
    key: "lpips_colours",
    code: () =>
      program({
        result: "f32",
        inputs: [["x", "f32"]],
        // Compilers multiply by the reciprocal of a constant, which rounds otherwise.
        uniforms: ["count", ...["shift", "scale"].flatMap((name) => ["R", "G", "B"].map((c) => `${name}${c}:f32`))],
        body: `
  if (id >= u.count) { return; }
  let at = 3 * id;
  result[at] = (x[at] * 2.0 - 1.0 - u.shiftR) / u.scaleR;
  result[at + 1] = (x[at + 1] * 2.0 - 1.0 - u.shiftG) / u.scaleG;
  result[at + 2] = (x[at + 2] * 2.0 - 1.0 - u.shiftB) / u.scaleB;`,
      }),
    inputs: [pictures],
    shape: pictures.shape,
    uniforms: [pictures.size / 3, ...[...SHIFT, ...SCALE].map((f32) => ({ f32 }))],
    invocations: pictures.size / 3,
  }) as tfjs.Tensor4D;
}

/**
 * The map of each picture: features brought to unit length, their squared differences to the target's, weighed by
 * channel.
 *
 * @param features [B + targets, h, w, C], C a multiple of four
 * @param options `targets`: of each picture its target's index behind the pictures [B]; `importance`: [C]
 * @returns [B, h, w]
 */
export function differences(
  tf: Tfjs,
  features: tfjs.Tensor4D,
  { targets, importance }: { targets: tfjs.Tensor1D; importance: tfjs.Tensor1D },
): tfjs.Tensor3D {
  const [, h, w, channels] = features.shape;
  const shape: [number, number, number] = [targets.size, h, w];
  const count = targets.size * h * w;
  return run(tf, {
    key: "lpips_differences",
    code: () =>
      program({
        result: "f32",
        inputs: [["features", "vec4<f32>"], ["targets", "i32"], ["importance", "vec4<f32>"]],
        uniforms: ["count", "cells", "pictures", "quads"],
        body: `
  if (id >= u.count) { return; }
  let picture = id / u.cells;
  let a = id * u.quads;
  let b = ((u.pictures + targets[picture]) * u.cells + id % u.cells) * u.quads;
  var lengths = vec2<f32>();
  for (var i = 0; i < u.quads; i++) {
    lengths += vec2<f32>(dot(features[a + i], features[a + i]), dot(features[b + i], features[b + i]));
  }
  // Keeps features without length at 0.
  lengths = sqrt(lengths) + ${EPSILON};
  var sum = 0.0;
  for (var i = 0; i < u.quads; i++) {
    let difference = features[a + i] / lengths.x - features[b + i] / lengths.y;
    sum += dot(difference * difference, importance[i]);
  }
  result[id] = sum;`,
      }),
    inputs: [features, targets, importance],
    shape,
    uniforms: [count, h * w, targets.size, channels / 4],
    invocations: count,
  }) as tfjs.Tensor3D;
}

/**
 * How much each cell of a map has of a mask, when the map is enlarged to the mask's size.
 *
 * @param masks [N, H, W, 1]
 * @returns [N, height, width, 1]
 */
export function sharesOf(
  tf: Tfjs,
  masks: tfjs.Tensor4D,
  { width, height }: { width: number; height: number },
): tfjs.Tensor {
  const [, H, W] = masks.shape;
  const gathering = (size: number, pixels: number) =>
    transposeSparse(interpolationMatrix({ size, start: 0, length: size }, { count: pixels }));
  const rows = alongAxis(tf, masks, { matrix: gathering(height, H), axis: 1 });
  return alongAxis(tf, rows, { matrix: gathering(width, W), axis: 2 });
}

/**
 * The mean of map `owners[n]` under the n-th weights.
 *
 * @param maps [B, h, w]
 * @param options `owners`: [N]; `weights`: [N, h, w]
 * @returns [N]
 */
export function weightedMeans(
  tf: Tfjs,
  maps: tfjs.Tensor3D,
  { owners, weights }: { owners: tfjs.Tensor1D; weights: tfjs.Tensor },
): tfjs.Tensor {
  return run(tf, {
    key: "weighted_means",
    code: () =>
      program({
        result: "f32",
        inputs: [["maps", "f32"], ["owners", "i32"], ["weights", "f32"]],
        uniforms: ["count", "cells"],
        body: `
  if (id >= u.count) { return; }
  let map = owners[id] * u.cells;
  let own = id * u.cells;
  var sum = 0.0;
  var total = 0.0;
  for (var i = 0; i < u.cells; i++) {
    sum += weights[own + i] * maps[map + i];
    total += weights[own + i];
  }
  result[id] = sum / total;`,
      }),
    inputs: [maps, owners, weights],
    shape: [owners.size],
    uniforms: [owners.size, maps.shape[1] * maps.shape[2]],
    invocations: owners.size,
  });
}
