/** The reference of byte_values.ts. */
import type { Bytes } from "./byte_values.ts";

/** Bytes as values in 0..1. */
export function byteValuesCpu(parts: readonly Bytes[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]), (byte) => byte / 255);
}
