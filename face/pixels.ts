/** Photographs on their way to the device: floats, or the bytes that a decoder gives, which are a quarter as many. */
import type { Tensor1D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";

/** Rows from the top, RGB: sRGB values of 0..1 as floats, or of 0..255 as bytes. `RgbImage` is one. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Length `3·width·height`. */
  readonly data: Float32Array | Uint8Array;
}

/** A photograph in bytes. */
export interface BytePixels extends Pixels {
  readonly data: Uint8Array;
}

/** WGSL of `valueAt(i)`, value i as 0..1 from an array named `pixels`: of u32 for bytes, else of f32. */
export const valueAt = (bytes: boolean): string =>
  bytes
    ? "fn valueAt(i : i32) -> f32 { return f32((pixels[i >> 2u] >> u32(8 * (i & 3))) & 255u) / 255.0; }"
    : "fn valueAt(i : i32) -> f32 { return pixels[i]; }";

/** Puts a photograph's values on the device, for `valueAt` to read. The tensor belongs to the caller. */
export function uploadPixels(tf: Tfjs, { data }: Pick<Pixels, "data">): Tensor1D {
  return tf.tensor1d(wordsOf(data), "int32");
}

/** Values as whole words: four bytes in each, or a float's bits. */
function wordsOf(data: Pixels["data"]): Int32Array {
  if (data.byteOffset % 4 === 0 && data.byteLength % 4 === 0) {
    return new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  }
  const padded = new Uint8Array(4 * Math.ceil(data.byteLength / 4));
  padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return new Int32Array(padded.buffer);
}

/** A part of a photograph: whole pixels inside it. */
export interface PixelPart {
  readonly left: number;
  readonly top: number;
  readonly columns: number;
  readonly rows: number;
}

/**
 * Copies the values of a part of a photograph, row after row.
 *
 * @param options.to where to
 * @param options.rowBytes from the beginning of a row to that of the next
 */
export function copyPart(
  { data, width }: Pixels,
  { left, top, columns, rows }: PixelPart,
  { to, rowBytes }: { to: Uint8Array; rowBytes: number },
): void {
  const all = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const size = 3 * data.BYTES_PER_ELEMENT;
  for (let y = 0; y < rows; y++) {
    const at = size * ((top + y) * width + left);
    to.set(all.subarray(at, at + size * columns), rowBytes * y);
  }
}

/** Puts a part of a photograph on the device, as `uploadPixels` does all of one. */
export function uploadPart(tf: Tfjs, image: Pixels, part: PixelPart): Tensor1D {
  const rowBytes = 3 * image.data.BYTES_PER_ELEMENT * part.columns;
  const to = new Uint8Array(4 * Math.ceil(rowBytes * part.rows / 4));
  copyPart(image, part, { to, rowBytes });
  return uploadPixels(tf, { data: to });
}

let scratch = new Uint8Array();

/**
 * Memory for pixels until they are uploaded, which a program's run does at once; the next call gives the same. To take
 * new memory costs four times as long as to fill it.
 */
export function pixelScratch(length: number): Uint8Array {
  if (scratch.length < length) scratch = new Uint8Array(length);
  return scratch.subarray(0, length);
}
