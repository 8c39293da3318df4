/** Objects as bytes that come piece by piece, so that none need be whole in memory. */
import { BadObjectError } from "./errors.ts";
import { checkAborted } from "./lanes.ts";

/** Some bytes after the other. */
export type Chunks = AsyncIterable<Uint8Array>;

/** Bytes that are read at a time. */
const PIECE = 1 << 20;

/** A file of so many bytes, which is opened when it is first read and closed when it has been or the reader stops. */
export async function* fileChunks(
  path: string,
  { size, signal }: { readonly size: number; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  checkAborted(signal);
  if (size <= PIECE) return yield await Deno.readFile(path);
  using file = await Deno.open(path);
  for (;;) {
    const bytes = new Uint8Array(PIECE);
    const count = await file.read(bytes);
    if (count === null) return;
    yield bytes.subarray(0, count);
    checkAborted(signal);
  }
}

/**
 * An object whole in memory.
 * @throws {BadObjectError} where it has more than `limit` bytes.
 */
export async function collect(
  chunks: Chunks,
  { limit, what }: { readonly limit: number; readonly what: string },
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limit) throw new BadObjectError(`${what} is damaged: it has more than ${limit} bytes`);
    parts.push(chunk);
  }
  const [first, ...more] = parts;
  if (first !== undefined && more.length === 0) return first;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Bytes that are at hand, as one piece. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
