/**
 * How much of a picture a JPEG still shows that lacks its end. A baseline file is cut by rows: libjpeg fills what is
 * missing with blocks of one colour. A progressive file (ITU-T T.81, G) is cut by detail: it is complete in rows as
 * soon as its first scan is, so that it counts as whole only if the last bits of every coefficient have begun.
 */

/** A decoded picture of 8 bits a channel. */
interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Side of a block of coefficients in pixels. */
const BLOCK = 8;

/** Whether a JPEG's last bytes say that it ends there. What cameras append behind the end is not looked at. */
export function endsAsJpeg(bytes: Uint8Array): boolean {
  let end = bytes.length;
  while (end > 2 && bytes[end - 1] === 0) end--;
  return bytes[end - 2] === 0xff && bytes[end - 1] === 0xd9;
}

/** Share of the rows, 0..1, that lie below the last block which is not of one colour throughout. */
export function missingRows({ data, width, height, channels }: Pixels): number {
  const stride = width * channels;
  const isPlain = (top: number, left: number) => {
    for (let y = top; y < Math.min(height, top + BLOCK); y++) {
      for (let x = left; x < Math.min(width, left + BLOCK); x++) {
        for (let c = 0; c < channels; c++) {
          if (data[y * stride + x * channels + c] !== data[top * stride + left * channels + c]) return false;
        }
      }
    }
    return true;
  };
  let top = Math.floor((height - 1) / BLOCK) * BLOCK;
  for (; top >= 0; top -= BLOCK) {
    for (let left = 0; left < width; left += BLOCK) {
      if (!isPlain(top, left)) return 1 - Math.min(1, (top + BLOCK) / height);
    }
  }
  return 1;
}

/** Whether a progressive JPEG has begun to send the last bits of all coefficients; true for any other JPEG. */
export function hasAllDetail(bytes: Uint8Array): boolean {
  let progressive = false;
  const components = new Set<number>();
  const fine = new Set<number>();
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) {
      at++;
      continue;
    }
    const marker = bytes[at + 1]!;
    // stuffed zeros, restarts and fill bytes have no length
    if (marker === 0 || marker === 0xff || marker >= 0xd0 && marker <= 0xd9) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    const length = 256 * bytes[at + 2]! + bytes[at + 3]!;
    if (marker === 0xc2) {
      progressive = true;
      for (let i = 0; i < (bytes[at + 9] ?? 0); i++) components.add(bytes[at + 10 + 3 * i] ?? -1);
    }
    if (marker === 0xda) {
      const count = bytes[at + 4] ?? 0;
      const [last, bits] = [bytes[at + 6 + 2 * count] ?? 0, bytes[at + 7 + 2 * count] ?? 0];
      for (let i = 0; i < count; i++) if (last === 63 && (bits & 15) === 0) fine.add(bytes[at + 5 + 2 * i] ?? -1);
    }
    at += 2 + length;
  }
  return !progressive || components.isSubsetOf(fine);
}
