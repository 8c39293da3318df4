/** Crops by plain bilinear interpolation as loops in double precision: the reference of bilinear_crop.ts. */
import { type CropTransform, toPhotograph } from "../face/crop.ts";
import type { RgbImage } from "../face/image.ts";
import type { Pixels } from "../face/pixels.ts";

/** Cuts a crop out of its photograph; outside of the photograph is black. */
export function bilinearCropCpu(image: Pixels, transform: CropTransform): RgbImage {
  const { size } = transform;
  const full = image.data instanceof Uint8Array ? 255 : 1;
  const data = new Float32Array(3 * size * size);
  const value = (x: number, y: number, c: number) =>
    x < 0 || y < 0 || x >= image.width || y >= image.height ? 0 : image.data[3 * (y * image.width + x) + c]! / full;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = toPhotograph(transform, { x: x + 0.5, y: y + 0.5 });
      const [left, top] = [Math.floor(at.x - 0.5), Math.floor(at.y - 0.5)];
      const [right, down] = [at.x - 0.5 - left, at.y - 0.5 - top];
      for (let c = 0; c < 3; c++) {
        const upper = (1 - right) * value(left, top, c) + right * value(left + 1, top, c);
        const lower = (1 - right) * value(left, top + 1, c) + right * value(left + 1, top + 1, c);
        data[3 * (y * size + x) + c] = (1 - down) * upper + down * lower;
      }
    }
  }
  return { width: size, height: size, data };
}
