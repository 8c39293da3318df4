/**
 * Where the mirror axis of a chart lies. A UV map is mirrored by reversing its rows, so the axis must be the map's
 * middle. Of a chart whose axis lies a little beside it, chart and maps are moved by whole texels, which changes no
 * value.
 */

/** Reflections of a vertex are sought within so many parts of the mesh's width. */
const NEAR = 0.005;

/**
 * How far a chart must move to the right, in whole texels of a map of that size: by twice as much a texel and its
 * mirror image would else miss each other.
 *
 * @param vertices xyz triples of a head that is its own mirror image in the plane x = 0
 * @param options.uvs places of the vertices in the chart
 * @returns 0 where no vertex has a reflection
 */
export function chartShift(
  vertices: Float32Array,
  { uvs, size }: { uvs: Float32Array; size: number },
): number {
  const xs = vertices.filter((_, i) => i % 3 === 0);
  const near = NEAR * (xs.reduce((a, b) => Math.max(a, b)) - xs.reduce((a, b) => Math.min(a, b)));
  const axes: number[] = [];
  for (let i = 0; i < vertices.length; i += 3) {
    let [twin, best] = [-1, near];
    for (let j = 0; j < vertices.length; j += 3) {
      const distance = Math.hypot(
        vertices[i]! + vertices[j]!,
        vertices[i + 1]! - vertices[j + 1]!,
        vertices[i + 2]! - vertices[j + 2]!,
      );
      if (distance < best) [twin, best] = [j, distance];
    }
    if (twin >= 0) axes.push((uvs[2 * i / 3]! + uvs[2 * twin / 3]!) / 2);
  }
  axes.sort((a, b) => a - b);
  const middle = axes[axes.length >> 1];
  return middle === undefined ? 0 : Math.round((0.5 - middle) * size);
}

/** A chart moved to the right by so many texels of a map of that size. */
export function movedChart(uvs: Float32Array, { shift, size }: { shift: number; size: number }): Float32Array {
  return uvs.map((value, i) => i % 2 === 0 ? value + shift / size : value);
}

/** Square maps of three colours, one after the other, moved in the same way; what comes in at the edge is the edge. */
export function movedMaps(
  maps: Float32Array,
  { shift, size }: { shift: number; size: number },
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(maps.length);
  for (let row = 0; row < maps.length; row += 3 * size) {
    for (let x = 0; x < size; x++) {
      const from = row + 3 * Math.min(size - 1, Math.max(0, x - shift));
      out.set(maps.subarray(from, from + 3), row + 3 * x);
    }
  }
  return out;
}
