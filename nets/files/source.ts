/**
 * Where the bytes of a file with tensors come from: by range, so that a file of half a gigabyte need not be in memory
 * as a whole, and so that the readers run in a browser too. And how a reader says that a file is not what it must be.
 */

/** A file that is read by range. */
export interface TensorSource {
  /** The file's name, for messages and for what the name's ending tells. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** The bytes from `begin` up to, not including, `end`; both lie within the file. Nobody changes them. */
  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The file of that name in the same folder, or null where there is none. Some formats use several files. */
  beside?(name: string): Promise<TensorSource | null>;
}

/** A file is damaged, of another kind, or of a kind that no reader knows. The message says which and what to do. */
export class TensorFileError extends Error {
  override name = "TensorFileError";
}

/** Bytes are asked for that are not there: more of the file may have to be read, or it has no more. */
export class CutOffError extends TensorFileError {
  override name = "CutOffError";
}

/** Bytes in memory as a source. */
export function bytesSource(bytes: Uint8Array<ArrayBuffer>, name = "the file"): TensorSource {
  return { name, size: bytes.length, read: (begin, end) => Promise.resolve(bytes.subarray(begin, end)) };
}

/** Says that the file ends too early. */
export function cutOff(needed: number, there: number): CutOffError {
  return new CutOffError(
    `it is cut off: ${needed} bytes must be there, and ${there} are. The download stopped halfway; get it again`,
  );
}

/**
 * Reads a range.
 *
 * @throws {TensorFileError} if the range is not within the file
 */
export function readRange(source: TensorSource, { begin, length }: { begin: number; length: number }) {
  if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(length) || begin < 0 || length < 0) {
    throw new TensorFileError(`it is damaged: it refers to ${length} bytes at ${begin}`);
  }
  if (begin + length > source.size) throw cutOff(begin + length, source.size);
  return source.read(begin, begin + length);
}

/** Reads numbers one after the other and never past the end. */
export interface Cursor {
  /** Bytes from the start. */
  at: number;
  readonly left: number;
  u8(): number;
  u16(): number;
  u32(): number;
  i32(): number;
  f64(): number;
  /** Of 8 bytes; more than JavaScript counts exactly is refused, as no file is so large. */
  u64(): number;
  /** An unsigned whole number of 4 or 8 bytes, or of 1 or 2. */
  unsigned(bytes: number): number;
  /** A view, not a copy. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
  text(length: number): string;
}

/**
 * Reads bytes from the start on.
 *
 * @throws {TensorFileError} from its functions where fewer bytes are left
 */
export function cursorOf(bytes: Uint8Array<ArrayBuffer>, littleEndian = true): Cursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const take = (length: number) => {
    const at = cursor.at;
    if (!(length >= 0 && at >= 0 && at + length <= bytes.length)) {
      throw new CutOffError(`it is damaged or cut off: a part ends at ${bytes.length} instead of ${at + length}`);
    }
    cursor.at = at + length;
    return at;
  };
  const cursor: Cursor = {
    at: 0,
    get left() {
      return bytes.length - cursor.at;
    },
    u8: () => view.getUint8(take(1)),
    u16: () => view.getUint16(take(2), littleEndian),
    u32: () => view.getUint32(take(4), littleEndian),
    i32: () => view.getInt32(take(4), littleEndian),
    f64: () => view.getFloat64(take(8), littleEndian),
    u64: () => safe(view.getBigUint64(take(8), littleEndian)),
    unsigned: (length) =>
      length === 8 ? cursor.u64() : length === 4 ? cursor.u32() : length === 2 ? cursor.u16() : cursor.u8(),
    bytes(length) {
      const at = take(length);
      return bytes.subarray(at, at + length);
    },
    text: (length) => latin1(cursor.bytes(length)),
  };
  return cursor;
}

/** A few bytes as a text of one character a byte; `TextDecoder` has no such encoding. */
export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** A whole number of 8 bytes as a JavaScript number. */
export function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
    throw new TensorFileError(`it is damaged: the number ${value} is beyond the size of any file`);
  }
  return Number(value);
}
