/**
 * Makes the checksums of a damaged file right again, so that the damage gets past them to what reads the content: in a
 * zip archive whose members lie in it as they are, and in a TensorFlow index.
 */
import { checksum, maskedCrc32c } from "../../../nets/files/checksum.ts";
import { bytesSource } from "../../../nets/files/source.ts";
import { zipMembers } from "../../../nets/files/zip.ts";

type Bytes = Uint8Array<ArrayBuffer>;
/** Where a checksum stands, and over what it is. */
interface Seal {
  readonly at: number;
  readonly begin: number;
  readonly end: number;
}

const ENTRY = [0x50, 0x4b, 1, 2];

async function zipSeals(whole: Bytes): Promise<Seal[]> {
  const members = await zipMembers(bytesSource(whole));
  const view = new DataView(whole.buffer);
  const entries = [...whole.keys()].filter((at) => ENTRY.every((byte, i) => whole[at + i] === byte));
  return [...members.values()].flatMap(({ header, size, stored }, i) => {
    const begin = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    return stored ? [{ at: entries[i]! + 16, begin, end: begin + size }] : [];
  });
}

/** The blocks of an index are found by their checksums: one after the other, each with five bytes behind it. */
function indexSeals(whole: Bytes): Seal[] {
  const view = new DataView(whole.buffer);
  const seals: Seal[] = [];
  let begin = 0;
  for (let end = 1; end + 4 <= whole.length; end++) {
    if (maskedCrc32c([whole.subarray(begin, end)]) !== view.getUint32(end, true)) continue;
    seals.push({ at: end, begin, end });
    begin = end + 4;
  }
  return seals;
}

/** A function that seals damaged bytes of the file's length; null for formats without such checksums. */
export async function sealer(name: string, whole: Bytes): Promise<((damaged: Bytes) => void) | null> {
  const isIndex = name.endsWith(".index");
  if (!isIndex && !/^(torch_zip|stored)\./.test(name)) return null;
  const seals = isIndex ? indexSeals(whole) : await zipSeals(whole);
  return (damaged) => {
    const view = new DataView(damaged.buffer);
    for (const { at, begin, end } of seals) {
      const bytes = damaged.subarray(begin, end);
      view.setUint32(at, isIndex ? maskedCrc32c([bytes]) : checksum("crc32", { bytes }), true);
    }
  };
}
