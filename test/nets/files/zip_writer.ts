/** Writes zip archives that pack nothing: NumPy's `.npz`, and PyTorch's since version 1.6. */
import { crc32 } from "node:zlib";
import { bytesOf, type Files, type Part, sizeOf } from "./parts.ts";

/** Bytes of zeros whose checksum is taken at once. */
const ZEROS = new Uint8Array(1 << 20);

/** The archive of some files, in parts. */
export function zipParts(members: Files): Part[] {
  const [files, list]: [Part[], Part[]] = [[], []];
  for (const [name, parts] of Object.entries(members)) {
    const title = new TextEncoder().encode(name);
    const [header, size] = [sizeOf(files), sizeOf(parts)];
    // version, flags, method, time, date; checksum; packed and unpacked size; lengths of the name and of what follows
    const about = [20, 0, 0, 0, 0x21, ...words(checksumOf(parts)), ...words(size), ...words(size), title.length, 0];
    files.push(shorts(0x4b50, 0x0403, ...about), title, ...parts);
    list.push(shorts(0x4b50, 0x0201, 20, ...about, 0, 0, 0, 0, 0, ...words(header)), title);
  }
  const count = Object.keys(members).length;
  const end = [0, 0, count, count, ...words(sizeOf(list)), ...words(sizeOf(files)), 0];
  return [...files, ...list, shorts(0x4b50, 0x0605, ...end)];
}

function shorts(...values: number[]): Uint8Array {
  return bytesOf(Uint16Array.from(values));
}

function words(value: number): [number, number] {
  return [value % 2 ** 16, Math.floor(value / 2 ** 16)];
}

function checksumOf(parts: readonly Part[]): number {
  let sum = 0;
  const add = (bytes: Uint8Array) => sum = crc32(bytes, sum);
  for (const part of parts) {
    if (typeof part !== "number") add(part);
    else for (let at = 0; at < part; at += ZEROS.length) add(ZEROS.subarray(0, part - at));
  }
  return sum;
}
