// Image Render of the paper. The geometry is fixed, so an image is a linear function of the texture: every pixel is a
// fixed mean of texels. The matrix is built once a view; its transpose is the exact gradient.
import { type Raster, rasteriseCpu } from "../gpu/raster_cpu.ts";
import { applySparseCpu, type SparseMatrix } from "../gpu/sparse_cpu.ts";
import type { Topology } from "./topology.ts";
import { uvMap } from "./uv_map.ts";

/** Rendering one posed mesh, as a matrix from texels (columns) to pixels (rows); uncovered pixels have an empty row. */
export interface RenderOperator extends SparseMatrix {
  readonly width: number;
  readonly height: number;
  /** width·height: the share of the pixel that the mesh covers, 0 or 1 without supersampling. Rows sum to it. */
  readonly coverage: Float32Array;
}

/** What is rendered, and how. */
export interface RenderOptions {
  readonly topology: Topology;
  /** Image size in pixels, default 224. */
  readonly width?: number;
  readonly height?: number;
  /** Side of the UV map in texels, default 256. */
  readonly size?: number;
  /** Samples a side of each pixel, default 1: one point with 4 bilinear taps. 2 smooths outline and minified texture, with up to 16 taps. */
  readonly supersample?: number;
}

/**
 * Builds the operator of a posed mesh.
 *
 * A tap that falls outside the chart goes to the nearest texel inside: the same as sampling a texture that was extended
 * past its border, so no background bleeds in and every texel that is read belongs to the face.
 *
 * @param vertices Crop pixels: x right, y down, z larger = farther.
 */
export function renderOperator(
  vertices: Float32Array,
  { topology, width = 224, height = 224, size = 256, supersample = 1 }: RenderOptions,
): RenderOperator {
  const fine = { width: width * supersample, height: height * supersample, cullBack: true };
  const scaled = supersample === 1 ? vertices : vertices.map((value) => value * supersample);
  const hits = rasteriseCpu({ vertices: scaled, triangles: topology.triangles }, fine);
  const { nearest } = uvMap(topology, size);
  const share = 1 / (supersample * supersample);
  const capacity = 4 * supersample * supersample;
  const coverage = new Float32Array(width * height);
  const offsets = new Uint32Array(width * height + 1);
  const indices = new Uint32Array(width * height * capacity);
  const weights = new Float32Array(width * height * capacity);
  let entry = 0;
  const add = (start: number, texel: number, weight: number) => {
    if (!(weight > 0)) return;
    for (let k = start; k < entry; k++) {
      if (indices[k] !== texel) continue;
      weights[k] = weights[k]! + weight;
      return;
    }
    indices[entry] = texel;
    weights[entry++] = weight;
  };
  for (let row = 0; row < width * height; row++) {
    const start = entry;
    const [px, py] = [(row % width) * supersample, Math.floor(row / width) * supersample];
    for (let s = 0; s < supersample * supersample; s++) {
      const at = (py + Math.floor(s / supersample)) * hits.width + px + s % supersample;
      if (hits.triangle[at]! < 0) continue;
      coverage[row] = coverage[row]! + share;
      const { x, y } = texelPlace(hits, { at, topology, size });
      const [x0, y0] = [Math.floor(x), Math.floor(y)];
      const [fx, fy] = [x - x0, y - y0];
      const [x1, y1] = [Math.min(x0 + 1, size - 1), Math.min(y0 + 1, size - 1)];
      add(start, nearest[y0 * size + x0]!, share * (1 - fx) * (1 - fy));
      add(start, nearest[y0 * size + x1]!, share * fx * (1 - fy));
      add(start, nearest[y1 * size + x0]!, share * (1 - fx) * fy);
      add(start, nearest[y1 * size + x1]!, share * fx * fy);
    }
    offsets[row + 1] = entry;
  }
  return {
    rows: width * height,
    cols: size * size,
    offsets,
    indices: indices.slice(0, entry),
    weights: weights.slice(0, entry),
    width,
    height,
    coverage,
  };
}

/**
 * Renders a texture on the CPU.
 *
 * @param texture size²·channels.
 * @returns width·height·channels; 0 where the mesh covers nothing.
 */
export function applyOperatorCpu(operator: RenderOperator, texture: Float32Array): Float32Array {
  return applySparseCpu(operator, texture);
}

/** Where in the map, in texels counted from the first one's centre, the surface at a raster pixel lies. */
function texelPlace(
  hits: Raster,
  { at, topology, size }: { at: number; topology: Topology; size: number },
): { x: number; y: number } {
  const { triangles, uvs } = topology;
  const t = 3 * hits.triangle[at]!;
  const [a, b, c] = [2 * triangles[t]!, 2 * triangles[t + 1]!, 2 * triangles[t + 2]!];
  const [wa, wb] = [hits.weights[2 * at]!, hits.weights[2 * at + 1]!];
  const wc = 1 - wa - wb;
  const u = wa * uvs[a]! + wb * uvs[b]! + wc * uvs[c]!;
  const v = wa * uvs[a + 1]! + wb * uvs[b + 1]! + wc * uvs[c + 1]!;
  return {
    x: Math.min(Math.max(u * size - 0.5, 0), size - 1),
    y: Math.min(Math.max(v * size - 0.5, 0), size - 1),
  };
}
