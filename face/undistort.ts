/**
 * Removes lens distortion (OpenCV's five-coefficient model) from photographs on the device; the reference is
 * `undistort` of the import stage.
 *
 * Coordinates are in f32, so what is computed is how far the lens moves a pixel: a shift of 100 pixels is right to 1e-5
 * pixels, where a coordinate of 2000 would be right to 1e-4. Values agree with the reference's to 1e-4 of the
 * difference of neighbouring pixels. On the border of what the lens saw a pixel may be black in one and not in the
 * other.
 */
import type { Tensor3D } from "@tensorflow/tfjs";
import { webgpuBackend } from "@ftim/gpu/backend";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { program, QUOTIENT, run } from "@ftim/gpu/wgsl";
import { type Pixels, valueAt, wordsOf } from "./pixels.ts";

/** A camera's lens. */
export interface Lens {
  /** Intrinsics, 3×3; pixel centres at whole numbers, as in OpenCV. */
  readonly k: readonly (readonly number[])[];
  /** k1, k2, p1, p2, k3. */
  readonly distortion: readonly number[];
}

/**
 * Each photograph as a pinhole camera with the same K would have taken it: bilinear, black where the lens saw nothing.
 *
 * @returns [height, width, 3] of each, 0..1
 * @throws {RangeError} if a photograph has no pixels or no camera, or is larger than what the device binds; the message
 *   names its index
 */
export function undistortPhotographs(
  tf: Tfjs,
  photographs: readonly { readonly image: Pixels; readonly camera: Lens }[],
): Tensor3D[] {
  const limit = webgpuBackend(tf).device.limits.maxStorageBufferBindingSize;
  for (const [index, { image: { width, height }, camera }] of photographs.entries()) {
    if (!(width > 0 && height > 0)) throw new RangeError(`Photograph ${index} has ${width}×${height} pixels`);
    const most = Math.floor(limit / 12);
    if (width * height > most) {
      throw new RangeError(`Photograph ${index} has ${width}×${height} pixels, the device holds ${most}: reduce it`);
    }
    if (![...camera.k.flat(), ...camera.distortion].every(Number.isFinite) || !camera.k[0]?.[0] || !camera.k[1]?.[1]) {
      throw new RangeError(`Photograph ${index} has no camera: K is ${JSON.stringify(camera.k)}`);
    }
  }
  return photographs.map(({ image, camera }) => tf.tidy(() => undistortOne(tf, image, camera)));
}

function undistortOne(tf: Tfjs, image: Pixels, { k, distortion }: Lens): Tensor3D {
  const { width, height } = image;
  const bytes = image.data instanceof Uint8Array;
  const [[fx = 1, skew = 0, cx = 0] = [], [, fy = 1, cy = 0] = []] = k;
  const [k1 = 0, k2 = 0, p1 = 0, p2 = 0, k3 = 0] = distortion;
  // The part behind the point by itself: f32 keeps it to eight digits more.
  const [left, top] = [Math.floor(cx), Math.floor(cy)];
  return run(tf, {
    key: `undistort_${bytes ? "bytes" : "floats"}`,
    code: () => code(bytes),
    inputs: [tf.tensor1d(wordsOf(image), "int32")],
    shape: [height, width, 3],
    uniforms: [
      width,
      height,
      left,
      top,
      ...[cx - left, cy - top, fx, fy, skew, k1, k2, p1, p2, k3].map((f32) => ({ f32 })),
    ],
    invocations: width * height,
  }) as Tensor3D;
}

const code = (bytes: boolean) =>
  program({
    result: "f32",
    inputs: [["pixels", bytes ? "u32" : "f32"]],
    uniforms: [
      "width",
      "height",
      "left",
      "top",
      ...["part_x", "part_y", "fx", "fy", "skew", "k1", "k2", "p1", "p2", "k3"].map((name) => `${name}:f32`),
    ],
    functions: QUOTIENT + valueAt(bytes),
    body: `
  if (id >= u.width * u.height) { return; }
  let y = quotient(id, u.width);
  let x = id - y * u.width;
  let b = (f32(y - u.top) - u.part_y) / u.fy;
  let a = (f32(x - u.left) - u.part_x - u.skew * b) / u.fx;
  let r2 = a * a + b * b;
  let radial = r2 * (u.k1 + r2 * (u.k2 + r2 * u.k3));
  let da = a * radial + 2 * u.p1 * a * b + u.p2 * (r2 + 2 * a * a);
  let db = b * radial + u.p1 * (r2 + 2 * b * b) + 2 * u.p2 * a * b;
  let shift = vec2<f32>(u.fx * da + u.skew * db, u.fy * db);
  let near = all(abs(shift) < vec2<f32>(1e6));
  let whole = floor(select(vec2<f32>(), shift, near));
  var part = shift - whole;
  let at = vec2<i32>(x, y) + vec2<i32>(whole);
  let size = vec2<i32>(u.width, u.height);
  let touches = (at == vec2<i32>(-1)) & (part > vec2<f32>());
  let seen = near && all(at < size) && all((at >= vec2<i32>()) | touches);
  part = select(part, vec2<f32>(), (at < vec2<i32>()) | (at >= size - 1));
  let low = clamp(at, vec2<i32>(), size - 1);
  let high = min(low + 1, size - 1);
  let upper = low.y * u.width;
  let lower = high.y * u.width;
  for (var c = 0; c < 3; c++) {
    let above = mix(valueAt(3 * (upper + low.x) + c), valueAt(3 * (upper + high.x) + c), part.x);
    let below = mix(valueAt(3 * (lower + low.x) + c), valueAt(3 * (lower + high.x) + c), part.x);
    result[3 * id + c] = select(0.0, mix(above, below, part.y), seen);
  }`,
  });
