/**
 * A photograph as people have it → a file that the import stage reads as it is meant: judged by its content, not by its
 * name. Most are handed on untouched. Formats that sharp does not know, JPEGs without their last bytes and pictures
 * whose transparency means nothing are decoded here, and handed on as PNG.
 */
import type { Metadata, Sharp } from "sharp";
import { isCameraRaw } from "./camera_raw.ts";
import { endsAsJpeg, hasAllDetail, missingRows } from "./cut_jpeg.ts";
import { decodeForeign } from "./foreign.ts";
import { FORMAT_NAMES, formatOf, HEAD_BYTES, type Readable } from "./format.ts";
import { ReconstructError } from "./refused.ts";

/** What the import stage is given. */
export interface Prepared {
  /** How the file's name must end. */
  readonly extension: string;
  /** The new content; null: the file as it is. */
  readonly content: Uint8Array | null;
  /** What a person should know of it. */
  readonly notes: readonly string[];
}

/** The import stage refuses pictures whose short side is smaller. */
const MIN_SIDE = 16;
/** A picture of which one side is more times as long as the other is a strip that shows no face. */
const LONGEST = 128;
/** The import stage refuses more pixels. */
const MAX_PIXELS = 16384 * 16384;
/** A cut JPEG that lacks a larger share of its rows is refused. */
const MOST_MISSING = 0.2;

/**
 * Looks at a photograph's content.
 *
 * @throws {ReconstructError} for what is no picture, cannot be read, is damaged, or can show no face
 */
export async function preparePhotograph(photo: string, bytes: Uint8Array<ArrayBuffer>): Promise<Prepared> {
  const format = readableFormat(photo, bytes);
  if (format === "tif" && isCameraRaw(bytes)) {
    throw new ReconstructError(`${photo}: this is a camera's raw file: develop it to JPEG with the camera's program`);
  }
  if (format === "heic" || format === "jxl" || format === "bmp") return await converted(photo, bytes, format);
  const { default: sharp } = await import("sharp");
  let header: Metadata;
  try {
    header = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw damaged(photo, format, cause);
  }
  checkSize(photo, header);
  if (format === "jpg" && !endsAsJpeg(bytes)) {
    const cut = await mendCut(photo, bytes);
    if (cut !== null) return cut;
  }
  if (!header.hasAlpha) return { extension: format, content: null, notes: [] };
  try {
    const picture = sharp(bytes, { failOn: "error", limitInputPixels: false, pages: 1 });
    return await withoutAlpha(photo, { format, picture });
  } catch (cause) {
    throw cause instanceof ReconstructError ? cause : damaged(photo, format, cause);
  }
}

function readableFormat(photo: string, bytes: Uint8Array): Readable {
  const found = formatOf(bytes.subarray(0, HEAD_BYTES));
  switch (found.kind) {
    case "readable":
      return found.format;
    case "empty":
      throw new ReconstructError(`${photo}: the file is empty (0 bytes)`);
    case "unreadable":
      throw new ReconstructError(`${photo}: this is ${found.name}, which cannot be read here: ${found.advice}`);
    case "unknown": {
      const known = Object.values(FORMAT_NAMES).join(", ");
      throw new ReconstructError(`${photo}: not a picture, or damaged at its beginning (what can be read: ${known})`);
    }
  }
}

function checkSize(photo: string, { width, height }: { readonly width: number; readonly height: number }): void {
  const size = `${width}×${height} pixels`;
  if (width * height > MAX_PIXELS) {
    throw new ReconstructError(`${photo}: ${size} are too many (at most ${MAX_PIXELS / 1e6} million): reduce it first`);
  }
  const short = Math.min(width, height);
  if (short < MIN_SIDE) {
    throw new ReconstructError(`${photo}: ${size} are too few to show a face (at least ${MIN_SIDE}×${MIN_SIDE})`);
  }
  if (short * LONGEST < Math.max(width, height)) {
    throw new ReconstructError(
      `${photo}: ${size} are too narrow a strip to show a face: cut out the part with the face`,
    );
  }
}

/** HEIC, JPEG XL and BMP as PNG. */
async function converted(
  photo: string,
  bytes: Uint8Array<ArrayBuffer>,
  format: "heic" | "jxl" | "bmp",
): Promise<Prepared> {
  let decoded;
  try {
    decoded = await decodeForeign(bytes, format);
  } catch (cause) {
    throw damaged(photo, format, cause);
  }
  const { width, height, data } = decoded;
  checkSize(photo, decoded);
  const { default: sharp } = await import("sharp");
  const picture = sharp(data, { raw: { width, height, channels: 4 }, limitInputPixels: false });
  const { content, ...rest } = await withoutAlpha(photo, { format: "png", picture });
  return { ...rest, content: content ?? await asPng(picture.removeAlpha()) };
}

/** What a picture's alpha channel means, if anything. */
async function withoutAlpha(
  photo: string,
  { format, picture }: { readonly format: Readable; readonly picture: Sharp },
): Promise<Prepared> {
  const alpha = await picture.clone().toColourspace("srgb").extractChannel("alpha").raw({ depth: "uchar" }).toBuffer();
  let [least, most, hidden] = [255, 0, 0];
  for (const value of alpha) {
    if (value < least) least = value;
    if (value > most) most = value;
    if (value < 128) hidden++;
  }
  if (most === 0) throw new ReconstructError(`${photo}: the picture is wholly transparent: it shows nothing`);
  if (least === 255) return { extension: format, content: null, notes: [] };
  if (least === most) {
    const note = "its transparency is the same everywhere, so it was left out";
    return { extension: "png", content: await asPng(picture.clone().removeAlpha()), notes: [note] };
  }
  const note = `it is transparent in ${percent(hidden / alpha.length)} of its pixels, which count as black`;
  return {
    extension: "png",
    content: await asPng(picture.clone().flatten({ background: "#000" })),
    notes: [note],
  };
}

/** A JPEG that does not end as one: null if it is whole nevertheless, else what there is of it. */
async function mendCut(photo: string, bytes: Uint8Array): Promise<Prepared | null> {
  const { default: sharp } = await import("sharp");
  try {
    await sharp(bytes, { failOn: "error", limitInputPixels: false }).stats();
    return null;
  } catch {
    // it is cut or damaged: how much of it is there says the same file, read with patience
  }
  const lacks = (what: string) =>
    new ReconstructError(`${photo}: the file is cut short, ${what}: copy or download it again`);
  let missing: number;
  const patient = () => sharp(bytes, { failOn: "none", limitInputPixels: false });
  try {
    const { data, info } = await patient().raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    missing = missingRows({ data, ...info });
  } catch (cause) {
    throw damaged(photo, "jpg", cause);
  }
  if (missing > MOST_MISSING) throw lacks(`${percent(missing)} of the picture are missing`);
  if (!hasAllDetail(bytes)) throw lacks("and what there is of it shows no detail");
  const note = missing === 0
    ? "the file lacks its last bytes"
    : `the file lacks its last bytes, and ${percent(missing)} of the picture at its lower border`;
  return { extension: "png", content: await asPng(patient()), notes: [note] };
}

/** Upright sRGB without compression to speak of: it is read once. */
async function asPng(picture: Sharp): Promise<Uint8Array> {
  return await picture.autoOrient().toColourspace("srgb").png({ compressionLevel: 1 }).toBuffer();
}

function percent(share: number): string {
  return share > 0 && share < 0.01 ? "less than 1 %" : `${Math.round(100 * share)} %`;
}

function damaged(photo: string, format: Readable, cause: unknown): ReconstructError {
  const advice = "copy or download it again";
  return new ReconstructError(`${photo}: this ${FORMAT_NAMES[format]} file is damaged or cut short: ${advice}`, {
    cause,
  });
}
