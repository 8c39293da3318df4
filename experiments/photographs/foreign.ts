/**
 * Pictures that sharp does not read, decoded by packages of their own, each loaded when first needed: HEIC by libheif
 * (heic-decode), JPEG XL by libjxl (@jsquash/jxl), BMP by the decoder of jimp (bmp-ts). HEIC's and JPEG XL's decoders
 * turn the picture upright as the file says.
 */
import { Buffer } from "node:buffer";

/** A decoded picture: `4·width·height` bytes, RGBA. */
export interface Rgba {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/**
 * Decodes one picture.
 *
 * @throws whatever the decoder throws at damaged bytes
 */
export async function decodeForeign(bytes: Uint8Array<ArrayBuffer>, format: "heic" | "jxl" | "bmp"): Promise<Rgba> {
  if (format === "heic") {
    const { default: decode } = await import("heic-decode");
    return whole(await silently(() => decode({ buffer: bytes })));
  }
  if (format === "jxl") {
    const { decode } = await import("@jsquash/jxl");
    const { width, height, data } = await decode(new Uint8Array(bytes).buffer);
    return whole({ width, height, data: new Uint8Array(data) });
  }
  const { decode } = await import("bmp-ts");
  const { width, height, data } = decode(Buffer.from(bytes));
  return whole({ width, height, data: rgbOf(data) });
}

/** libheif prints its complaints beside throwing, where a program reads the result of `--json`. */
async function silently<T>(decode: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = () => {};
  try {
    return await decode();
  } finally {
    console.log = log;
  }
}

/** Whether a decoder has given all pixels that it announced. */
function whole({ width, height, data }: Rgba): Rgba {
  if (!(width > 0 && height > 0) || data.length !== 4 * width * height) throw new TypeError("pixels are missing");
  return { width, height, data };
}

/** A, B, G, R → R, G, B, opaque: most programs leave the fourth byte of a BMP at zero. */
function rgbOf(data: Uint8Array): Uint8Array {
  const rgba = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    rgba[i] = data[i + 3]!;
    rgba[i + 1] = data[i + 2]!;
    rgba[i + 2] = data[i + 1]!;
    rgba[i + 3] = 255;
  }
  return rgba;
}
