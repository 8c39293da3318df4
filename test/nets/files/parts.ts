/** Files as parts: made weights are up to 1.3 GB, and neither memory nor disk need hold their zeros. */
import { dirname, join } from "node:path";

/** Bytes, or so many zeros. */
export type Part = Uint8Array | number;

/** Files in parts, by their places in a folder. */
export type Files = Readonly<Record<string, readonly Part[]>>;

/** Bytes that an array lies in. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Length of all parts in bytes. */
export function sizeOf(parts: readonly Part[]): number {
  return parts.reduce<number>((sum, part) => sum + (typeof part === "number" ? part : part.length), 0);
}

/** All parts, one after the other. */
export function joined(parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(sizeOf(parts));
  let at = 0;
  for (const part of parts) {
    if (typeof part === "number") at += part;
    else {
      all.set(part, at);
      at += part.length;
    }
  }
  return all;
}

/** Writes files and the folders that they lie in; zeros take no room on the disk. */
export function writeFiles(folder: string, files: Files): void {
  for (const [place, parts] of Object.entries(files)) {
    const path = join(folder, place);
    Deno.mkdirSync(dirname(path), { recursive: true });
    using file = Deno.openSync(path, { write: true, create: true, truncate: true });
    for (const part of parts) {
      if (typeof part === "number") file.seekSync(part, Deno.SeekMode.Current);
      else for (let at = 0; at < part.length;) at += file.writeSync(part.subarray(at));
    }
    file.truncateSync(sizeOf(parts));
  }
}
