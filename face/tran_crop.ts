/**
 * A crop for the networks of Tran et al., whose authors publish crops and no recipe. Theirs are of 256², of which the
 * network sees 224² about the middle, and the camera that their networks' outputs are relative to (`mean_m.npy`) tells
 * how large a face is in them and where. So a face is placed where that camera has the mean face, by the box of 68
 * landmarks: by its height, as a turned head is narrow, and by its centre.
 */
import { type CropTransform, FaceCropError, type Rectangle } from "./crop.ts";
import type { TranModel } from "./tran_model.ts";

/** Side of the authors' crops, and of what the network sees of them. */
const [PUBLISHED, SEEN] = [256, 224];

/** Where the landmarks of the mean face are in the crop, in pixels, as the mean camera has them. */
export function tranFrame({ mean, landmarks, camera }: TranModel): Rectangle {
  const m = camera.mean;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const vertex of landmarks) {
    const [x, y, z] = mean.subarray(3 * vertex, 3 * vertex + 3) as unknown as [number, number, number];
    const column = m[0]! * x + m[2]! * y + m[4]! * z + m[6]! - 0.5;
    const row = PUBLISHED - (m[1]! * x + m[3]! * y + m[5]! * z + m[7]!) + 0.5;
    [left, right] = [Math.min(left, column), Math.max(right, column)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
  }
  const margin = (PUBLISHED - SEEN) / 2;
  return { left: left - margin, top: top - margin, width: right - left, height: bottom - top };
}

/**
 * Places the crop.
 *
 * @param landmarks their bounding box in pixels of the photograph
 * @param options.frame of `tranFrame`
 * @throws {FaceCropError} if the box is empty
 */
export function tranCrop(
  { left, top, width, height }: Rectangle,
  { frame, photograph }: { frame: Rectangle; photograph: CropTransform["photograph"] },
): CropTransform {
  if (!(width > 0 && height > 0)) throw new FaceCropError(`Cannot crop a face of ${width}×${height} pixels`);
  const scale = frame.height / height;
  return {
    scale,
    x: frame.left + frame.width / 2 - scale * (left + width / 2),
    y: frame.top - scale * top,
    size: SEEN,
    photograph: { width: photograph.width, height: photograph.height },
  };
}
