/**
 * FLAME's numbers (Li et al. 2017): a head of 5,023 vertices with five joints as a function of shape, expression and
 * pose. Space: metres, x to the head's left (right in a picture), y up, z out of the face.
 */

/** The model with so many shape and expression components as are used. V vertices, J joints, K components. */
export interface FlameModel {
  /** `[V, 3]`: the mean head. */
  readonly template: Float32Array<ArrayBuffer>;
  /** `[K, 3V]`: shape components, then expression components, each per unit of its coefficient. */
  readonly components: Float32Array<ArrayBuffer>;
  /** `[9·(J−1), 3V]`: what the vertices move by where a joint's rotation matrix differs from the identity. */
  readonly poseCorrectives: Float32Array<ArrayBuffer>;
  /** `[J, V]`: joints as weighted vertices, before the pose. */
  readonly jointRegressor: Float32Array<ArrayBuffer>;
  /** `[V, J]`: how much each joint moves a vertex; a row sums to 1. */
  readonly skinning: Float32Array<ArrayBuffer>;
  /** J: the joint that a joint hangs on, always an earlier one; −1 for the first. */
  readonly parents: readonly number[];
  /** `[F, 3]` vertices of the triangles, counter-clockwise seen from outside. */
  readonly triangles: Uint32Array<ArrayBuffer>;
}

/** Points on triangles of the mesh. */
export interface SurfacePoints {
  /** A triangle each. */
  readonly triangles: Uint32Array<ArrayBuffer>;
  /** Three barycentric weights each. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/** The 68 landmarks in iBUG's order, the contour of the face first, as DECA ships them. */
export interface FlameLandmarks {
  /** All 68, on places of the head that do not change. */
  readonly fixed: SurfacePoints;
  /** The last 51: brows, nose, eyes, mouth. */
  readonly inner: SurfacePoints;
  /**
   * The first 17 for each turn of the head, `CONTOUR_TURNS` times 17: the contour that is seen. Row t ≤ 39 is for a
   * yaw of t degrees, row 39 + t for one of −t degrees.
   */
  readonly contours: SurfacePoints;
}

/** Landmarks on the contour. */
export const CONTOUR_POINTS = 17;
/** Turns of the head that the contour is known for: 0 to 39 degrees, and −1 to −39. */
export const CONTOUR_TURNS = 79;
/** The largest of them in degrees; a head that is turned farther has its contour. */
export const MOST_TURN = 39;
/** The joint of the jaw; joint 0 is the root, and the others (neck, eyes) are at rest in DECA. */
export const JAW = 2;

/** How a head is: coefficients in the components' units, and rotation vectors in radians. */
export interface FlameCode {
  /** Shape coefficients and then expression coefficients. */
  readonly components: ArrayLike<number>;
  /** Of the head about its root, three values, and of the jaw, three values. */
  readonly pose: ArrayLike<number>;
}

/**
 * The joints of the mean head `[J, 3]` and what each component moves them by `[K, J, 3]`: both are linear in the
 * vertices, so the vertices themselves are not needed to place the joints.
 */
export function jointsOf(
  { template, components, jointRegressor, parents }: FlameModel,
): { rest: Float32Array<ArrayBuffer>; moves: Float32Array<ArrayBuffer> } {
  const [size, joints] = [template.length, parents.length];
  const count = components.length / size;
  const regress = (values: Float32Array, from: number, to: Float32Array, at: number) => {
    for (let j = 0; j < joints; j++) {
      const sums = [0, 0, 0];
      for (let v = 0; v < size / 3; v++) {
        const weight = jointRegressor[j * size / 3 + v]!;
        if (weight === 0) continue;
        for (let k = 0; k < 3; k++) sums[k] = sums[k]! + weight * values[from + 3 * v + k]!;
      }
      to.set(sums, at + 3 * j);
    }
  };
  const rest = new Float32Array(3 * joints);
  const moves = new Float32Array(3 * joints * count);
  regress(template, 0, rest, 0);
  for (let k = 0; k < count; k++) regress(components, k * size, moves, 3 * joints * k);
  return { rest, moves };
}
