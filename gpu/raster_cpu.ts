/**
 * Which triangle of a mesh each pixel shows, as plain loops in double precision: what a rasteriser on the device must
 * find, and fast enough for a mesh that is looked at once, such as a chart.
 */

import type { Raster, RasterOptions } from "./raster_options.ts";

/**
 * Rasterises a triangle mesh on the CPU, in f64. Orthographic; a pixel belongs to a triangle if its centre is inside or
 * on the border, and among equals in depth the triangle that comes first wins.
 *
 * @param mesh.vertices xyz triples, x and y in pixels (y down), z larger = farther.
 * @param mesh.triangles Three vertex indices each.
 */
export function rasteriseCpu(
  mesh: { vertices: Float32Array; triangles: Uint32Array },
  { width, height, cullBack = false }: RasterOptions,
): Raster {
  const { vertices, triangles } = mesh;
  const triangle = new Int32Array(width * height).fill(-1);
  const weights = new Float32Array(2 * width * height);
  const depth = new Float32Array(width * height).fill(Infinity);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [3 * triangles[t]!, 3 * triangles[t + 1]!, 3 * triangles[t + 2]!];
    const [ax, ay, az] = [vertices[a]!, vertices[a + 1]!, vertices[a + 2]!];
    const [bx, by, bz] = [vertices[b]!, vertices[b + 1]!, vertices[b + 2]!];
    const [cx, cy, cz] = [vertices[c]!, vertices[c + 1]!, vertices[c + 2]!];
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    if (!(area !== 0) || (cullBack && area > 0)) continue;
    const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5));
    const right = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
    const top = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5));
    const bottom = Math.min(height - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
    for (let y = top; y <= bottom; y++) {
      const py = y + 0.5;
      for (let x = left; x <= right; x++) {
        const px = x + 0.5;
        const wa = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area;
        if (wa < 0) continue;
        const wb = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area;
        const wc = 1 - wa - wb;
        if (wb < 0 || wc < -1e-12) continue;
        const z = wa * az + wb * bz + wc * cz;
        const at = y * width + x;
        if (Math.fround(z) >= depth[at]!) continue;
        depth[at] = z;
        triangle[at] = t / 3;
        weights[2 * at] = wa;
        weights[2 * at + 1] = wb;
      }
    }
  }
  return { width, height, triangle, weights, depth };
}
