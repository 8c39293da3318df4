/** A comment in a PNG file, where picture programs show it: a chunk `tEXt` (PNG specification, 11.3.4.3). */
import { crc32 } from "node:zlib";

/** The signature and IHDR, which comes first and is always as long. */
const HEADER_BYTES = 8 + 25;

/**
 * Adds a comment.
 *
 * @param png the bytes of a PNG file
 * @param comment in ASCII
 * @returns the bytes of the same picture with the comment
 * @throws {TypeError} if the bytes are no PNG file, or the comment has other characters
 */
export function withPngComment(png: Uint8Array, comment: string): Uint8Array {
  if (png.length < HEADER_BYTES || png[0] !== 0x89 || png[1] !== 0x50) throw new TypeError("not a PNG file");
  if (!/^[\x20-\x7e]*$/.test(comment)) throw new TypeError("a PNG comment takes ASCII only");
  const body = new TextEncoder().encode(`tEXtComment\0${comment}`);
  const out = new Uint8Array(png.length + body.length + 8);
  const view = new DataView(out.buffer);
  out.set(png.subarray(0, HEADER_BYTES));
  view.setUint32(HEADER_BYTES, body.length - 4);
  out.set(body, HEADER_BYTES + 4);
  view.setUint32(HEADER_BYTES + 4 + body.length, crc32(body));
  out.set(png.subarray(HEADER_BYTES), HEADER_BYTES + 8 + body.length);
  return out;
}
