/**
 * Parts of one photograph as pictures of one size on the device, each pixel the mean of the whole pixels under it: how
 * MTCNN shrinks what it looks at (`interpolate` of PyTorch with mode `area`, which is an adaptive mean). Bins may
 * overlap by a pixel where the sizes do not divide; where a part is smaller than the picture, pixels are repeated.
 */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";
import { type Pixels, uploadPixels, valueAt } from "../face/pixels.ts";
import type { Size } from "./resample_boxes.ts";

/** A part of a photograph: whole pixels inside of it, at least one each way. */
export interface PixelBox extends Size {
  readonly left: number;
  readonly top: number;
}

/** A photograph on the device. */
export interface UploadedPhotograph extends Size {
  readonly bytes: boolean;
  readonly pixels: Tensor;
}

/** Puts a photograph on the device; its tensor belongs to the caller. */
export function uploadPhotograph(tf: Tfjs, image: Pixels): UploadedPhotograph {
  const { width, height, data } = image;
  return { width, height, bytes: data instanceof Uint8Array, pixels: uploadPixels(tf, image) };
}

/**
 * Shrinks parts of a photograph.
 *
 * @returns `[boxes, height, width, 3]`, 0..1
 */
export function areaBoxes(
  tf: Tfjs,
  { pixels, bytes, width: across }: UploadedPhotograph,
  { boxes, width, height }: Size & { readonly boxes: readonly PixelBox[] },
): Tensor4D {
  if (boxes.length === 0) return tf.zeros([0, height, width, 3]);
  const table = Int32Array.from(boxes.flatMap((box) => [box.left, box.top, box.width, box.height]));
  const count = boxes.length * width * height;
  return tf.tidy(() =>
    run(tf, {
      key: bytes ? "area_boxes_bytes" : "area_boxes",
      code: () => areaCode(bytes),
      inputs: [pixels, tf.tensor1d(table, "int32")],
      shape: [boxes.length, height, width, 3],
      uniforms: [count, width, height, across],
      invocations: count,
    }) as Tensor4D
  );
}

const areaCode = (bytes: boolean) =>
  program({
    result: "f32",
    inputs: [["pixels", bytes ? "u32" : "f32"], ["boxes", "vec4<i32>"]],
    uniforms: ["count", "width", "height", "across"],
    functions: valueAt(bytes),
    body: `
  if (id >= u.count) { return; }
  let box = boxes[id / (u.width * u.height)];
  let x = id % u.width;
  let y = id / u.width % u.height;
  let left = x * box.z / u.width;
  let right = ((x + 1) * box.z + u.width - 1) / u.width;
  let top = y * box.w / u.height;
  let bottom = ((y + 1) * box.w + u.height - 1) / u.height;
  var sum = vec3<f32>();
  for (var row = top; row < bottom; row++) {
    var line = vec3<f32>();
    let first = 3 * ((box.y + row) * u.across + box.x);
    for (var column = left; column < right; column++) {
      let at = first + 3 * column;
      line += vec3<f32>(valueAt(at), valueAt(at + 1), valueAt(at + 2));
    }
    sum += line;
  }
  let mean = sum / f32((right - left) * (bottom - top));
  result[3 * id] = mean.x;
  result[3 * id + 1] = mean.y;
  result[3 * id + 2] = mean.z;`,
  });
