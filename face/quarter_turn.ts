/** Pictures turned by quarter turns: pixels change places, and no value changes. */
import type { BytePixels } from "./pixels.ts";

/** A picture turned clockwise by so many quarter turns; itself for none. */
export function quarterTurned(image: BytePixels, turns: number): BytePixels {
  const quarters = ((turns % 4) + 4) % 4;
  if (quarters === 0) return image;
  const { width, height, data } = image;
  const size = quarters === 2 ? { width, height } : { width: height, height: width };
  const turned = new Uint8Array(data.length);
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0; x < width; x++, from += 3) {
      const [u, v] = quarters === 1
        ? [height - 1 - y, x]
        : quarters === 2
        ? [width - 1 - x, height - 1 - y]
        : [y, width - 1 - x];
      const to = 3 * (v * size.width + u);
      for (let c = 0; c < 3; c++) turned[to + c] = data[from + c]!;
    }
  }
  return { ...size, data: turned };
}
