/** Pictures on their way from the device into files: bytes, a quarter of what floats would take to read back. */
import type { Tensor } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { program, run } from "@ftim/gpu/wgsl";

/**
 * Reads pictures back as bytes, in one wait, and disposes of them.
 *
 * @param pictures values in 0..1; what lies outside is clamped. Of any shape
 * @param where names the work in an error
 * @returns the values of each, 0..255, in their order
 * @throws {GpuError} if the device reports an error
 */
export async function readPixelBytes(tf: Tfjs, pictures: readonly Tensor[], where: string): Promise<Uint8Array[]> {
  const words = tf.tidy(() => pictures.map((picture) => wordsOfPicture(tf, picture)));
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

function wordsOfPicture(tf: Tfjs, picture: Tensor): Tensor {
  const count = Math.ceil(picture.size / 4);
  return run(tf, {
    key: "picture_bytes",
    code: () =>
      program({
        result: "u32",
        inputs: [["values", "f32"]],
        uniforms: ["count", "size"],
        body: `
  if (id >= u.count) { return; }
  var word = 0u;
  for (var k = 0; k < 4; k++) {
    let i = min(4 * id + k, u.size - 1);
    word |= u32(clamp(values[i], 0.0, 1.0) * 255 + 0.5) << u32(8 * k);
  }
  result[id] = word;`,
      }),
    inputs: [picture],
    shape: [count],
    dtype: "int32",
    uniforms: [count, picture.size],
    invocations: count,
  });
}
