/** The box around points, such as the vertices of a mesh in a picture. */

/** Where points lie: the least and the largest x and y. */
export interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Finds it; without a point it is from infinity to minus infinity.
 *
 * @param points xyz triples, or xy pairs
 * @param numbers of a point: 3, the default, or 2
 */
export function boundsOf(points: ArrayLike<number>, numbers: 2 | 3 = 3): Bounds {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i + numbers <= points.length; i += numbers) {
    left = Math.min(left, points[i]!);
    right = Math.max(right, points[i]!);
    top = Math.min(top, points[i + 1]!);
    bottom = Math.max(bottom, points[i + 1]!);
  }
  return { left, top, right, bottom };
}
