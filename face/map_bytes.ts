/** Maps and pictures of 0..1 on the device as the bytes that a file keeps, so that a quarter is read back. */
import type { Tensor } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";

/**
 * Values clamped to 0..1 and rounded to bytes 0..255, four in each word in their order.
 *
 * @param maps of any shape
 * @returns int32 [⌈values / 4⌉]; where the last word is not full, 0 follows
 */
export function packBytes(tf: Tfjs, maps: Tensor): Tensor {
  const words = Math.ceil(maps.size / 4);
  return run(tf, {
    key: "pack_bytes",
    code: () =>
      program({
        result: "i32",
        inputs: [["maps", "f32"]],
        uniforms: ["words", "size"],
        functions: /* wgsl */ `
fn byteAt(i : i32) -> u32 {
  return u32(floor(clamp(maps[min(i, u.size - 1)], 0.0, 1.0) * 255.0 + 0.5)) * select(0u, 1u, i < u.size);
}`,
        body: `
  if (id >= u.words) { return; }
  let first = 4 * id;
  result[id] = bitcast<i32>(
    byteAt(first) | (byteAt(first + 1) << 8u) | (byteAt(first + 2) << 16u) | (byteAt(first + 3) << 24u));`,
      }),
    inputs: [maps],
    shape: [words],
    dtype: "int32",
    uniforms: [words, maps.size],
    invocations: words,
  });
}

/** The bytes of one of several equal maps in the words of `packBytes`. */
export function bytesOf(words: Int32Array, { index, length }: { index: number; length: number }): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset + index * length, length);
}
