/**
 * Colours and other shares that are stored as bytes, as floats in 0..1 on the device. They go there as bytes, a quarter
 * of the floats' size, and JavaScript does not look at each.
 */

import type { Tensor } from "@tensorflow/tfjs";
import { program, sizeOf } from "../kernels/dispatch.ts";
import type { Tfjs } from "../backend.ts";
import { run } from "./run.ts";

/** Bytes of one map. */
export type Bytes = Uint8Array | Uint8ClampedArray;

/**
 * Byte b as b / 255, in a tensor of all parts one after another.
 *
 * @param parts together as long as the tensor
 * @param shape of the tensor
 * @returns float32; values agree with `byteValuesCpu` to f32 rounding
 * @throws {RangeError} if the parts have another length than the tensor
 */
export function byteValues(tf: Tfjs, parts: readonly Bytes[], shape: readonly number[]): Tensor {
  const count = sizeOf(shape);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length !== count) throw new RangeError(`${length} bytes do not make a tensor [${shape}] of ${count} values`);
  if (count === 0) return tf.zeros([...shape]);
  const words = Math.ceil(count / 4);
  const bytes = new Uint8Array(4 * words);
  parts.reduce((at, part) => (bytes.set(part, at), at + part.length), 0);
  const whole = count % 4 === 0;
  return tf.tidy(() =>
    run(tf, {
      key: `byte_values_${whole ? "fours" : "singly"}`,
      code: () => whole ? foursCode() : singlyCode(),
      inputs: [tf.tensor1d(new Int32Array(bytes.buffer), "int32")],
      shape,
      uniforms: [whole ? words : count],
      invocations: whole ? words : count,
    })
  );
}

const foursCode = () =>
  program({
    result: "vec4<f32>",
    inputs: [["words", "u32"]],
    uniforms: ["count"],
    body: `
  if (id >= u.count) { return; }
  result[id] = vec4<f32>((vec4<u32>(words[id]) >> vec4<u32>(0, 8, 16, 24)) & vec4<u32>(255)) / 255.0;`,
  });

const singlyCode = () =>
  program({
    result: "f32",
    inputs: [["words", "u32"]],
    uniforms: ["count"],
    body: `
  if (id >= u.count) { return; }
  result[id] = f32((words[id / 4] >> (8u * (u32(id) % 4u))) & 255u) / 255.0;`,
  });
