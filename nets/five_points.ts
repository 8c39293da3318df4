/**
 * Alignment by five points, as recognition networks of the ArcFace family expect it (Deng et al. 2019): the similarity
 * that brings eyes, nose tip and mouth corners to fixed places in a picture of 112×112.
 */
import type { FaceLandmarks } from "../face/topology.ts";
import { addBilinear, createImage, type RgbImage } from "../face/image.ts";

/**
 * Eye centre, eye centre, nose tip, mouth corner, mouth corner, those of the image's left first: `[5, 2]`, x and y in
 * pixels.
 */
export type FivePoints = Float32Array;

/** Side of an aligned picture, in pixels. */
export const ALIGNED_SIZE = 112;

/** Where ArcFace puts the five points, pixel centres at +0.5. */
const TEMPLATE = [
  ...[38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041],
].map((value) => value + 0.5);

/** The five points of a mesh `[V, 3]`. */
export function fivePointsOfMesh(vertices: Float32Array, { eyes, noseTip, mouthCorners }: FaceLandmarks): FivePoints {
  const [outer, inner, otherInner, otherOuter] = eyes;
  const [corner, otherCorner] = mouthCorners;
  const groups = [[outer, inner], [otherInner, otherOuter], [noseTip], [corner], [otherCorner]];
  return meanPoints(groups, (i) => [vertices[3 * i], vertices[3 * i + 1]]);
}

/** The same picture as a square for the device to cut out: see `TurnedSquare`. */
export function alignedSquare(points: FivePoints): { x: number; y: number; a: number; b: number; samples: number } {
  const { a, b, x, y } = similarity(TEMPLATE, points);
  const half = ALIGNED_SIZE / 2;
  return { x: x + a * half - b * half, y: y + b * half + a * half, a, b, samples: samplesOf(a, b) };
}

/** Where the picture shrinks, each output pixel is the mean of several samples; so many along each side. */
const samplesOf = (a: number, b: number) => Math.max(1, Math.ceil(Math.hypot(a, b)));

/** A picture of 112×112 with the five points in their places; what lies outside of the image is its nearest edge. */
export function alignFace(image: RgbImage, points: FivePoints): RgbImage {
  const { a, b, x: tx, y: ty } = similarity(TEMPLATE, points);
  const result = createImage({ width: ALIGNED_SIZE, height: ALIGNED_SIZE });
  const samples = samplesOf(a, b);
  const weight = 1 / samples ** 2;
  for (let i = 0; i < ALIGNED_SIZE ** 2 * samples ** 2; i++) {
    const pixel = Math.floor(i / samples ** 2);
    const u = pixel % ALIGNED_SIZE + (i % samples + 0.5) / samples;
    const v = Math.floor(pixel / ALIGNED_SIZE) + (Math.floor(i / samples) % samples + 0.5) / samples;
    addBilinear(image, { x: a * u - b * v + tx, y: b * u + a * v + ty, weight, out: result.data, at: 3 * pixel });
  }
  return result;
}

/**
 * The similarity `(u, v) → (a·u − b·v + x, b·u + a·v + y)` that brings points nearest to others, by least squares.
 *
 * @throws {RangeError} If the points coincide.
 */
export function similarity(
  from: ArrayLike<number>,
  to: ArrayLike<number>,
): { a: number; b: number; x: number; y: number } {
  const count = from.length / 2;
  const mean = (points: ArrayLike<number>, axis: number) => {
    let sum = 0;
    for (let i = axis; i < points.length; i += 2) sum += points[i] as number;
    return sum / count;
  };
  const [fx, fy, tx, ty] = [mean(from, 0), mean(from, 1), mean(to, 0), mean(to, 1)];
  let [dot, cross, norm] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const [u, v] = [(from[2 * i] as number) - fx, (from[2 * i + 1] as number) - fy];
    const [p, q] = [(to[2 * i] as number) - tx, (to[2 * i + 1] as number) - ty];
    dot += u * p + v * q;
    cross += u * q - v * p;
    norm += u * u + v * v;
  }
  const [a, b] = [dot / norm, cross / norm];
  if (!(Math.hypot(a, b) > 0)) throw new RangeError("Cannot align a face: its points coincide or are not numbers");
  return { a, b, x: tx - a * fx + b * fy, y: ty - b * fx - a * fy };
}

function meanPoints(
  groups: readonly number[][],
  point: (i: number) => [x: number | undefined, y: number | undefined],
): FivePoints {
  const result = new Float32Array(2 * groups.length);
  groups.forEach((group, k) => {
    for (const i of group) {
      const [x, y] = point(i);
      if (x === undefined || y === undefined) throw new RangeError(`Cannot take five points: point ${i} is absent`);
      result[2 * k] = (result[2 * k] as number) + x / group.length;
      result[2 * k + 1] = (result[2 * k + 1] as number) + y / group.length;
    }
  });
  return result;
}
