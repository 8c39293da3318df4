// Arithmetic of an image with one value per channel: [.., channels] ∘ [channels].
//
// tfjs loads scalars through workgroup memory here. Ours keeps the channel's value in a register for several pixels, in vec4.

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Tfjs } from "../tfjs.ts";
import { dispatch, program, sizeOf } from "./dispatch.ts";
import { replaceKernel, required } from "./replace.ts";

const OPERATIONS: Readonly<Record<string, (a: string, b: string) => string>> = {
  Add: (a, b) => `${a} + ${b}`,
  Sub: (a, b) => `${a} - ${b}`,
  Multiply: (a, b) => `${a} * ${b}`,
  RealDiv: (a, b) => `${a} / ${b}`,
  Maximum: (a, b) => `max(${a}, ${b})`,
  Minimum: (a, b) => `min(${a}, ${b})`,
  Prelu: (x, slope) => `select(${x}, ${slope} * ${x}, ${x} < vec4<f32>())`,
};

// Pixels that one invocation writes.
const PIXELS = 8;
// Below this the stock kernel is as good, and small tensors on the CPU should stay there.
const LEAST_SIZE = 4096;

/** Puts the channel broadcast in place of the arithmetic kernels where one operand has one value per channel. */
export function registerBroadcast(tf: Tfjs): void {
  for (const [kernel, expression] of Object.entries(OPERATIONS)) {
    replaceKernel(tf, kernel, ({ inputs, backend }) => {
      const prelu = kernel === "Prelu";
      const a = required(inputs, prelu ? "x" : "a");
      const b = required(inputs, prelu ? "alpha" : "b");
      if (a.dtype !== "float32" || b.dtype !== "float32") return undefined;
      if (isChannelwise(a.shape, b.shape)) {
        return run(backend as WebGPUBackend, { kernel, expression, image: a, channels: b, swapped: false });
      }
      if (!prelu && isChannelwise(b.shape, a.shape)) {
        return run(backend as WebGPUBackend, { kernel, expression, image: b, channels: a, swapped: true });
      }
      return undefined;
    });
  }
}

function isChannelwise(image: number[], channels: number[]): boolean {
  const last = image[image.length - 1] ?? 0;
  const size = sizeOf(channels);
  return channels.length <= image.length && last % 4 === 0 && sizeOf(image) >= LEAST_SIZE &&
    size === last && channels[channels.length - 1] === last;
}

interface Broadcast {
  readonly kernel: string;
  readonly expression: (a: string, b: string) => string;
  readonly image: TensorInfo;
  readonly channels: TensorInfo;
  readonly swapped: boolean;
}

function run(backend: WebGPUBackend, { kernel, expression, image, channels, swapped }: Broadcast): TensorInfo {
  const columns = (image.shape[image.shape.length - 1] ?? 4) / 4;
  const pixels = sizeOf(image.shape) / 4 / columns;
  const count = columns * Math.ceil(pixels / PIXELS);
  return dispatch(backend, {
    key: `broadcast_${kernel}${swapped ? "_swapped" : ""}`,
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["image", "vec4<f32>"], ["channels", "vec4<f32>"]],
        uniforms: ["count", "columns", "pixels"],
        body: `
  if (id >= u.count) { return; }
  let column = id % u.columns;
  let first = id / u.columns * ${PIXELS};
  let c = channels[column];
  for (var p = first; p < min(first + ${PIXELS}, u.pixels); p++) {
    let at = p * u.columns + column;
    result[at] = ${swapped ? expression("c", "image[at]") : expression("image[at]", "c")};
  }`,
      }),
    inputs: [image, channels],
    shape: image.shape,
    uniforms: [count, columns, pixels],
    invocations: count,
  });
}
