/** Pictures of half the size: each pixel is the mean of four. */
import type { BytePixels } from "./pixels.ts";

/** A picture of half the width and height; an odd last column or row is left out. Both sides must be 2 or more. */
export function halved({ width, height, data }: BytePixels): BytePixels {
  const [columns, rows] = [width >> 1, height >> 1];
  const result = new Uint8Array(3 * columns * rows);
  for (let y = 0, to = 0; y < rows; y++) {
    let above = 6 * y * width;
    for (let x = 0; x < columns; x++, above += 6) {
      const below = above + 3 * width;
      for (let c = 0; c < 3; c++, to++) {
        const sum = data[above + c]! + data[above + 3 + c]! + data[below + c]! + data[below + 3 + c]!;
        result[to] = (sum + 2) >> 2;
      }
    }
  }
  return { width: columns, height: rows, data: result };
}
