/** SHA-256 of files, by Node's crypto alone, so that a worker thread starts at once. */
import { createHash } from "node:crypto";

/** A file's content in short. */
export interface FileHash {
  /** Hex. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** Bytes that are read at a time. */
const CHUNK = 4 << 20;
/** Files up to this size are read at once. */
const SMALL = 1 << 20;

/** Reads a file in asynchronous chunks, so that the event loop stays free. */
export async function hashFile(path: string): Promise<FileHash> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const buffer = new Uint8Array(CHUNK);
  let size = 0;
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    hash.update(buffer.subarray(0, count));
    size += count;
  }
  return { sha256: hash.digest("hex"), size };
}

/** As {@link hashFile}, in one synchronous read; for small files, where a promise costs more than the work. */
export function hashFileSync(path: string): FileHash {
  const bytes = Deno.readFileSync(path);
  return { sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
}

/** As {@link hashFile} for a worker thread, whose event loop may be held up: synchronous chunks of any file. */
export function hashFileInChunks(path: string): FileHash {
  if (Deno.statSync(path).size <= SMALL) return hashFileSync(path);
  using file = Deno.openSync(path);
  const hash = createHash("sha256");
  const buffer = new Uint8Array(CHUNK);
  let size = 0;
  for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
    hash.update(buffer.subarray(0, count));
    size += count;
  }
  return { sha256: hash.digest("hex"), size };
}
