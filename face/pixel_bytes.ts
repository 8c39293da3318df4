/** Pictures on their way from the device into files: bytes, a quarter of what floats would take to read back. */
import type { Tensor } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { packBytes } from "@ftim/gpu/ops/pack-bytes";
import { readBack } from "@ftim/gpu/ops/read-back";

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
  const found = await readBack<"int32">(words, where);
  return found.map(({ buffer, byteOffset }, i) => new Uint8Array(buffer, byteOffset, sizes[i]));
}
