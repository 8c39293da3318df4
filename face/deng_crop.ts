/**
 * The crop of Deng et al. 2019 (`align_img` of `util/preprocess.py` in Deep3DFaceRecon_pytorch): the photograph is
 * reduced or enlarged so that five points have the size of a standard face's, and 224² of its pixels are cut out around
 * that face's origin. It is not turned. Sizes and corners are cut to whole pixels, as there, so that the two directions
 * may differ in scale by a little.
 */
import { FaceCropError, type Point, type Rectangle } from "./crop.ts";
import { solveCholesky } from "./linear.ts";

/** Side of the crop in pixels. */
const SIDE = 224;
/** No photograph has so many pixels along a side: points that are so near to each other are one. */
const MOST = 2 ** 20;
/** So large is what has size 1 in the standard face, in pixels. */
const STANDARD = 102;

/** A crop of a photograph that was resampled as a whole. */
export interface DengCrop {
  /** What the photograph is resampled to, in pixels. */
  readonly resized: { readonly width: number; readonly height: number };
  /** The crop's first pixel there; it may lie outside. */
  readonly left: number;
  readonly top: number;
  /** What the crop shows, in the photograph's pixels. */
  readonly part: Rectangle;
}

/**
 * Places the crop.
 *
 * @param points five, in the authors' pixels, whose centres are whole numbers: eyes, nose, corners of the mouth
 * @param options.standard the same of the standard face `[5, 3]`, x right, y up
 * @throws {FaceCropError} if the points coincide or are not numbers, or if nothing of the photograph would be left
 * @throws {RangeError} if there are not five points each
 */
export function dengCrop(
  points: readonly Point[],
  { standard, photograph: { width, height } }: {
    standard: ArrayLike<number>;
    photograph: { readonly width: number; readonly height: number };
  },
): DengCrop {
  if (points.length !== 5 || standard.length !== 15) {
    throw new RangeError(`Cannot align ${points.length} points with ${standard.length / 3}; five are needed`);
  }
  // y up, from the last row
  const across = fit(points.map(({ x }) => x), standard);
  const up = fit(points.map(({ y }) => height - 1 - y), standard);
  const scale = STANDARD / ((across.length + up.length) / 2);
  if (!(scale > 0 && scale * Math.max(width, height) < MOST)) {
    throw new FaceCropError("Cannot align a face: its points coincide or are not numbers");
  }
  const resized = { width: Math.trunc(width * scale), height: Math.trunc(height * scale) };
  if (!(resized.width >= 1 && resized.height >= 1)) {
    throw new FaceCropError(`Cannot align a face: its photograph would have ${resized.width}×${resized.height} pixels`);
  }
  const left = Math.trunc(resized.width / 2 - SIDE / 2 + (across.shift - width / 2) * scale);
  const top = Math.trunc(resized.height / 2 - SIDE / 2 + (height / 2 - up.shift) * scale);
  const step = { x: width / resized.width, y: height / resized.height };
  return {
    resized,
    left,
    top,
    part: { left: left * step.x, top: top * step.y, width: SIDE * step.x, height: SIDE * step.y },
  };
}

/** One coordinate as a linear function of the standard face's three and a shift, by least squares: `POS` there. */
function fit(values: readonly number[], standard: ArrayLike<number>): { length: number; shift: number } {
  const [matrix, right] = [new Float64Array(16), new Float64Array(4)];
  for (const [point, value] of values.entries()) {
    const row = [standard[3 * point]!, standard[3 * point + 1]!, standard[3 * point + 2]!, 1];
    for (let i = 0; i < 4; i++) {
      right[i] = right[i]! + row[i]! * value;
      for (let j = 0; j < 4; j++) matrix[4 * i + j] = matrix[4 * i + j]! + row[i]! * row[j]!;
    }
  }
  const [x, y, z, shift] = solveCholesky({ matrix, right });
  return { length: Math.hypot(x!, y!, z!), shift: shift! };
}
