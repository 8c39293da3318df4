// What the tests of this room feed to networks, and how they compare.
export { stackImages } from "../../nets/resample.ts";
import assert from "node:assert/strict";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { createImage, type RgbImage } from "../../face/image.ts";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { uniform } from "../../nets/random.ts";
import { decodePhotograph } from "../../stages/faces/photograph.ts";
import { asset } from "../assets.ts";

/** An image of uniform noise. */
export function noise({ width, height, seed }: { width: number; height: number; seed: number }): RgbImage {
  const random = uniform(seed);
  return createImage({ width, height }, Float32Array.from({ length: 3 * width * height }, random));
}

/** A photograph of data.lock. */
export async function photograph(id: string): Promise<RgbImage> {
  return (await decodePhotograph(await asset(id), { path: id })).image;
}

/** Fails unless all values agree within `tolerance`. */
export function near(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  let worst = 0;
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    worst = error <= worst ? worst : error;
  }
  assert.ok(worst <= tolerance, `values differ by up to ${worst}`);
}

/** Fails unless central differences of `loss` along the gradient agree with it within 1.5 %. */
export async function checkGradient(
  tf: Tfjs,
  { loss, x, gradient }: { loss: (x: Tensor4D) => Tensor; x: Tensor4D; gradient: Tensor },
): Promise<void> {
  const direction = tf.div(gradient, tf.max(tf.abs(gradient)));
  const [slope] = await tf.sum(tf.mul(gradient, direction)).data();
  const step = 1e-4; // small, as the slope jumps wherever a ReLU opens
  const [high] = await loss(tf.add(x, tf.mul(direction, step))).data();
  const [low] = await loss(tf.sub(x, tf.mul(direction, step))).data();
  const difference = (high! - low!) / (2 * step);
  assert.ok(slope! > 0 && Math.abs(difference / slope! - 1) < 0.015, `difference ${difference}, slope ${slope}`);
}

/** Cosine of two vectors. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return dot / Math.sqrt(aa * bb);
}

const square = (left: number, top: number, side: number) => ({ left, top, width: side, height: side });

/**
 * Faces of three people, the first two of one: `face` is the detector's box, `box` the square around the 468-point
 * mesh, `eyes` the mesh's eye centres (x, y, x, y).
 */
export const FACES = [
  {
    id: "train/franck/franck_01829.jpg",
    face: { left: 268, top: 102, width: 241, height: 382 },
    box: square(237.5, 154.2, 307.6),
    eyes: [333, 269, 442, 248],
  },
  {
    id: "train/franck/franck_04117.jpg",
    face: { left: 229, top: 102, width: 256, height: 384 },
    box: square(203.5, 145.9, 314.7),
    eyes: [313, 245, 422, 240],
  },
  {
    id: "train/obama/obama4_crop.jpg",
    face: { left: 29, top: -11, width: 232, height: 284 },
    box: square(14.1, -4.9, 247.1),
    eyes: [81, 64, 193, 61],
  },
  {
    id: "train/cage/cage.jpg",
    face: { left: 103, top: 58, width: 274, height: 476 },
    box: square(55.4, 142.6, 367),
    eyes: [167, 266, 301, 253],
  },
];
