/** Photographs on their way to the device: floats, or the bytes that a decoder gives, which are a quarter as many. */

/** Rows from the top, RGB: sRGB values of 0..1 as floats, or of 0..255 as bytes. `RgbImage` is one. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Length `3·width·height`. */
  readonly data: Float32Array | Uint8Array;
}

/** WGSL of `valueAt(i)`, value i as 0..1 from an array named `pixels` of `elementOf(data)`. */
export const valueAt = (bytes: boolean): string =>
  bytes
    ? "fn valueAt(i : i32) -> f32 { return f32((pixels[i >> 2u] >> u32(8 * (i & 3))) & 255u) / 255.0; }"
    : "fn valueAt(i : i32) -> f32 { return pixels[i]; }";

/** A photograph's values as whole words, to be uploaded as integers: four bytes in each, or a float's bits. */
export function wordsOf({ data }: Pick<Pixels, "data">): Int32Array {
  if (data.byteOffset % 4 === 0 && data.byteLength % 4 === 0) {
    return new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  }
  const padded = new Uint8Array(4 * Math.ceil(data.byteLength / 4));
  padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return new Int32Array(padded.buffer);
}
