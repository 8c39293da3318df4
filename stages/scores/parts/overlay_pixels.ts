/** Another program's picture of a photograph: which file it is, and its pixels in the photograph's own size. */
import type { BytePixels } from "../../../face/pixels.ts";
import { decodePixels, PhotographError } from "../../faces/photograph.ts";

/** Where a face comes from. */
export interface FaceSource {
  /** The photograph's path in its folder. */
  readonly source: string;
  /** Which of its faces, from 0, left to right. */
  readonly face: number;
}

/**
 * The picture of a face among the paths of a folder: of its own, or of the whole photograph.
 *
 * @throws {PhotographError} if there is none, or more than one of equal right
 */
export function overlayOf(paths: readonly string[], { source, face }: FaceSource): string {
  const stem = stemOf(source);
  for (const name of [`${stem}/${face}`, stem]) {
    const [path, other] = paths.filter((path) => stemOf(path) === name);
    if (other !== undefined) throw new PhotographError(`two pictures fit it, ${path} and ${other}`);
    if (path !== undefined) return path;
  }
  throw new PhotographError(`there is no ${stem}.png and no ${stem}/${face}.png`);
}

/** A path without its extension; photographs are taken in without dots. */
function stemOf(path: string): string {
  return path.replace(/\.[^./]*$/, "").replaceAll(".", "_");
}

/** The photograph that a picture is of. */
export interface Pictured {
  /** Names the picture in errors. */
  readonly path: string;
  /** The photograph, as imported. */
  readonly image: BytePixels;
  /** Its size in its file, upright. */
  readonly original: { readonly width: number; readonly height: number };
}

/**
 * Decodes a picture to the size that the photograph was imported in; where it is transparent it shows the photograph.
 *
 * @throws {PhotographError} if it cannot be read, or is not as large as the photograph
 */
export async function overlayPixels(bytes: Uint8Array, { path, image, original }: Pictured): Promise<BytePixels> {
  const { width, height } = image;
  const decoded = await decodePixels(bytes, { path, maxSide: Math.max(width, height) });
  const [is, should] = [decoded.original, original].map((size) => `${size.width}×${size.height}`);
  if (is !== should) throw new PhotographError(`${path} is ${is} pixels, its photograph ${should}`);
  const { default: sharp } = await import("sharp");
  const options = { failOn: "error", limitInputPixels: false, pages: 1 } as const;
  if (!(await sharp(bytes, options).metadata()).hasAlpha) return decoded.image;
  const over = await sharp(bytes, options).autoOrient().toColourspace("srgb").resize(width, height, { fit: "fill" })
    .raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  const { data } = await sharp(image.data, { raw: { width, height, channels: 3 }, limitInputPixels: false })
    .composite([{ input: over.data, raw: { width, height, channels: over.info.channels } }])
    .removeAlpha().raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return { width, height, data };
}
