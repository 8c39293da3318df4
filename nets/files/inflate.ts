/**
 * Inflates a part of a file with the platform's own decoder, as a stream: neither the compressed nor the whole inflated
 * part is in memory, and no more comes out than was announced.
 */
import { readRange, TensorFileError, type TensorSource } from "./source.ts";

/** What is inflated. */
export interface Deflated {
  readonly source: TensorSource;
  readonly begin: number;
  /** Compressed bytes. */
  readonly length: number;
  /** `deflate-raw` in a zip archive, `deflate` (zlib) in MATLAB's and HDF5's files. */
  readonly format: "deflate" | "deflate-raw";
}

/** Which of the inflated bytes are wanted. */
export interface Part {
  /** So many are passed over. */
  readonly skip?: number;
  readonly length: number;
  /** All that there are, if known: then all is inflated, so that the stream's own checksum is checked. */
  readonly total?: number;
}

/** Deflate turns at most 258 bytes into two bits. */
const BEST_RATIO = 1032;
/** Compressed bytes that are read at once. */
const CHUNK = 1 << 18;
/** What is announced may not be there, so that memory is taken as bytes come. */
const FIRST_ROOM = 1 << 16;

/**
 * Inflates bytes.
 *
 * @throws {TensorFileError} if it is no such stream, shorter, or longer than `total`
 */
export async function inflate(deflated: Deflated, { skip = 0, length, total }: Part): Promise<Uint8Array<ArrayBuffer>> {
  const end = total ?? skip + length;
  if (end < skip + length || end > BEST_RATIO * (deflated.length + 8)) {
    throw new TensorFileError(`it is damaged: ${deflated.length} bytes cannot hold ${end} compressed`);
  }
  const reader = compressed(deflated).pipeThrough(new DecompressionStream(deflated.format)).getReader();
  let result = new Uint8Array(Math.min(length, FIRST_ROOM));
  let passed = 0;
  try {
    while (total !== undefined || passed < end) {
      const { done, value } = await reader.read();
      if (done) break;
      const wanted = value.subarray(Math.max(0, skip - passed), Math.max(0, skip + length - passed));
      const at = Math.max(0, passed - skip);
      if (wanted.length > 0) {
        result = withRoom(result, { needed: at + wanted.length, most: length });
        result.set(wanted, at);
      }
      passed += value.length;
      if (total !== undefined && passed > total) throw new TensorFileError("it is damaged: it inflates to too much");
    }
  } catch (cause) {
    if (cause instanceof TensorFileError) throw cause;
    throw new TensorFileError("it is damaged: a compressed part does not inflate. Get it again", { cause });
  } finally {
    await reader.cancel().catch(() => undefined); // what failed is closed already
  }
  if (passed < end) throw new TensorFileError("it is damaged: a compressed part is too short");
  return result;
}

function compressed({ source, begin, length }: Deflated): ReadableStream<Uint8Array<ArrayBuffer>> {
  let next = begin;
  return new ReadableStream({
    async pull(controller) {
      const size = Math.min(CHUNK, begin + length - next);
      if (size > 0) controller.enqueue(await readRange(source, { begin: next, length: size }));
      next += size;
      if (next === begin + length) controller.close();
    },
  });
}

/** The bytes with room for more: twice as much, up to all that will be needed. */
function withRoom(bytes: Uint8Array<ArrayBuffer>, { needed, most }: { needed: number; most: number }) {
  if (needed <= bytes.length) return bytes;
  const larger = new Uint8Array(Math.min(most, Math.max(needed, 2 * bytes.length)));
  larger.set(bytes);
  return larger;
}
