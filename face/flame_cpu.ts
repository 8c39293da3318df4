/** FLAME as plain loops in double precision: the reference of flame.ts. */
import {
  CONTOUR_POINTS,
  type FlameCode,
  type FlameLandmarks,
  type FlameModel,
  JAW,
  MOST_TURN,
  type SurfacePoints,
} from "./flame_model.ts";

/** A head. */
export interface FlameHead {
  /** `[V, 3]` */
  readonly vertices: Float64Array;
  /** `[68, 3]`: the contour is the one that is seen at this turn of the head. */
  readonly landmarks: Float64Array;
  /** `[68, 3]`: on fixed places of the head. */
  readonly fixedLandmarks: Float64Array;
}

/**
 * Vertices and landmarks of one head.
 *
 * @throws {RangeError} if the code has other counts than the model's components and 6 values of pose
 */
export function flameCpu(model: FlameModel, landmarks: FlameLandmarks, { components, pose }: FlameCode): FlameHead {
  const size = model.template.length;
  const count = model.components.length / size;
  if (components.length !== count || pose.length !== 6) {
    throw new RangeError(
      `FLAME takes ${count} coefficients and 6 values of pose, not ${components.length} and ${pose.length}`,
    );
  }
  const shaped = Float64Array.from(model.template);
  add(shaped, model.components, components);
  const joints = model.parents.length;
  const rest = Array.from({ length: joints }, (_, j) => {
    const sums = [0, 0, 0];
    for (let v = 0; v < size / 3; v++) {
      for (let k = 0; k < 3; k++) sums[k] = sums[k]! + model.jointRegressor[j * size / 3 + v]! * shaped[3 * v + k]!;
    }
    return sums;
  });
  const turns = rest.map((_, j) =>
    rotation(j === 0 ? [...slice(pose, 0)] : j === JAW ? [...slice(pose, 3)] : [0, 0, 0])
  );
  add(
    shaped,
    model.poseCorrectives,
    turns.slice(1).flatMap((turn) => turn.map((value, i) => value - (i % 4 === 0 ? 1 : 0))),
  );

  // Each joint's rotation and place in the posed head.
  const placed: { turn: number[]; at: number[] }[] = [];
  for (const [j, parent] of model.parents.entries()) {
    const before = placed[parent] ?? { turn: [1, 0, 0, 0, 1, 0, 0, 0, 1], at: [0, 0, 0] };
    const arm = rest[j]!.map((value, k) => value - (rest[parent]?.[k] ?? 0));
    const moved = turned(before.turn, arm);
    placed.push({ turn: product(before.turn, turns[j]!), at: moved.map((value, k) => value + before.at[k]!) });
  }
  const vertices = new Float64Array(size);
  for (let v = 0; v < size / 3; v++) {
    for (let j = 0; j < joints; j++) {
      const weight = model.skinning[v * joints + j]!;
      const { turn, at } = placed[j]!;
      const arm = [0, 1, 2].map((k) => shaped[3 * v + k]! - rest[j]![k]!);
      turned(turn, arm).forEach((value, k) => {
        vertices[3 * v + k] = vertices[3 * v + k]! + weight * (value + at[k]!);
      });
    }
  }
  const contour = rowsOf(landmarks.contours, CONTOUR_POINTS * contourRow(turns[0]!));
  const on = (points: SurfacePoints) => surface(points, { vertices, triangles: model.triangles });
  return {
    vertices,
    landmarks: Float64Array.from([...on(contour), ...on(landmarks.inner)]),
    fixedLandmarks: on(landmarks.fixed),
  };
}

/** Row of the contour for the head's rotation matrix. */
function contourRow(turn: readonly number[]): number {
  const yaw = Math.atan2(-turn[6]!, Math.hypot(turn[0]!, turn[3]!)) * 180 / Math.PI;
  const degrees = Math.max(-MOST_TURN, Math.min(MOST_TURN, Math.round(yaw)));
  return degrees < 0 ? MOST_TURN - degrees : degrees;
}

function rowsOf({ triangles, weights }: SurfacePoints, first: number): SurfacePoints {
  return {
    triangles: triangles.slice(first, first + CONTOUR_POINTS),
    weights: weights.slice(3 * first, 3 * (first + CONTOUR_POINTS)),
  };
}

function surface(
  points: SurfacePoints,
  { vertices, triangles }: { vertices: Float64Array; triangles: Uint32Array },
): Float64Array {
  const out = new Float64Array(3 * points.triangles.length);
  points.triangles.forEach((triangle, i) => {
    for (let corner = 0; corner < 3; corner++) {
      const vertex = triangles[3 * triangle + corner]!;
      for (let k = 0; k < 3; k++) {
        out[3 * i + k] = out[3 * i + k]! + points.weights[3 * i + corner]! * vertices[3 * vertex + k]!;
      }
    }
  });
  return out;
}

/** values += coefficients · rows */
function add(values: Float64Array, rows: Float32Array, coefficients: ArrayLike<number>): void {
  for (let k = 0; k < coefficients.length; k++) {
    const [factor, from] = [coefficients[k]!, k * values.length];
    if (factor !== 0) { for (let i = 0; i < values.length; i++) values[i] = values[i]! + factor * rows[from + i]!; }
  }
}

function slice(values: ArrayLike<number>, from: number): number[] {
  return [values[from]!, values[from + 1]!, values[from + 2]!];
}

/**
 * The rotation matrix of a rotation vector, row after row (Rodrigues). As in the authors' code the angle is that of the
 * vector with 1e-8 added, so that no division is by 0.
 */
function rotation(vector: readonly number[]): number[] {
  const angle = Math.hypot(...vector.map((value) => value + 1e-8));
  const [x, y, z] = vector.map((value) => value / angle) as [number, number, number];
  const cross = [0, -z, y, z, 0, -x, -y, x, 0];
  const [sine, rest] = [Math.sin(angle), 1 - Math.cos(angle)];
  return product(cross, cross).map((value, i) => (i % 4 === 0 ? 1 : 0) + sine * cross[i]! + rest * value);
}

function product(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: 9 }, (_, i) => {
    const [row, column] = [3 * Math.floor(i / 3), i % 3];
    return a[row]! * b[column]! + a[row + 1]! * b[3 + column]! + a[row + 2]! * b[6 + column]!;
  });
}

function turned(matrix: readonly number[], vector: readonly number[]): number[] {
  return [0, 3, 6].map((row) =>
    matrix[row]! * vector[0]! + matrix[row + 1]! * vector[1]! + matrix[row + 2]! * vector[2]!
  );
}
