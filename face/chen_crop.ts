/**
 * The crop of Chen et al. 2020 (`process_image_landmark` of `preprocess/face_cropping.py`,
 * cyj907/unsupervised-detail-layer): a square about the bounding box of 86 landmarks, centred at 0.4 of its height.
 * Half its side is the larger of 0.8 of the box's width and 0.6 of its height, cut to whole pixels. Where the authors'
 * cutting makes it a pixel wider than it is high, it is as high here.
 */
import { type CropTransform, FaceCropError, type Rectangle } from "./crop.ts";

/**
 * Places the crop.
 *
 * @param landmarks their bounding box in pixels of the photograph
 * @param options.size side of the crop in pixels. Default 300
 * @throws {FaceCropError} if the box is empty
 */
export function chenCrop(
  { left, top, width, height }: Rectangle,
  { size = 300, photograph }: { size?: number; photograph: CropTransform["photograph"] },
): CropTransform {
  const half = Math.max(0.8 * width, 0.6 * height);
  const centre = { x: left + 0.5 * width, y: top + 0.4 * height };
  const [first, end] = [whole(centre.y - half), whole(centre.y + half)];
  if (!(width > 0 && height > 0 && end > first)) {
    throw new FaceCropError(`Cannot crop a face of ${width}×${height} pixels`);
  }
  const scale = size / (end - first);
  return {
    scale,
    x: -scale * whole(centre.x - half),
    y: -scale * first,
    size,
    photograph: { width: photograph.width, height: photograph.height },
  };
}

/** Python's `int(value + 0.5)`. */
function whole(value: number): number {
  return Math.trunc(value + 0.5);
}
