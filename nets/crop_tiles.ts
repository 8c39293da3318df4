/**
 * Crops as tiles: which pixels of a photograph some rows of a crop are made of, so many that the device holds them.
 */
import type { PixelPart, Pixels } from "../face/pixels.ts";
import type { PixelWork } from "./pixel_groups.ts";
import { type Border, type Box, type Taps, taps } from "./resample_taps.ts";

/** A box in a photograph. */
export interface PhotographBox {
  readonly image: Pixels;
  /** Default: the whole photograph. */
  readonly box?: Box;
}

/** Some rows of a crop and the pixels that they are made of. */
export interface Tile extends PixelPart {
  readonly image: Pixels;
  readonly down: Taps;
  readonly across: Taps;
  /** Rows of the crop. */
  readonly first: number;
  readonly end: number;
  /** Quads of four pixels in a row of pixels. */
  readonly stride: number;
}

/** Bytes of a quad's twelve values. */
export const quadBytes = ({ data }: Pixels) => 12 * data.BYTES_PER_ELEMENT;
/** Bytes of a quad of texels of four floats. */
const TEXEL_QUAD = 64;

export function tilesOf(
  { image, box = { left: 0, top: 0, width: image.width, height: image.height } }: PhotographBox,
  { index, width, height, border, most }: {
    index: number;
    width: number;
    height: number;
    border: Border;
    most: number;
  },
): Tile[] {
  const sizes = [image.width, image.height, width, height, box.width, box.height];
  if (!sizes.every((size) => size > 0 && size < Infinity) || !Number.isFinite(box.left + box.top)) {
    throw new RangeError(
      `Cannot resample box ${index}, ${box.width}×${box.height} at (${box.left}, ${box.top}) of ${image.width}×` +
        `${image.height} pixels, to ${width}×${height}`,
    );
  }
  const across = taps({ size: image.width, start: box.left, length: box.width }, width, border);
  const down = taps({ size: image.height, start: box.top, length: box.height }, height, border);
  const { start: left, count: columns } = reachOf(across, { first: 0, end: width });
  const stride = Math.ceil(columns / 4);
  const tile = (first: number, end: number): Tile[] => {
    const { start: top, count: rows } = reachOf(down, { first, end });
    const one = { image, down, across, first, end, left, top, columns, rows, stride };
    if (workOf(one).bytes <= most) return [one];
    if (end - first === 1) {
      throw new RangeError(
        `Cannot resample box ${index}: a row of the crop is made of ${columns}×${rows} pixels, more than the device ` +
          "holds; reduce the photograph first",
      );
    }
    const middle = (first + end) >> 1;
    return [...tile(first, middle), ...tile(middle, end)];
  };
  return tile(0, height);
}

/** The input pixels that some output pixels of an axis are made of. */
function reachOf(
  { first: firsts, width }: Taps,
  { first, end }: { first: number; end: number },
): { start: number; count: number } {
  let [low, high] = [Infinity, -Infinity];
  for (let i = first; i < end; i++) {
    low = Math.min(low, firsts[i]!);
    high = Math.max(high, firsts[i]!);
  }
  return { start: low, count: high + width - low };
}

/** What a tile takes on the device: the larger of its pixels and its rows after the first step. */
export function workOf({ image, first, end, rows, stride }: Tile): PixelWork {
  return { image, bytes: stride * Math.max(quadBytes(image) * rows, TEXEL_QUAD * (end - first)) };
}
