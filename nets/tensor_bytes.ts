/** The values of a safetensors file as they lie there, for who hashes them. */

/**
 * All bytes behind the header of a file.
 *
 * @param bytes a whole file, see `safetensors.ts`
 */
export function tensorBytes(bytes: Uint8Array): Uint8Array {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  return bytes.subarray(8 + Number(length));
}
