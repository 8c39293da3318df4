/**
 * Removes lens distortion (OpenCV's five-coefficient model) from photographs on the device; the reference is
 * `undistort` of undistort_cpu.ts.
 *
 * Coordinates are in f32, so what is computed is how far the lens moves a pixel: a shift of 100 pixels is right to 1e-5
 * pixels, where a coordinate of 2000 would be right to 1e-4. Values agree with the reference's to 1e-4 of the
 * difference of neighbouring pixels. On the border of what the lens saw a pixel may be black in one and not in the
 * other.
 */
import type { Tensor3D } from "@tensorflow/tfjs";
import { webgpuBackend } from "@ftim/gpu/backend";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { clearedTensor, emptyTensor, program, QUOTIENT, run } from "@ftim/gpu/wgsl";
import { type Pixels, uploadPixels, valueAt } from "./pixels.ts";

/** A camera's lens. */
export interface Lens {
  /** Intrinsics, 3×3; pixel centres at whole numbers, as in OpenCV. */
  readonly k: readonly (readonly number[])[];
  /** k1, k2, p1, p2, k3. */
  readonly distortion: readonly number[];
}

/** How a photograph is undistorted. */
export interface UndistortOptions {
  readonly camera: Lens;
  /** Bytes of a tensor on the device. Default 64 MiB, and no more than the device binds. */
  readonly bytesAtOnce?: number;
}

/**
 * A photograph as a pinhole camera with the same K would have taken it: bilinear, black where the lens saw nothing. It
 * comes in bands from the top, so that a photograph of any size can be computed; the pixels of a band may come from
 * anywhere, so that those, too, go to the device in bands. Where they are cut changes no value.
 *
 * @returns [rows, width, 3] of each band, 0..1, computed when it is asked for; the caller's
 * @throws {RangeError} if the photograph has no pixels or the camera no K
 */
export function* undistortPhotograph(
  tf: Tfjs,
  image: Pixels,
  { camera, bytesAtOnce = 1 << 26 }: UndistortOptions,
): Generator<Tensor3D> {
  const { width, height } = image;
  if (!(width > 0 && height > 0)) throw new RangeError(`A photograph has ${width}×${height} pixels`);
  if (![...camera.k.flat(), ...camera.distortion].every(Number.isFinite) || !camera.k[0]?.[0] || !camera.k[1]?.[1]) {
    throw new RangeError(`A photograph has no camera: K is ${JSON.stringify(camera.k)}`);
  }
  const most = Math.min(bytesAtOnce, webgpuBackend(tf).device.limits.maxStorageBufferBindingSize);
  const bandRows = Math.min(height, Math.max(1, Math.floor(most / (12 * width))));
  // A pixel lies between two rows, of which a band's last is the next one's first.
  const sourceRows = Math.max(1, Math.floor(most / (3 * image.data.BYTES_PER_ELEMENT * width)) - 1);
  for (let top = 0; top < height; top += bandRows) {
    const rows = Math.min(bandRows, height - top);
    const shape = { shape: [rows, width, 3], dtype: "float32" } as const;
    const band = (sourceRows < height ? clearedTensor(tf, shape) : emptyTensor(tf, shape)) as Tensor3D;
    for (let source = 0; source < height; source += sourceRows) {
      const part = { top: source, rows: Math.min(sourceRows, height - source) };
      tf.tidy(() => fillBand(tf, band, { image, camera, top, source: part }));
    }
    yield band;
  }
}

interface Band {
  readonly image: Pixels;
  readonly camera: Lens;
  /** First row of the band. */
  readonly top: number;
  /** The rows of the photograph at or below which the pixels lie that are written. */
  readonly source: { readonly top: number; readonly rows: number };
}

function fillBand(tf: Tfjs, into: Tensor3D, { image, camera: { k, distortion }, top: bandTop, source }: Band): void {
  const { width, height, data } = image;
  const bytes = data instanceof Uint8Array;
  const [[fx = 1, skew = 0, cx = 0] = [], [, fy = 1, cy = 0] = []] = k;
  const [k1 = 0, k2 = 0, p1 = 0, p2 = 0, k3 = 0] = distortion;
  // The part behind the point by itself: f32 keeps it to eight digits more.
  const [left, top] = [Math.floor(cx), Math.floor(cy)];
  const end = Math.min(height, source.top + source.rows + 1);
  const rows = data.subarray(3 * width * source.top, 3 * width * end);
  run(tf, {
    key: `undistort_${bytes ? "bytes" : "floats"}`,
    code: () => code(bytes),
    inputs: [uploadPixels(tf, { data: rows })],
    into,
    shape: into.shape,
    uniforms: [
      width,
      height,
      left,
      top,
      bandTop,
      into.size / 3,
      source.top,
      source.rows,
      ...[cx - left, cy - top, fx, fy, skew, k1, k2, p1, p2, k3].map((f32) => ({ f32 })),
    ],
    invocations: into.size / 3,
  });
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
      "band_top",
      "count",
      "source_top",
      "source_rows",
      ...["part_x", "part_y", "fx", "fy", "skew", "k1", "k2", "p1", "p2", "k3"].map((name) => `${name}:f32`),
    ],
    functions: QUOTIENT + valueAt(bytes),
    body: `
  if (id >= u.count) { return; }
  let row = quotient(id, u.width);
  let x = id - row * u.width;
  let y = row + u.band_top;
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
  if (low.y < u.source_top || low.y >= u.source_top + u.source_rows) { return; }
  let upper = (low.y - u.source_top) * u.width;
  let lower = (high.y - u.source_top) * u.width;
  for (var c = 0; c < 3; c++) {
    let above = mix(valueAt(3 * (upper + low.x) + c), valueAt(3 * (upper + high.x) + c), part.x);
    let below = mix(valueAt(3 * (lower + low.x) + c), valueAt(3 * (lower + high.x) + c), part.x);
    result[3 * id + c] = select(0.0, mix(above, below, part.y), seen);
  }`,
  });
