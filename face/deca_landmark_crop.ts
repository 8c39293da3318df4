/**
 * DECA's crop around 68 landmarks (Feng et al. 2021, `bbox2point` with type `kpt68` of `decalib/datasets/datasets.py`):
 * side 1.25 · 1.1 × the mean of the sides of the landmarks' bounding box, about the box's centre. crop.ts has the crop
 * around a detector's box, whose centre moves down.
 */
import { boundsOf } from "./bounds.ts";
import { type CropTransform, decaCrop } from "./crop.ts";

/** The box that is cropped is so much larger than the landmarks' own. */
const GROWTH = 1.1;

/**
 * Places the crop.
 *
 * @param landmarks xy pairs in the authors' pixels, whose centres are whole numbers, as FAN and .mat files have them
 * @param options.size side of the crop in pixels; default 224
 * @throws {RangeError} if there are no landmarks, or all are on one place
 */
export function decaLandmarkCrop(
  landmarks: ArrayLike<number>,
  { size = 224, photograph }: { size?: number; photograph: CropTransform["photograph"] },
): CropTransform {
  const { left, top, right, bottom } = boundsOf(landmarks, 2);
  if (!(right - left + bottom - top > 0 && Number.isFinite(right - left + bottom - top))) {
    throw new RangeError(`Cannot crop a face by ${landmarks.length / 2} landmarks in a box of no size`);
  }
  const [width, height] = [GROWTH * (right - left), GROWTH * (bottom - top)];
  const box = { left: (left + right - width) / 2, top: (top + bottom - height) / 2, width, height };
  return decaCrop(box, { size, down: 0, photograph });
}
