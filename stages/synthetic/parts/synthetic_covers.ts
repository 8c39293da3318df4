/**
 * What covers a part of a head of `synthesize`: hair that falls over a temple, a hand at a cheek. It lies on one side
 * and is part of the head's texture, so that all views of a capture agree on it: a network that mirrors it to the other
 * side is wrong there. Its colours come from the head's own photograph, above the face for hair and of a cheek for a
 * hand.
 */
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { boundsOf } from "../../../face/bounds.ts";
import type { Rectangle } from "../../../face/crop.ts";
import type { Pixels } from "../../../face/pixels.ts";
import type { Random } from "../../../nets/random.ts";
import { cropPhotographs } from "../../../nets/crop_photographs.ts";

/** A cover, in parts of the side of the map. */
export interface CoverPlan {
  readonly kind: "hair" | "hand";
  /** Its middle: u right, v down. */
  readonly at: readonly [number, number];
  /** Half its width and height, before it is turned. */
  readonly radii: readonly [number, number];
  /** Radians by which it is turned clockwise. */
  readonly angle: number;
  /** Phases of the three waves of its outline, radians. */
  readonly phases: readonly [number, number, number];
}

/** Draws a cover on one side of the face: hair from the top to the cheek, a hand from the cheek to the chin. */
export function planCover(random: Random): CoverPlan {
  const side = random() < 0.5 ? -1 : 1;
  const kind = random() < 0.7 ? "hair" : "hand";
  const [low, high] = kind === "hair" ? [20, 100] : [90, 150];
  const turn = side * (low + (high - low) * random()) * Math.PI / 180;
  const distance = 0.3 + 0.1 * random();
  const phase = () => 2 * Math.PI * random();
  return {
    kind,
    at: [0.5 + distance * Math.sin(turn), 0.5 - distance * Math.cos(turn)],
    radii: [0.08 + 0.08 * random(), 0.16 + 0.14 * random()],
    angle: side * (random() - 0.25) * Math.PI / 3,
    phases: [phase(), phase(), phase()],
  };
}

/** Waves of an outline: how often each goes up and down around it, and how far, in parts of the radius. */
const WAVES = [[2, 0.12], [5, 0.09], [11, 0.05]] as const;
/** The outline fades over so much of the radius. */
const EDGE = 0.12;

/** Whose colours a head's cover has. */
export interface CoverSource {
  readonly photograph: Pixels;
  /** Its mesh in pixels of the photograph [3·V]. */
  readonly vertices: Float32Array;
}

/**
 * Albedos with covers over them; without any, the same tensor.
 *
 * @param albedos [B, S, S, 3]
 * @param covers one for each map, or null
 */
export function coverAlbedos(
  tf: Tfjs,
  albedos: Tensor4D,
  covers: readonly ({ readonly plan: CoverPlan; readonly source: CoverSource } | null)[],
): Tensor4D {
  const given = covers.filter((cover) => cover !== null);
  if (given.length === 0) return albedos;
  const size = albedos.shape[1];
  return tf.tidy(() => {
    const boxes = given.map(({ plan, source }) => ({ image: source.photograph, box: patchOf(plan.kind, source) }));
    const patches = tf.unstack(cropPhotographs(tf, boxes, { width: size, height: size }));
    const maps = tf.unstack(albedos).map((map, i) => {
      const cover = covers[i]!;
      if (cover === null) return map;
      const share = tf.reshape(coverShares(tf, cover.plan, size), [size, size, 1]);
      return tf.add(tf.mul(patches[given.indexOf(cover)]!, share), tf.mul(map, tf.sub(1, share)));
    });
    return tf.stack(maps) as Tensor4D;
  });
}

/** How much of each texel a cover takes [S, S], 0..1. */
export function coverShares(tf: Tfjs, { at, radii, angle, phases }: CoverPlan, size: number): Tensor2D {
  return tf.tidy(() => {
    const centres = tf.div(tf.add(tf.range(0, size), 0.5), size);
    const x = tf.reshape(tf.sub(centres, at[0]), [1, size]);
    const y = tf.reshape(tf.sub(centres, at[1]), [size, 1]);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const across = tf.div(tf.add(tf.mul(x, cos), tf.mul(y, sin)), radii[0]);
    const along = tf.div(tf.sub(tf.mul(y, cos), tf.mul(x, sin)), radii[1]);
    const radius = tf.sqrt(tf.add(tf.square(across), tf.square(along)));
    const around = tf.atan2(along, across);
    const outline = WAVES.reduce(
      (sum, [count, depth], i) => tf.add(sum, tf.mul(tf.sin(tf.add(tf.mul(around, count), phases[i]!)), depth)),
      tf.onesLike(around),
    );
    return tf.clipByValue<Tensor2D>(tf.div(tf.sub(outline, radius), EDGE), 0, 1);
  });
}

/** The part of the photograph that a cover's colours come from, in its pixels. */
function patchOf(kind: CoverPlan["kind"], { photograph, vertices }: CoverSource): Rectangle {
  const { left, right, top, bottom } = boundsOf(vertices);
  const [width, height] = [right - left, bottom - top];
  const box = kind === "hair"
    ? { left: left + 0.15 * width, top: top - 0.3 * height, width: 0.7 * width, height: 0.3 * height }
    : { left: left + 0.15 * width, top: top + 0.55 * height, width: 0.2 * width, height: 0.2 * height };
  // A photograph may end above the brows; then the hair is what is at its edge.
  const y = Math.min(Math.max(box.top, 0), Math.max(0, photograph.height - box.height));
  const x = Math.min(Math.max(box.left, 0), Math.max(0, photograph.width - box.width));
  return { ...box, left: x, top: y };
}
