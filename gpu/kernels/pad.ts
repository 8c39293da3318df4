/**
 * Padding along one axis, four elements at a time: the gradient of a slice, such as that of one image of a batch, or
 * further channels. tfjs works out all coordinates of every element.
 */

import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Tfjs } from "../backend.ts";
import { dispatch, program, sizeOf } from "./dispatch.ts";
import { LEAST_SIZE, replaceKernel, required } from "./replace.ts";

/**
 * Puts ours in place of tfjs's padding of floats along one axis, where what is there, and what comes before and after
 * it, is whole groups of four.
 */
export function registerPad(tf: Tfjs): void {
  replaceKernel(tf, "PadV2", ({ inputs, backend, attrs }) => {
    const x = required(inputs, "x");
    if (x.dtype !== "float32" || attrs === undefined || sizeOf(x.shape) < LEAST_SIZE) return undefined;
    const { paddings, constantValue } = attrs as unknown as { paddings: [number, number][]; constantValue: number };
    const padded = paddings.flatMap(([before, after], axis) => before + after > 0 ? [axis] : []);
    const axis = padded[0];
    if (padded.length !== 1 || axis === undefined) return undefined;
    const inside = sizeOf(x.shape.slice(axis + 1));
    const [before, after] = paddings[axis]!;
    if ([before, x.shape[axis]!, after].some((length) => length * inside % 4 !== 0)) return undefined;
    const shape = x.shape.with(axis, before + x.shape[axis]! + after);
    const count = sizeOf(shape) / 4;
    const [own, first, whole] = [x.shape[axis]!, before, shape[axis]!].map((length) => length * inside / 4);
    return dispatch(backend as WebGPUBackend, {
      key: "pad_one_axis",
      code: () =>
        program({
          result: "vec4<f32>",
          inputs: [["x", "vec4<f32>"]],
          uniforms: ["count", "own", "first", "whole", "value:f32"],
          body: `
  if (id >= u.count) { return; }
  let place = id % u.whole - u.first;
  let inside = place >= 0 && place < u.own;
  result[id] = select(vec4<f32>(u.value), x[id / u.whole * u.own + clamp(place, 0, u.own - 1)], inside);`,
        }),
      inputs: [x],
      shape,
      uniforms: [count, own!, first!, whole!, { f32: constantValue }],
      invocations: count,
    });
  });
}
