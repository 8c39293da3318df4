/**
 * Photographs as files and as numbers. Whatever a camera or an editor writes becomes one thing: upright sRGB, 8 bits a
 * channel, no alpha, at most 2048 pixels on the long side or as many as are asked for. The paper does not say how its
 * images are read; FaceScape's and CelebA's are JPEG.
 *
 * sharp is loaded when first used.
 */

import type { Metadata } from "sharp";
import type { RgbImage } from "../../face/image.ts";
import type { BytePixels, Pixels } from "../../face/pixels.ts";

/** Options of `decodePhotograph`. */
export interface DecodeOptions {
  /** Names the photograph in errors. */
  readonly path?: string;
  /** Larger photographs are reduced to this long side, in pixels. Default 2048. */
  readonly maxSide?: number;
  /** Larger photographs are reduced to this many pixels. Default: no limit. */
  readonly maxPixels?: number;
}

/** A decoded photograph. */
export interface Photograph<Image = RgbImage> {
  readonly image: Image;
  /** `jpeg`, `png`, `tiff`, …. */
  readonly format: string;
  /** Width and height in the file after turning it upright, before reduction. */
  readonly original: { readonly width: number; readonly height: number };
  /** What was done to it beyond reading, in words: "turned upright", "reduced from 10000×200", …. */
  readonly notes: readonly string[];
}

/** A file is not a photograph that can be read. The message names the path and the cause. */
export class PhotographError extends Error {
  override name = "PhotographError";
}

/** Compressed dimensions beyond this are refused: 16384², one gigabyte of RGBA. */
const MOST_PIXELS = 16384 * 16384;
/** Smaller than this no face can be found. */
const minSide = 16;

/**
 * Decodes a photograph: EXIF orientation applied, ICC profile, CMYK and grey converted to sRGB, 16 bits scaled to 8,
 * alpha put on black, the first page of several, reduced to `maxSide` and `maxPixels`.
 *
 * @throws {PhotographError} if the bytes are empty, truncated, not an image, or too large or small
 */
export async function decodePhotograph(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Photograph> {
  const { image, ...rest } = await decodePixels(bytes, options);
  return { ...rest, image: { ...image, data: toUnit(image.data) } };
}

/**
 * The same with the image as the decoder's bytes, a quarter as many: what goes to the device, or back into a file.
 *
 * @throws {PhotographError} as `decodePhotograph`
 */
export async function decodePixels(
  bytes: Uint8Array,
  { path = "photograph", maxSide = 2048, maxPixels = Infinity }: DecodeOptions = {},
): Promise<Photograph<BytePixels>> {
  if (bytes.length === 0) throw new PhotographError(`${path}: the file is empty (0 bytes)`);
  const { default: sharp } = await import("sharp");
  const options = { failOn: "error", limitInputPixels: false, pages: 1 } as const;
  try {
    const header = await sharp(bytes, options).metadata();
    if (header.width * header.height > MOST_PIXELS) {
      throw new PhotographError(`${path}: more than ${MOST_PIXELS} pixels`);
    }
    const turned = (header.orientation ?? 1) >= 5;
    const [width, height] = turned ? [header.height, header.width] : [header.width, header.height];
    if (width < minSide || height < minSide) {
      throw new PhotographError(`${path}: ${width}×${height} pixels are too few (at least ${minSide}×${minSide})`);
    }
    let picture = sharp(bytes, options).autoOrient();
    if (header.hasAlpha) picture = picture.flatten({ background: "#000" });
    picture = picture.toColourspace("srgb").removeAlpha();
    const side = Math.min(maxSide, sideFor({ width, height }, maxPixels));
    if (Math.max(width, height) > side) {
      picture = picture.resize(side, side, { fit: "inside", withoutEnlargement: true });
    }
    const { data, info } = await picture.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    return {
      image: { width: info.width, height: info.height, data: threeChannels(data, info) },
      format: header.format,
      original: { width, height },
      notes: describe(header, { width, height, reduced: info.width !== width || info.height !== height }),
    };
  } catch (error) {
    if (error instanceof PhotographError) throw error;
    // libvips keeps one text of errors for all threads, so that what it says may be of another picture
    const cause = isImage(bytes) ? "truncated or damaged" : "not an image, or a format that cannot be read";
    throw new PhotographError(`${path}: ${cause}`, { cause: error });
  }
}

/** The long side with which a picture of these proportions has so many pixels, rounded down. */
function sideFor({ width, height }: { width: number; height: number }, pixels: number): number {
  const [long, short] = [Math.max(width, height), Math.min(width, height)];
  return Math.max(1, Math.floor(Math.sqrt(pixels * long / short)));
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

/**
 * Reads an image that a stage wrote, at its full size.
 *
 * @param tree the stage's input
 * @throws {PhotographError} if it cannot be decoded
 */
export async function readImage(tree: { bytes(path: string): Promise<Uint8Array> }, path: string): Promise<RgbImage> {
  return (await decodePhotograph(await tree.bytes(path), { path, maxSide: Infinity })).image;
}

/** As `readImage`, in bytes. */
export async function readPixels(
  tree: { bytes(path: string): Promise<Uint8Array> },
  path: string,
): Promise<BytePixels> {
  return (await decodePixels(await tree.bytes(path), { path, maxSide: Infinity })).image;
}

/**
 * How stored pictures are compressed. A capture of 448² takes 2.5 ms to encode and 1.8 to decode, 300 kB; at level 3
 * with adaptive filters, which halve the size, it takes 9 and 2.6 ms; at level 0 0.8 and 0.8 ms, 600 kB. Crops,
 * textures and photographs of 2.5 megapixels are alike, and each picture is decoded several times.
 */
const PNG = { compressionLevel: 1, adaptiveFiltering: false } as const;

/**
 * PNG bytes, 8 bits a channel, the same for the same image on every run. Values of floats are clamped to 0..1 and
 * rounded.
 */
export async function encodePng({ width, height, data }: Pixels): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return await sharp(bytesOf(data), { raw: { width, height, channels: 3 } }).png(PNG).toBuffer();
}

/** PNG bytes of a mask or another map of one channel, `width·height` values in 0..1. */
export async function encodeGreyPng(map: { width: number; height: number; data: Float32Array }): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return await sharp(toBytes(map.data), { raw: { width: map.width, height: map.height, channels: 1 } })
    .toColourspace("b-w").png(PNG).toBuffer();
}

/** JPEG bytes without chroma subsampling, the same for the same image on every run. `quality` 1..100, default 95. */
export async function encodeJpeg(
  { width, height, data }: Pixels,
  { quality = 95 }: { quality?: number } = {},
): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return await sharp(bytesOf(data), { raw: { width, height, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: "4:4:4" }).toBuffer();
}

/** A picture's values as bytes; those of floats are clamped and rounded. */
function bytesOf(data: Pixels["data"]): Uint8Array | Uint8ClampedArray {
  return data instanceof Float32Array ? toBytes(data) : data;
}

/** A decoder's values, of one or more channels, as those of three. */
function threeChannels(
  data: Uint8Array,
  { width, height, channels }: { width: number; height: number; channels: number },
): Uint8Array {
  if (channels === 3) return data;
  const result = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) result[3 * i + c] = data[i * channels + (channels < 3 ? 0 : c)]!;
  }
  return result;
}

const UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Bytes as values in 0..1. */
export function toUnit(bytes: Uint8Array): Float32Array {
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) values[i] = UNIT[bytes[i]!]!;
  return values;
}

/** Values in 0..1 as bytes, clamped and rounded: what an image file keeps of them. */
export function toBytes(values: Float32Array): Uint8ClampedArray {
  const bytes = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = Math.round(255 * values[i]!);
  return bytes;
}

function describe(
  header: Metadata,
  { width, height, reduced }: { width: number; height: number; reduced: boolean },
): string[] {
  const notes: string[] = [];
  if ((header.orientation ?? 1) !== 1) notes.push(`turned upright (EXIF orientation ${header.orientation})`);
  if (header.space === "cmyk") notes.push("converted from CMYK");
  if (header.space === "b-w" || header.space === "grey16") notes.push("converted from grey");
  if (header.depth === "ushort") notes.push("reduced from 16 bits a channel");
  if (header.hasAlpha) notes.push("put on black where it was transparent");
  if (reduced) notes.push(`reduced from ${width}×${height} pixels`);
  return notes;
}

/** Whether bytes begin as a JPEG, PNG, TIFF, WebP, AVIF or GIF file does. */
function isImage(bytes: Uint8Array): boolean {
  const text = String.fromCharCode(...bytes.subarray(0, 16));
  return /^(\xff\xd8\xff|\x89PNG|II\*\0|MM\0\*|RIFF....WEBP|....ftypavi[fs]|GIF8)/s.test(text);
}
