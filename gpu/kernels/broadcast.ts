/**
 * Arithmetic of an image with something that repeats over it. tfjs loads the values of channels through workgroup
 * memory, and where the last axis is no multiple of four it goes element by element and works out all coordinates of
 * each. Here every layout goes four elements at a time.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Tfjs } from "../backend.ts";
import { dispatch, program, sizeOf } from "./dispatch.ts";
import { goesByFours, pixelOfElements } from "./pixel_values.ts";
import { LEAST_SIZE, replaceKernel, required } from "./replace.ts";

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

/**
 * How an operand repeats over an image: one value a channel, one value a pixel, or a map that serves every image of a
 * batch.
 */
type Layout = "channels" | "pixels" | "maps";

/** Puts our layouts in place of the arithmetic kernels where one operand has one of them. */
export function registerBroadcast(tf: Tfjs): void {
  for (const [kernel, expression] of Object.entries(OPERATIONS)) {
    replaceKernel(tf, kernel, ({ inputs, backend }) => {
      const prelu = kernel === "Prelu";
      const a = required(inputs, prelu ? "x" : "a");
      const b = required(inputs, prelu ? "alpha" : "b");
      if (a.dtype !== "float32" || b.dtype !== "float32") return undefined;
      const layout = layoutOf(a.shape, b.shape);
      if (layout !== undefined) {
        return run(backend as WebGPUBackend, { kernel, expression, layout, image: a, values: b, swapped: false });
      }
      const other = prelu ? undefined : layoutOf(b.shape, a.shape);
      if (other !== undefined) {
        return run(backend as WebGPUBackend, { kernel, expression, layout: other, image: b, values: a, swapped: true });
      }
      return undefined;
    });
  }
}

function layoutOf(image: readonly number[], values: readonly number[]): Layout | undefined {
  const size = sizeOf(image);
  if (size < LEAST_SIZE || size % 4 !== 0 || values.length > image.length) return undefined;
  const last = image[image.length - 1] ?? 1;
  if (last % 4 === 0) {
    // Four at a time is what tfjs does itself here, but for values of channels.
    return sizeOf(values) === last && values[values.length - 1] === last ? "channels" : undefined;
  }
  if (sizeOf(values) % 4 === 0 && repeats(image, values)) return "maps";
  const onePerPixel = values[values.length - 1] === 1 && repeats(image.with(-1, 1), values);
  return onePerPixel && goesByFours({ channels: last, size }) ? "pixels" : undefined;
}

/** Whether a shape, without its leading ones, is how an image's shape ends. */
function repeats(image: readonly number[], values: readonly number[]): boolean {
  const first = values.findIndex((length) => length !== 1);
  const own = first < 0 ? [] : values.slice(first);
  return own.every((length, i) => length === image[image.length - own.length + i]);
}

interface Broadcast {
  readonly kernel: string;
  readonly expression: (a: string, b: string) => string;
  readonly layout: Layout;
  readonly image: TensorInfo;
  readonly values: TensorInfo;
  readonly swapped: boolean;
}

function run(backend: WebGPUBackend, { kernel, expression, layout, image, values, swapped }: Broadcast): TensorInfo {
  const combined = (value: string) => swapped ? expression(value, "image[at]") : expression("image[at]", value);
  const { uniforms, count, element, body } = programs[layout](image.shape, sizeOf(values.shape), combined);
  return dispatch(backend, {
    key: `broadcast_${kernel}_${layout}${swapped ? "_swapped" : ""}`,
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["image", "vec4<f32>"], ["values", element]],
        uniforms: ["count", ...Object.keys(uniforms)],
        body: `
  if (id >= u.count) { return; }${body}`,
      }),
    inputs: [image, values],
    shape: image.shape,
    uniforms: [count, ...Object.values(uniforms)],
    invocations: count,
  });
}

interface LayoutProgram {
  readonly uniforms: Readonly<Record<string, number>>;
  readonly count: number;
  readonly element: "vec4<f32>" | "f32";
  readonly body: string;
}

const programs: Record<
  Layout,
  (shape: readonly number[], size: number, combined: (value: string) => string) => LayoutProgram
> = {
  // The channel's value stays in a register for several pixels.
  channels: (shape, size, combined) => {
    const columns = size / 4;
    const pixels = sizeOf(shape) / size;
    return {
      uniforms: { columns, pixels },
      count: columns * Math.ceil(pixels / PIXELS),
      element: "vec4<f32>",
      body: `
  let column = id % u.columns;
  let first = id / u.columns * ${PIXELS};
  let c = values[column];
  for (var p = first; p < min(first + ${PIXELS}, u.pixels); p++) {
    let at = p * u.columns + column;
    result[at] = ${combined("c")};
  }`,
    };
  },
  pixels: (shape, size, combined) => ({
    uniforms: { channels: shape[shape.length - 1]!, period: size },
    count: sizeOf(shape) / 4,
    element: "f32",
    body: `
  let at = id;
  ${pixelOfElements("values", "at")}
  result[at] = ${combined("pixel")};`,
  }),
  maps: (shape, size, combined) => ({
    uniforms: { period: size / 4 },
    count: sizeOf(shape) / 4,
    element: "vec4<f32>",
    body: `
  let at = id;
  let v = values[at % u.period];
  result[at] = ${combined("v")};`,
  }),
};
