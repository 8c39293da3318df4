/**
 * Casts of whole numbers and truth values to floats. tfjs gives the same buffer another type's name and leaves each of
 * its programs to look up what the buffer holds. A program of ours that takes the name at its word would read 1 as the
 * float of the same bits, which is almost 0.
 */

import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Tfjs } from "../backend.ts";
import { dispatch, program, sizeOf } from "./dispatch.ts";
import { replaceKernel, required } from "./replace.ts";

/** Puts a conversion of each element in the place of the new name. */
export function registerCast(tf: Tfjs): void {
  replaceKernel(tf, "Cast", ({ inputs, backend, attrs }) => {
    const x = required(inputs, "x");
    const count = sizeOf(x.shape);
    if (attrs?.dtype !== "float32" || x.dtype !== "bool" && x.dtype !== "int32" || count === 0) return undefined;
    return dispatch(backend as WebGPUBackend, {
      key: "cast_to_float",
      code: () =>
        program({
          result: "f32",
          inputs: [["x", "i32"]],
          uniforms: ["count"],
          body: `
  if (id >= u.count) { return; }
  result[id] = f32(x[id]);`,
        }),
      inputs: [x],
      shape: x.shape,
      uniforms: [count],
      invocations: count,
    });
  });
}
