/** Pictures made smaller, before they are decoded or after. */
import type { BytePixels } from "../../face/pixels.ts";

/**
 * The long side that a photograph is reduced to, so that it has no more than so many pixels.
 *
 * @param bytes the file; of one that cannot be read the limit is `maxSide`, and decoding it says what is wrong
 * @param limits `maxSide` in pixels; `maxPixels`: null for no limit
 */
export async function sideWithin(
  bytes: Uint8Array,
  { maxSide, maxPixels }: { maxSide: number; maxPixels: number | null },
): Promise<number> {
  if (maxPixels === null) return maxSide;
  const { default: sharp } = await import("sharp");
  const header = await sharp(bytes, { limitInputPixels: false }).metadata().catch(() => null);
  if (header === null) return maxSide;
  const [long, short] = [Math.max(header.width, header.height), Math.min(header.width, header.height)];
  return Math.min(maxSide, Math.max(1, Math.floor(Math.sqrt(maxPixels * long / short))));
}

/** A picture reduced to a long side; itself, if it is no larger. */
export async function reducedPixels(image: BytePixels, maxSide: number): Promise<BytePixels> {
  const { width, height, data } = image;
  if (Math.max(width, height) <= maxSide) return image;
  const { default: sharp } = await import("sharp");
  const raw = { width, height, channels: 3 } as const;
  const { data: reduced, info } = await sharp(data, { raw, limitInputPixels: false })
    .resize(maxSide, maxSide, { fit: "inside" }).raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: reduced };
}
