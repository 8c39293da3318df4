/**
 * A tensor reversed along one axis, such as an image mirrored. tfjs works out all coordinates of every element; here an
 * invocation moves one position of the axis with all that lies in it, the channels of a pixel.
 */

import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Tfjs } from "../backend.ts";
import { dispatch, program, sizeOf } from "./dispatch.ts";
import { LEAST_SIZE, replaceKernel, required } from "./replace.ts";

// With more elements in a position there would be too few invocations.
const MOST_INSIDE = 16;

/** Puts ours in place of tfjs's reversal of floats along one axis behind which a few elements lie. */
export function registerReverse(tf: Tfjs): void {
  replaceKernel(tf, "Reverse", ({ inputs, backend, attrs }) => {
    const x = required(inputs, "x");
    if (x.dtype !== "float32" || attrs === undefined || sizeOf(x.shape) < LEAST_SIZE) return undefined;
    const axes = tf.util.parseAxisParam(attrs.dims as number[], x.shape);
    const inside = sizeOf(x.shape.slice(axes[0]! + 1));
    if (axes.length !== 1 || inside > MOST_INSIDE) return undefined;
    const length = x.shape[axes[0]!]!;
    const count = sizeOf(x.shape) / inside;
    return dispatch(backend as WebGPUBackend, {
      key: "reverse",
      code: () =>
        program({
          result: "f32",
          inputs: [["x", "f32"]],
          uniforms: ["count", "length", "inside"],
          body: `
  if (id >= u.count) { return; }
  let place = id % u.length;
  let source = (id - place + u.length - 1 - place) * u.inside;
  let to = id * u.inside;
  for (var k = 0; k < u.inside; k++) { result[to + k] = x[source + k]; }`,
        }),
      inputs: [x],
      shape: x.shape,
      uniforms: [count, length, inside],
      invocations: count,
    });
  });
}
