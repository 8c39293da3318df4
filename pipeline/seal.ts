/**
 * A record's checksum: CRC-32 over the table's name, the key and every other column, so that neither a flipped bit nor
 * two rows whose columns changed places are believed. It guards against damage, not against a forger.
 */
import { crc32 } from "node:zlib";

/** The checksum of a small record, as an unsigned number of 32 bits. */
export function sealOf(table: string, columns: readonly (string | number | null)[]): number {
  // where a null stands, for it joins as an empty text does
  return crc32(`${table}\0${columns.indexOf(null)}\0${columns.join("\0")}`);
}

/** The checksum of a record whose columns are too large to be copied: the short ones first, then the large ones. */
export function sealOfLarge(
  table: string,
  { small, large }: { readonly small: readonly (string | number)[]; readonly large: readonly (string | Uint8Array)[] },
): number {
  const lengths = large.map(({ length }) => length);
  return large.reduce((seal, column) => crc32(column, seal), sealOf(table, [...small, ...lengths]));
}
