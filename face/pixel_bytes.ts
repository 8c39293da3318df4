/** Pictures on their way from the device into files: bytes, a quarter of what floats would take to read back. */
import type { Tensor } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { packBytes } from "./map_bytes.ts";

/**
 * Reads pictures back as bytes, in one wait, and disposes of them.
 *
 * @param pictures values in 0..1; what lies outside is clamped. Of any shape
 * @param where names the work in an error
 * @returns the values of each, 0..255, in their order
 * @throws {GpuError} if the device reports an error
 */
export async function readPixelBytes(tf: Tfjs, pictures: readonly Tensor[], where: string): Promise<Uint8Array[]> {
  const words = tf.tidy(() => pictures.map((picture) => packBytes(tf, picture)));
  const sizes = pictures.map(({ size }) => size);
  tf.dispose([...pictures]);
  try {
    // An empty tensor has no buffer to read.
    const reads = Promise.all(words.map((tensor) => tensor.size === 0 ? new Int32Array() : tensor.data<"int32">()));
    const gpu = await openGpu();
    const [found] = await Promise.all([reads, gpu.assertHealthy(where)]);
    return found.map(({ buffer, byteOffset }, i) => new Uint8Array(buffer, byteOffset, sizes[i]));
  } finally {
    tf.dispose(words);
  }
}
