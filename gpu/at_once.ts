/** How many of many faces, pictures or rows go to the device together. */
import { type Tfjs, webgpuBackend } from "./backend.ts";

/** What else bounds a batch. */
export interface AtOnceOptions {
  /** Most items. Default: any number. */
  readonly most?: number;
  /** Most bytes. Default: what the device can bind. */
  readonly bytesAtOnce?: number;
}

/**
 * The largest batch of which the device can bind each tensor; one item at least, which may still be too large.
 *
 * @param bytes what an item takes of the largest tensor
 */
export function itemsAtOnce(
  tf: Tfjs,
  bytes: number,
  { most = Infinity, bytesAtOnce = Infinity }: AtOnceOptions = {},
): number {
  const { maxStorageBufferBindingSize: largest } = webgpuBackend(tf).device.limits;
  return Math.max(1, Math.min(most, Math.floor(Math.min(largest, bytesAtOnce) / bytes)));
}
