/**
 * Crops by plain bilinear interpolation between pixel centres, with black around the photograph: how the authors of
 * DECA cut out what their encoder was trained on (`warp` of scikit-image). Where a crop shrinks, this aliases, and a
 * network that was trained so wants it so; crop_photographs.ts widens its filter instead. bilinear_crop_cpu.ts is the
 * reference.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { emptyTensor, program, run } from "@ftim/gpu/wgsl";
import { cropInPhotograph, type CropTransform } from "../face/crop.ts";
import { type PixelPart, type Pixels, uploadPart, valueAt } from "../face/pixels.ts";

/** A photograph and the crop of one of its faces. */
export interface CroppedPhotograph {
  readonly image: Pixels;
  /** As `decaCrop` or `decaLandmarkCrop` places it. */
  readonly transform: CropTransform;
}

/**
 * Cuts out a crop of each photograph. Only the pixels under it go to the device.
 *
 * @param photographs of any sizes, floats or bytes; a photograph may come several times
 * @param options.size side of every crop in pixels
 * @returns `[photographs, size, size, 3]`, 0..1
 * @throws {RangeError} without a photograph, or if a crop has another size or its photograph was of another; the
 *   message names its index
 */
export function bilinearCrops(
  tf: Tfjs,
  photographs: readonly CroppedPhotograph[],
  { size }: { size: number },
): Tensor4D {
  if (photographs.length === 0) throw new RangeError("There is no photograph to crop");
  return tf.tidy(() => {
    const crops = emptyTensor(tf, { shape: [photographs.length, size, size, 3], dtype: "float32" });
    for (const [index, { image, transform }] of photographs.entries()) {
      const { width, height } = transform.photograph;
      if (transform.size !== size || width !== image.width || height !== image.height) {
        throw new RangeError(
          `Crop ${index} is of ${transform.size} pixels of a photograph of ${width}×${height}; ` +
            `expected is one of ${size} of ${image.width}×${image.height}`,
        );
      }
      const part = partOf(transform, image);
      const bytes = image.data instanceof Uint8Array;
      const step = 1 / transform.scale;
      run(tf, {
        key: bytes ? "bilinear_crop_bytes" : "bilinear_crop",
        code: () => cropCode(bytes),
        inputs: [uploadPart(tf, image, part)],
        into: crops,
        shape: crops.shape,
        uniforms: [
          size * size,
          size,
          index,
          part.columns,
          part.rows,
          { f32: step },
          { f32: (0.5 - transform.x) * step - 0.5 - part.left },
          { f32: (0.5 - transform.y) * step - 0.5 - part.top },
        ],
        invocations: size * size,
      });
    }
    return crops as Tensor4D;
  });
}

/** The whole pixels under a crop, and one more on each side; at least one of the photograph's. */
function partOf(transform: CropTransform, { width, height }: Pixels): PixelPart {
  const { left, top, width: across, height: down } = cropInPhotograph(transform);
  const stretch = (start: number, length: number, most: number) => {
    const first = Math.min(most - 1, Math.max(0, Math.floor(start) - 1));
    return { first, count: Math.max(1, Math.min(most, Math.ceil(start + length) + 1) - first) };
  };
  const [columns, rows] = [stretch(left, across, width), stretch(top, down, height)];
  return { left: columns.first, top: rows.first, columns: columns.count, rows: rows.count };
}

const cropCode = (bytes: boolean) =>
  program({
    result: "f32",
    inputs: [["pixels", bytes ? "u32" : "f32"]],
    uniforms: ["count", "size", "index", "columns", "rows", "step:f32", "left:f32", "top:f32"],
    functions: `${valueAt(bytes)}
fn pixel(x : i32, y : i32) -> vec3<f32> {
  let at = 3 * (clamp(y, 0, u.rows - 1) * u.columns + clamp(x, 0, u.columns - 1));
  let inside = x >= 0 && x < u.columns && y >= 0 && y < u.rows;
  return select(vec3<f32>(), vec3<f32>(valueAt(at), valueAt(at + 1), valueAt(at + 2)), inside);
}`,
    body: `
  if (id >= u.count) { return; }
  let place = vec2<f32>(f32(id % u.size) * u.step + u.left, f32(id / u.size) * u.step + u.top);
  let first = floor(place);
  let part = place - first;
  let x = i32(first.x);
  let y = i32(first.y);
  let upper = mix(pixel(x, y), pixel(x + 1, y), vec3<f32>(part.x));
  let lower = mix(pixel(x, y + 1), pixel(x + 1, y + 1), vec3<f32>(part.x));
  let colour = mix(upper, lower, vec3<f32>(part.y));
  let to = 3 * (u.index * u.count + id);
  result[to] = colour.x;
  result[to + 1] = colour.y;
  result[to + 2] = colour.z;`,
  });
