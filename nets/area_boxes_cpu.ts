/** Parts of a photograph, shrunk by means over whole pixels, as plain loops: the reference of area_boxes.ts. */
import type { RgbImage } from "../face/image.ts";
import type { Pixels } from "../face/pixels.ts";
import type { PixelBox } from "./area_boxes.ts";
import type { Size } from "./resample_boxes.ts";

/** Shrinks a part of a photograph. */
export function areaBoxCpu(image: Pixels, box: PixelBox, { width, height }: Size): RgbImage {
  const full = image.data instanceof Uint8Array ? 255 : 1;
  const data = new Float32Array(3 * width * height);
  const bin = (i: number, from: number, to: number) =>
    [Math.floor(i * from / to), Math.ceil((i + 1) * from / to)] as const;
  for (let y = 0; y < height; y++) {
    const [top, bottom] = bin(y, box.height, height);
    for (let x = 0; x < width; x++) {
      const [left, right] = bin(x, box.width, width);
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) {
            sum += image.data[3 * ((box.top + row) * image.width + box.left + column) + c]!;
          }
        }
        data[3 * (y * width + x) + c] = sum / full / ((right - left) * (bottom - top));
      }
    }
  }
  return { width, height, data };
}
