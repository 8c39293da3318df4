/**
 * A triangle mesh whose chart has seams: a vertex has one place on the head and several in the chart, one a corner.
 * FLAME's is so, 5,023 vertices with 5,118 places of 9,976 triangles (`head_template.obj`, which DECA ships).
 */
import type { Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { rasteriseCpu } from "@ftim/gpu/raster-cpu";
import { applySparse } from "@ftim/gpu/sparse";
import type { SparseMatrix } from "@ftim/gpu/sparse-matrix";

/** A mesh and its chart. */
export interface TemplateMesh {
  readonly vertexCount: number;
  /** `[F, 3]` vertices, counter-clockwise seen from outside. */
  readonly triangles: Uint32Array<ArrayBuffer>;
  /** u (right) and v (down) of the places, 0..1. */
  readonly uvs: Float32Array<ArrayBuffer>;
  /** `[F, 3]` places in the chart, corner for corner those of `triangles`. */
  readonly uvTriangles: Uint32Array<ArrayBuffer>;
}

/**
 * Reads a mesh of triangles from a Wavefront OBJ. Its v runs up and is turned over, as DECA does it.
 *
 * @param name for messages
 * @throws {SyntaxError} if a line is malformed, a corner has no UV or names what is not there, or there are no
 *   triangles
 */
export function parseTemplateMesh(text: string, name = "the mesh"): TemplateMesh {
  let vertexCount = 0;
  const [uvs, triangles, uvTriangles]: [number[], number[], number[]] = [[], [], []];
  const refuse = (line: number, why: string) => new SyntaxError(`Cannot read ${name}: line ${line + 1} ${why}`);
  for (const [i, line] of text.split("\n").entries()) {
    const [kind, ...words] = line.trim().split(/\s+/);
    if (kind === "v") vertexCount++;
    else if (kind === "vt") {
      const [u, v] = words.map(Number);
      if (!Number.isFinite(u) || !Number.isFinite(v)) throw refuse(i, "is no place in the chart");
      uvs.push(u!, 1 - v!);
    } else if (kind === "f") {
      if (words.length !== 3) throw refuse(i, `has ${words.length} corners; expected are triangles`);
      for (const corner of words) {
        const [vertex, place] = corner.split("/").map(Number);
        if (!(vertex! >= 1 && place! >= 1)) throw refuse(i, `has the corner ${corner}; expected is vertex/UV`);
        triangles.push(vertex! - 1);
        uvTriangles.push(place! - 1);
      }
    }
  }
  if (triangles.length === 0) {
    throw new SyntaxError(`Cannot read ${name}: it has no triangles. Expected is an OBJ file`);
  }
  const [lastVertex, lastPlace] = [triangles, uvTriangles].map((all) => all.reduce((a, b) => Math.max(a, b), 0));
  if (lastVertex! >= vertexCount || lastPlace! >= uvs.length / 2) {
    throw new SyntaxError(
      `Cannot read ${name}: a corner names ${lastVertex! + 1}/${lastPlace! + 1}, and there are ${vertexCount}/${
        uvs.length / 2
      }`,
    );
  }
  return {
    vertexCount,
    triangles: Uint32Array.from(triangles),
    uvs: Float32Array.from(uvs),
    uvTriangles: Uint32Array.from(uvTriangles),
  };
}

/**
 * The matrix that carries values of the vertices to the texels of a square map: `[size², V]`, a row of three weights
 * where the texel's centre lies in the chart, an empty row elsewhere. Of two triangles over a texel the first has it.
 */
export function chartMatrix({ vertexCount, triangles, uvs, uvTriangles }: TemplateMesh, size: number): SparseMatrix {
  const places = new Float32Array(uvs.length / 2 * 3);
  for (let i = 0; i < uvs.length / 2; i++) {
    places[3 * i] = uvs[2 * i]! * size;
    places[3 * i + 1] = uvs[2 * i + 1]! * size;
  }
  const raster = rasteriseCpu({ vertices: places, triangles: uvTriangles }, { width: size, height: size });
  const offsets = new Uint32Array(size * size + 1);
  const indices: number[] = [];
  const weights: number[] = [];
  raster.triangle.forEach((triangle, texel) => {
    if (triangle >= 0) {
      const [a, b] = [raster.weights[2 * texel]!, raster.weights[2 * texel + 1]!];
      indices.push(triangles[3 * triangle]!, triangles[3 * triangle + 1]!, triangles[3 * triangle + 2]!);
      weights.push(a, b, 1 - a - b);
    }
    offsets[texel + 1] = indices.length;
  });
  return {
    rows: size * size,
    cols: vertexCount,
    offsets,
    indices: Uint32Array.from(indices),
    weights: Float32Array.from(weights),
  };
}

/**
 * Values of the vertices of a batch of heads, such as places or normals, at the texels of the map; differentiable.
 *
 * @param matrix as `chartMatrix` makes it; `disposeSparse` frees what stays of it on the device
 * @param values `[B, V, C]`
 * @returns `[B, size, size, C]`, 0 outside of the chart
 */
export function toChart(tf: Tfjs, matrix: SparseMatrix, values: Tensor3D): Tensor4D {
  const [batch, vertices, channels] = values.shape;
  const size = Math.sqrt(matrix.rows);
  return tf.tidy(() => {
    const dense = tf.reshape(tf.transpose(values, [1, 0, 2]), [vertices, batch * channels]) as Tensor2D;
    const texels = tf.reshape(applySparse(tf, matrix, dense), [matrix.rows, batch, channels]);
    return tf.reshape(tf.transpose(texels, [1, 0, 2]), [batch, size, size, channels]) as Tensor4D;
  });
}
