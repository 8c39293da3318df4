/**
 * Where a head is and how it is turned. Two right-handed frames, x to image-right, y up, z toward the viewer:
 *   model space  the mean face, upright and looking along +z (see frame.ts)
 *   view space   crop pixels with y and z negated: view = (x, −y, −z) of MediaPipe's posed vertices
 * A pose maps model to view: view = scale · R · model + translation, R = Ry(yaw) · Rx(−pitch) · Rz(roll). The nose then
 * points along (sin yaw · cos pitch, sin pitch, cos yaw · cos pitch): yaw and pitch say where it points, roll turns
 * the head about it. The only singularity is a face looking straight up or down.
 */
import { symmetricEigen } from "./linear.ts";

/** A similarity from model space to view space. */
export interface Pose {
  /** Pixels per model unit. */
  readonly scale: number;
  /** 3×3, row-major, determinant +1. */
  readonly rotation: Float64Array;
  /** In view space; the model's origin is at crop pixel (t[0], −t[1]). */
  readonly translation: Float64Array;
}

/** Degrees. yaw > 0: the nose points to image right. pitch > 0: up. roll > 0: turned counter-clockwise in the image. */
export interface Angles {
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
}

/** Crop pixels (x right, y down, z away) to view space (x right, y up, z to the viewer), or back: its own inverse. */
export function flipYZ(vertices: Float32Array): Float32Array {
  return vertices.map((value, k) => k % 3 === 0 ? value : -value);
}

/**
 * The similarity that brings `source` closest to `target` in (weighted) least squares (Horn 1987, quaternion form, and
 * Umeyama 1991 for the scale). Both are xyz triples in right-handed frames; the result never reflects.
 *
 * @param options.weights One non-negative weight a point; all 1 by default.
 * @throws RangeError if the counts differ or all source points coincide.
 */
export function procrustes(
  source: Float32Array,
  options: { target: Float32Array; weights?: Float32Array },
): Pose {
  const { target, weights } = options;
  if (source.length !== target.length || source.length < 9) {
    throw new RangeError(
      `Alignment needs two equal sets of 3 points or more, not ${source.length / 3} and ${target.length / 3}`,
    );
  }
  const count = source.length / 3;
  const a = centroid(source, weights);
  const b = centroid(target, weights);
  const m = new Float64Array(9);
  let spread = 0;
  for (let i = 0; i < count; i++) {
    const w = weights?.[i] ?? 1;
    for (let r = 0; r < 3; r++) {
      const s = source[3 * i + r]! - a[r]!;
      spread += w * s * s;
      for (let c = 0; c < 3; c++) m[3 * r + c] = m[3 * r + c]! + w * s * (target[3 * i + c]! - b[c]!);
    }
  }
  if (!(spread > 0)) throw new RangeError("Alignment needs source points that do not all coincide");
  const [xx, xy, xz] = [m[0]!, m[1]!, m[2]!];
  const [yx, yy, yz] = [m[3]!, m[4]!, m[5]!];
  const [zx, zy, zz] = [m[6]!, m[7]!, m[8]!];
  // deno-fmt-ignore
  const horn = Float64Array.of(
    xx + yy + zz, yz - zy, zx - xz, xy - yx,
    yz - zy, xx - yy - zz, xy + yx, zx + xz,
    zx - xz, xy + yx, yy - xx - zz, yz + zy,
    xy - yx, zx + xz, yz + zy, zz - xx - yy,
  );
  const rotation = quaternionToMatrix(symmetricEigen(horn).vectors.subarray(0, 4));
  let trace = 0;
  for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) trace += rotation[3 * c + r]! * m[3 * r + c]!;
  const scale = trace / spread;
  const translation = new Float64Array(3);
  for (let r = 0; r < 3; r++) {
    translation[r] = b[r]! -
      scale * (rotation[3 * r]! * a[0]! + rotation[3 * r + 1]! * a[1]! + rotation[3 * r + 2]! * a[2]!);
  }
  return { scale, rotation, translation };
}

/** Pose of a head whose posed vertices are in crop pixels (z away), relative to `model` (model space). */
export function estimatePose(model: Float32Array, options: { posed: Float32Array; weights?: Float32Array }): Pose {
  const { posed, ...rest } = options;
  return procrustes(model, { target: flipYZ(posed), ...rest });
}

/** Model-space points (or any xyz triples) through the pose, to view space. */
export function applyPose(pose: Pose, points: Float32Array): Float32Array {
  const { scale, rotation: r, translation: t } = pose;
  const out = new Float32Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const [x, y, z] = [points[i]!, points[i + 1]!, points[i + 2]!];
    for (let k = 0; k < 3; k++) {
      out[i + k] = scale * (r[3 * k]! * x + r[3 * k + 1]! * y + r[3 * k + 2]! * z) + t[k]!;
    }
  }
  return out;
}

/** View-space points back through the pose, to model space. */
export function invertPose(pose: Pose, points: Float32Array): Float32Array {
  const { scale, rotation: r, translation: t } = pose;
  const out = new Float32Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const [x, y, z] = [points[i]! - t[0]!, points[i + 1]! - t[1]!, points[i + 2]! - t[2]!];
    for (let k = 0; k < 3; k++) out[i + k] = (r[k]! * x + r[3 + k]! * y + r[6 + k]! * z) / scale;
  }
  return out;
}

/** Model-space points posed into crop pixels (x right, y down, z away). */
export function poseToCrop(pose: Pose, points: Float32Array): Float32Array {
  return flipYZ(applyPose(pose, points));
}

/** R = Ry(yaw) · Rx(−pitch) · Rz(roll), row-major 3×3. */
export function rotationFromAngles({ yaw, pitch, roll }: Angles): Float64Array {
  const [cy, sy] = [Math.cos(yaw * Math.PI / 180), Math.sin(yaw * Math.PI / 180)];
  const [cp, sp] = [Math.cos(pitch * Math.PI / 180), Math.sin(pitch * Math.PI / 180)];
  const [cr, sr] = [Math.cos(roll * Math.PI / 180), Math.sin(roll * Math.PI / 180)];
  // deno-fmt-ignore
  return Float64Array.of(
    cy * cr - sy * sp * sr, -cy * sr - sy * sp * cr, sy * cp,
    cp * sr, cp * cr, sp,
    -sy * cr - cy * sp * sr, sy * sr - cy * sp * cr, cy * cp,
  );
}

/** The rotation of a rotation vector: its direction is the axis and its length the angle in radians (Rodrigues). */
export function rotationFromVector(vector: ArrayLike<number>): Float64Array {
  const [x, y, z] = [vector[0]!, vector[1]!, vector[2]!];
  const angle = Math.hypot(x, y, z);
  const part = angle > 0 ? Math.sin(angle / 2) / angle : 0;
  return quaternionToMatrix(Float64Array.of(Math.cos(angle / 2), part * x, part * y, part * z));
}

/** The angles of a rotation; pitch in −90..90, yaw and roll in −180..180. */
export function anglesFromRotation(rotation: Float64Array): Angles {
  const degrees = 180 / Math.PI;
  return {
    yaw: Math.atan2(rotation[2]!, rotation[8]!) * degrees,
    pitch: Math.asin(Math.min(1, Math.max(-1, rotation[5]!))) * degrees,
    roll: Math.atan2(rotation[3]!, rotation[4]!) * degrees,
  };
}

function centroid(points: Float32Array, weights: Float32Array | undefined): Float64Array {
  const sum = new Float64Array(3);
  let total = 0;
  for (let i = 0; i < points.length / 3; i++) {
    const w = weights?.[i] ?? 1;
    total += w;
    for (let k = 0; k < 3; k++) sum[k] = sum[k]! + w * points[3 * i + k]!;
  }
  return sum.map((value) => value / total);
}

function quaternionToMatrix(q: Float64Array): Float64Array {
  const [w, x, y, z] = [q[0]!, q[1]!, q[2]!, q[3]!];
  // deno-fmt-ignore
  return Float64Array.of(
    w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z,
  );
}
