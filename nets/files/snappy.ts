/**
 * Decodes a block that is compressed with Snappy, as early versions of TensorFlow wrote their checkpoints' indices.
 *
 * Ours because the package `snappyjs` (0.7.0) returns a block that is cut off as if it were whole, the rest zeros.
 * Format: format_description.txt of google/snappy.
 */
import { cursorOf, safe, TensorFileError } from "./source.ts";
import { varint } from "./protobuf.ts";

/** Snappy turns at most 64 bytes into three. */
const BEST_RATIO = 22;

/**
 * Decodes a block.
 *
 * @throws {TensorFileError} if it is damaged
 */
export function decodeSnappy(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const cursor = cursorOf(bytes);
  const size = safe(varint(cursor));
  if (size > BEST_RATIO * bytes.length) throw damaged();
  const result = new Uint8Array(size);
  let at = 0;
  while (cursor.left > 0) {
    const tag = cursor.u8();
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >> 2;
      const length = 1 + (short < 60 ? short : littleEndian(cursor.bytes(short - 59)));
      if (at + length > size) throw damaged();
      result.set(cursor.bytes(length), at);
      at += length;
      continue;
    }
    const length = kind === 1 ? 4 + (tag >> 2 & 7) : 1 + (tag >> 2);
    const back = kind === 1 ? (tag >> 5) * 256 + cursor.u8() : littleEndian(cursor.bytes(kind === 2 ? 2 : 4));
    if (back === 0 || back > at || at + length > size) throw damaged();
    // byte by byte: what is copied may be what the copy makes
    for (let i = 0; i < length; i++, at++) result[at] = result[at - back]!;
  }
  if (at !== size) throw damaged();
  return result;
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

function damaged(): TensorFileError {
  return new TensorFileError("it is damaged: a compressed block does not decode. Get it again");
}
