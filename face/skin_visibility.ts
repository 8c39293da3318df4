/**
 * What of a face's seen texture is the person's own skin, for many faces at once on the device. Hair, a hand, a phone
 * or a glare may lie on a part of a face, and beside a cheek that turns away a mesh shows the wall. Mirrored to the
 * other half, they would be taken for skin there.
 *
 * A texel counts as covered if it does not look like this person's skin in this light, and its mirror image does. So
 * brows, eyes, lips and a beard stay, which both halves have. A glare on skin that faces the camera is skin where it
 * lies. On the other half it is none, though, and where that was not seen who mirrors the texture must not bring it
 * there. What the colour of the skin is, the face itself says: its colours relative to the template in its light,
 * robustly, since most of what is seen of a face is skin.
 *
 * The reference is skin_visibility_cpu.ts. The same bits come out for a face in any batch.
 */
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { boxMean } from "@ftim/gpu/ops/box-mean";
import type { Tfjs } from "@ftim/gpu/backend";
import { SKIN } from "./skin_settings.ts";

/** How far what is no skin spreads, see `SKIN`. */
interface Spread {
  readonly radius: number;
  readonly share: readonly [number, number];
}

/** What is known of the faces. */
export interface SkinInputs {
  /** What was seen [B, S, S, 3], 0..1. */
  readonly textures: Tensor4D;
  /** [B, S, S], 0..1 */
  readonly visibilities: Tensor3D;
  /** The templates in their light [B, S, S, 3], about 0..1. */
  readonly templates: Tensor4D;
}

/** Visibilities [B, S, S]. A type and no interface, so that `tf.tidy` takes it. */
export type SkinVisibilities = {
  /** Lowered to 0 where a texel is covered. */
  readonly seen: Tensor3D;
  /** Lowered to 0 on a glare, too, whose mirror image was not seen: of that, what may be mirrored. */
  readonly mirrored: Tensor3D;
};

/**
 * Visibilities of faces' own skin.
 *
 * @throws {RangeError} if shapes do not fit
 */
export function skinVisibilities(tf: Tfjs, { textures, visibilities, templates }: SkinInputs): SkinVisibilities {
  const [count, size, width, channels] = textures.shape;
  if (size !== width || channels !== 3 || `${templates.shape}` !== `${textures.shape}`) {
    throw new RangeError(`Textures [${textures.shape}] do not fit templates [${templates.shape}]`);
  }
  if (visibilities.size !== count * size * size) {
    throw new RangeError(`Textures [${textures.shape}] do not fit visibilities [${visibilities.shape}]`);
  }
  const { skin, other, glare, seen } = SKIN;
  return tf.tidy(() => {
    const found = skinDistances(tf, { textures, visibilities, templates });
    const distance = tf.reshape(found.distances, [count, size, size]);
    const alike = tf.mul(tf.less(distance, skin ** 2).toFloat(), tf.greater(visibilities, seen).toFloat());
    const unlike = tf.mul(tf.greater(distance, other ** 2).toFloat(), tf.greater(visibilities, 0).toFloat());
    const bright = tf.greater(tf.reshape(found.brighter, [count, size, size]), glare.brighter).toFloat();
    const shining = tf.mul(bright, tf.greater(visibilities, glare.facing).toFloat());
    const covered = tf.mul(tf.reverse(alike, 2), tf.sub(1, shining));
    const shone = tf.mul(bright, tf.lessEqual(tf.reverse(visibilities, 2), seen).toFloat());
    const without = (map: Tensor, reason: Tensor, { radius, share: [low, high] }: Spread) => {
      const around = boxMean(tf, tf.mul(unlike, reason) as Tensor3D, { radius: Math.round(radius * size) });
      const part = tf.clipByValue(tf.div(tf.sub(around, low), high - low), 0, 1);
      const kept = tf.sub(1, tf.mul(tf.square(part), tf.sub(3, tf.mul(2, part))));
      return tf.mul(map, kept) as Tensor3D;
    };
    const uncovered = without(visibilities, covered, SKIN);
    return { seen: uncovered, mirrored: without(uncovered, shone, glare) };
  });
}

/**
 * Squared distances of each texel's colour from the face's skin, in standard deviations, and by how much it is
 * brighter, as the mean logarithm of the channels, of which the red one may be clipped [B, S·S].
 */
function skinDistances(
  tf: Tfjs,
  { textures, visibilities, templates }: SkinInputs,
): { distances: Tensor2D; brighter: Tensor } {
  const { dark, turns } = SKIN;
  const [count, size] = textures.shape;
  const texels = size * size;
  const log = (colours: Tensor4D) => tf.log(tf.add(tf.maximum(colours, 0), dark));
  const ratios = tf.reshape(tf.sub(log(textures), log(templates)), [count, texels, 3]);
  const [r, g, b] = [0, 1, 2].map((c) => tf.reshape(tf.slice(ratios, [0, 0, c], [-1, -1, 1]), [count, texels])) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const seen = tf.reshape(visibilities, [count, texels]);
  const colours = [r, g, b] as const;
  // A first turn sees all colours, so its spread is wide; later turns settle on the largest group of like colours.
  let weights = seen;
  for (let turn = 0; turn + 1 < turns; turn++) {
    // what a turn works with is given back before the next one begins
    const next = tf.tidy(() => {
      const mean = meanBy(tf, weights);
      return weightsOf(tf, distancesOf(tf, offsetsFrom(tf, colours, mean), mean), seen);
    });
    if (turn > 0) weights.dispose();
    weights = next;
  }
  return tf.tidy(() => {
    const mean = meanBy(tf, weights);
    const offsets = offsetsFrom(tf, colours, mean);
    const [dr, dg, db] = offsets;
    return { distances: distancesOf(tf, offsets, mean), brighter: tf.div(tf.addN([dr, dg, db]), 3) };
  });
}

/** How much each texel counts for the colour of the skin [B, S·S], by its squared distance from the last one found. */
function weightsOf(tf: Tfjs, distances: Tensor, seen: Tensor): Tensor {
  return tf.mul(seen, tf.exp(tf.mul(-0.5, tf.minimum(distances, 60))));
}

/** Values of each channel [B, S·S]. */
type Channels = readonly [Tensor, Tensor, Tensor];

/** Takes values [B, S·S] to their mean of each face [B, 1]. */
type Mean = (x: Tensor) => Tensor;

/** The mean by weights [B, S·S]. */
function meanBy(tf: Tfjs, weights: Tensor): Mean {
  const total = tf.add(tf.sum(weights, 1, true), 1e-6);
  return (x) => tf.div(tf.sum(tf.mul(weights, x), 1, true), total);
}

/** Colours less their mean. */
function offsetsFrom(tf: Tfjs, colours: Channels, mean: Mean): Channels {
  const [dr, dg, db] = colours.map((x) => tf.sub(x, mean(x)));
  return [dr!, dg!, db!];
}

/** Squared lengths of offsets, in the standard deviations that they have themselves [B, S·S]. */
function distancesOf(tf: Tfjs, [dr, dg, db]: Channels, mean: Mean): Tensor2D {
  const variance = SKIN.spread ** 2;
  const [rr, gg, bb] = [dr, dg, db].map((x) => tf.add(mean(tf.square(x)), variance)) as [Tensor, Tensor, Tensor];
  const [rg, rb, gb] = [mean(tf.mul(dr, dg)), mean(tf.mul(dr, db)), mean(tf.mul(dg, db))];
  // The inverse of the covariance, by its cofactors.
  const minor = (a: Tensor, d: Tensor, b: Tensor, c: Tensor) => tf.sub(tf.mul(a, d), tf.mul(b, c));
  const [crr, cgg, cbb] = [minor(gg, bb, gb, gb), minor(rr, bb, rb, rb), minor(rr, gg, rg, rg)];
  const [crg, crb, cgb] = [minor(rb, gb, rg, bb), minor(rg, gb, rb, gg), minor(rb, rg, rr, gb)];
  const determinant = tf.addN([tf.mul(rr, crr), tf.mul(rg, crg), tf.mul(rb, crb)]);
  const term = (factor: Tensor, x: Tensor, y: Tensor) => tf.mul(factor, tf.mul(x, y));
  const squares = tf.addN([term(crr, dr, dr), term(cgg, dg, dg), term(cbb, db, db)]);
  const products = tf.addN([term(crg, dr, dg), term(crb, dr, db), term(cgb, dg, db)]);
  return tf.div(tf.add(squares, tf.mul(2, products)), determinant) as Tensor2D;
}
