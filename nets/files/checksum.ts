/** Checksums of zip archives (CRC-32) and of TensorFlow's files (CRC-32C), which differ in one number. */

const POLYNOMIALS = { crc32: 0xedb88320, crc32c: 0x82f63b78 };
const tables = new Map<keyof typeof POLYNOMIALS, Uint32Array>();

/** The checksum of bytes, or, from the checksum of what came before, of all together. */
export function checksum(
  kind: keyof typeof POLYNOMIALS,
  { bytes, before = 0 }: { bytes: Uint8Array; before?: number },
) {
  const table = tableOf(kind);
  let sum = ~before;
  for (let i = 0; i < bytes.length; i++) sum = table[(sum ^ bytes[i]!) & 0xff]! ^ (sum >>> 8);
  return ~sum >>> 0;
}

/** TensorFlow stores a checksum turned by 15 bits, plus a constant. */
export function maskedCrc32c(parts: readonly Uint8Array[]): number {
  const sum = parts.reduce((before, bytes) => checksum("crc32c", { bytes, before }), 0);
  return ((sum >>> 15 | sum << 17) + 0xa282ead8) >>> 0;
}

function tableOf(kind: keyof typeof POLYNOMIALS): Uint32Array {
  const known = tables.get(kind);
  if (known !== undefined) return known;
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? POLYNOMIALS[kind] ^ (sum >>> 1) : sum >>> 1;
    return sum;
  });
  tables.set(kind, table);
  return table;
}
