/**
 * Crops of photographs that are resampled as Pillow does it with `BICUBIC` (cubic_taps.ts): columns first, then rows,
 * each cut off and rounded to bytes, and black outside of the photograph. How the authors of Deep3DFaceRecon cut out
 * what their encoder was trained on.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { emptyTensor, program, run } from "@ftim/gpu/wgsl";
import type { DengCrop } from "../face/deng_crop.ts";
import { type Pixels, uploadPart, valueAt } from "../face/pixels.ts";
import { cubicTaps } from "./cubic_taps.ts";
import type { Taps } from "./resample_taps.ts";

/** A photograph and a crop of it. */
export interface ResizedPhotograph {
  readonly image: Pixels;
  readonly crop: Omit<DengCrop, "part">;
}

/**
 * Cuts out a crop of each photograph. Only the rows and columns under it go to the device.
 *
 * @param photographs of any sizes, floats or bytes
 * @param options.size side of every crop in pixels
 * @returns `[photographs, size, size, 3]`, 0..1 in 255ths
 * @throws {RangeError} without a photograph
 */
export function cubicCrops(tf: Tfjs, photographs: readonly ResizedPhotograph[], { size }: { size: number }): Tensor4D {
  if (photographs.length === 0) throw new RangeError("There is no photograph to crop");
  return tf.tidy(() => {
    const crops = emptyTensor(tf, { shape: [photographs.length, size, size, 3], dtype: "float32" });
    for (const [index, { image, crop: { resized, left, top } }] of photographs.entries()) {
      const across = cubicTaps(image.width, { resized: resized.width, start: left, count: size });
      const down = cubicTaps(image.height, { resized: resized.height, start: top, count: size });
      const [columns, rows] = [stretchOf(across, image.width), stretchOf(down, image.height)];
      const part = { left: columns.first, top: rows.first, columns: columns.count, rows: rows.count };
      const bytes = image.data instanceof Uint8Array;
      const tables = ({ first, weights }: Taps) => [tf.tensor1d(first, "int32"), tf.tensor1d(weights)];
      const narrow = run(tf, {
        key: bytes ? "cubic_columns_bytes" : "cubic_columns",
        code: () => columnsCode(bytes),
        inputs: [uploadPart(tf, image, part), ...tables(across)],
        shape: [part.rows, size, 3],
        uniforms: [part.rows * size, size, across.width, part.left, part.columns],
        invocations: part.rows * size,
      });
      run(tf, {
        key: "cubic_rows",
        code: rowsCode,
        inputs: [narrow, ...tables(down)],
        into: crops,
        shape: crops.shape,
        uniforms: [size * size, size, down.width, part.top, part.rows, index],
        invocations: size * size,
      });
    }
    return crops as Tensor4D;
  });
}

/** The pixels that have a weight; at least one. */
function stretchOf({ first, weights, width }: Taps, size: number): { first: number; count: number } {
  let [low, high] = [size - 1, 0];
  for (const [i, start] of first.entries()) {
    for (let k = 0; k < width; k++) {
      if (weights[i * width + k] === 0) continue;
      low = Math.min(low, start + k);
      high = Math.max(high, start + k);
    }
  }
  return low > high ? { first: 0, count: 1 } : { first: low, count: high + 1 - low };
}

/** A weighted sum, as a byte. */
const sumCode = (value: string) => `
  var sum = vec3<f32>();
  for (var k = 0; k < u.taps; k++) {
    let weight = weights[at * u.taps + k];
    let source = firsts[at] + k - u.start;
    if (weight != 0 && source >= 0 && source < u.length) { sum += weight * ${value}; }
  }
  let byte = floor(clamp(255 * sum, vec3<f32>(), vec3<f32>(255)) + 0.5) / 255;`;

const columnsCode = (bytes: boolean) =>
  program({
    result: "f32",
    inputs: [["pixels", bytes ? "u32" : "f32"], ["firsts", "i32"], ["weights", "f32"]],
    uniforms: ["count", "size", "taps", "start", "length"],
    functions: `${valueAt(bytes)}
fn pixel(i : i32) -> vec3<f32> { return vec3<f32>(valueAt(3 * i), valueAt(3 * i + 1), valueAt(3 * i + 2)); }`,
    body: `
  if (id >= u.count) { return; }
  let row = id / u.size;
  let at = id % u.size;${sumCode("pixel(row * u.length + source)")}
  result[3 * id] = byte.x;
  result[3 * id + 1] = byte.y;
  result[3 * id + 2] = byte.z;`,
  });

const rowsCode = () =>
  program({
    result: "f32",
    inputs: [["narrow", "f32"], ["firsts", "i32"], ["weights", "f32"]],
    uniforms: ["count", "size", "taps", "start", "length", "index"],
    functions: `
fn pixel(i : i32) -> vec3<f32> { return vec3<f32>(narrow[3 * i], narrow[3 * i + 1], narrow[3 * i + 2]); }`,
    body: `
  if (id >= u.count) { return; }
  let at = id / u.size;${sumCode("pixel(source * u.size + id % u.size)")}
  let to = 3 * (u.index * u.count + id);
  result[to] = byte.x;
  result[to + 1] = byte.y;
  result[to + 2] = byte.z;`,
  });
