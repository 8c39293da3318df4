/** A copy of `triangles` in which each runs counter-clockwise on screen in the (v-down) chart. */
export function orientTriangles(triangles: Uint32Array, uvs: Float32Array): Uint32Array {
  const oriented = triangles.slice();
  for (let t = 0; t < oriented.length; t += 3) {
    if (signedArea(uvs, oriented.subarray(t, t + 3)) > 0) {
      const second = oriented[t + 1]!;
      oriented[t + 1] = oriented[t + 2]!;
      oriented[t + 2] = second;
    }
  }
  return oriented;
}

/** Twice the signed area of a triangle in a y-down plane: negative when it runs counter-clockwise on screen. */
export function signedArea(points: Float32Array, triangle: ArrayLike<number>): number {
  const [a, b, c] = [2 * triangle[0]!, 2 * triangle[1]!, 2 * triangle[2]!];
  return (points[b]! - points[a]!) * (points[c + 1]! - points[a + 1]!) -
    (points[b + 1]! - points[a + 1]!) * (points[c]! - points[a]!);
}
