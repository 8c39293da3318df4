/**
 * Maps and pictures of 0..1 on the device as the bytes that a file keeps, so that a quarter is read back. The other way
 * is byte_values.ts.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { Tfjs } from "../backend.ts";
import { program } from "../kernels/dispatch.ts";
import { run } from "./run.ts";

/** WGSL of `packed(values)`: a word of four values, clamped to 0..1 and rounded to bytes 0..255, the first lowest. */
export const PACKED = /* wgsl */ `
fn packed(values : vec4<f32>) -> i32 {
  let bytes = vec4<u32>(floor(clamp(values, vec4<f32>(), vec4<f32>(1)) * 255.0 + 0.5));
  return bitcast<i32>(bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u));
}`;

/**
 * Values clamped to 0..1 and rounded to bytes 0..255, four in each word in their order.
 *
 * @param maps of any shape
 * @returns int32 [⌈values / 4⌉]; what the last word holds beyond the values means nothing
 */
export function packBytes(tf: Tfjs, maps: Tensor): Tensor {
  const words = Math.ceil(maps.size / 4);
  const whole = maps.size % 4 === 0;
  return run(tf, {
    key: `pack_bytes_${whole ? 4 : 1}`,
    code: () =>
      program({
        result: "i32",
        inputs: [["maps", whole ? "vec4<f32>" : "f32"]],
        uniforms: ["words", "last"],
        functions: PACKED,
        body: `
  if (id >= u.words) { return; }
  let at = min(vec4<i32>(4 * id) + vec4<i32>(0, 1, 2, 3), vec4<i32>(u.last));
  result[id] = packed(${whole ? "maps[id]" : "vec4<f32>(maps[at.x], maps[at.y], maps[at.z], maps[at.w])"});`,
      }),
    inputs: [maps],
    shape: [words],
    dtype: "int32",
    uniforms: [words, maps.size - 1],
    invocations: words,
  });
}

/** The bytes of one of several equal maps in the words of `packBytes`. */
export function bytesOf(words: Int32Array, { index, length }: { index: number; length: number }): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset + index * length, length);
}
