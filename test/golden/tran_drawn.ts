/** A drawn mesh in the form of the authors' `3DMM_definition`, value for value that of test/golden/tran_faces.py. */
import { bytesSource, TensorFileError, type TensorSource } from "../../nets/files/source.ts";
import { npyOf } from "../nets/files/npy_writer.ts";
import { drawnUniform } from "./drawn.ts";

const [HEIGHT, WIDTH] = [192, 224];
const [TOP, LEFT, DOWN, ACROSS] = [6, 5, 180, 210];
/** Rows and columns of the mesh's vertices. */
const GRID = [30, 36] as const;
/** Vertices of the mesh. */
export const TRAN_VERTICES = GRID[0] * GRID[1];

/** Numbers about 0. */
export function spread(name: string, size: number, scale: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(drawnUniform(name, size), (value) => scale * (value - 0.5));
}

/**
 * The files' bytes by name.
 *
 * @param grid rows and columns of the vertices; other ones than the default are no golden mesh
 */
export function tranFiles([rows, columns]: readonly [number, number] = GRID): Map<string, Uint8Array<ArrayBuffer>> {
  const count = rows * columns;
  const [sheet, us, vs] = [new Float32Array(3 * count), new Float32Array(count), new Float32Array(count)];
  const shape = spread("mu_shape", 3 * count, 500);
  for (let v = 0; v < count; v++) {
    const [r, c] = [Math.floor(v / columns), v % columns];
    const [turn, height] = [(c / (columns - 1) - 0.5) * 2.4, r / (rows - 1)];
    const radius = 8e4 * (1 - 0.3 * (2 * height - 1) ** 2);
    sheet.set([radius * Math.sin(turn), (0.5 - height) * 1.8e5, radius * Math.cos(turn) - 2e4], 3 * v);
    us[v] = Math.fround(TOP + r * DOWN / (rows - 1)) + 1;
    vs[v] = Math.fround(LEFT + c * ACROSS / (columns - 1)) + 1;
  }
  const triangles: number[] = [];
  for (let r = 0; r + 1 < rows; r++) {
    for (let c = 0; c + 1 < columns; c++) {
      const a = r * columns + c;
      triangles.push(a, a + 1, a + columns, a + 1, a + columns + 1, a + columns);
    }
  }
  const faces = triangles.length / 3;
  const [tri, around] = [new Int32Array(3 * faces), new Int32Array(8 * count)];
  const used = new Uint8Array(count);
  triangles.forEach((vertex, i) => {
    const [triangle, corner] = [Math.floor(i / 3), i % 3];
    tri[corner * faces + triangle] = vertex + 1;
    around[used[vertex]!++ * count + vertex] = triangle + 1;
  });
  const [texels, weights] = [new Int32Array(HEIGHT * WIDTH), new Float32Array(3 * HEIGHT * WIDTH)];
  for (let texel = 0; texel < texels.length; texel++) {
    const rr = (Math.floor(texel / WIDTH) - TOP) * (rows - 1) / DOWN;
    const cc = (texel % WIDTH - LEFT) * (columns - 1) / ACROSS;
    if (rr < 0 || rr > rows - 1 || cc < 0 || cc > columns - 1) continue;
    const [r, c] = [Math.min(Math.floor(rr), rows - 2), Math.min(Math.floor(cc), columns - 2)];
    const [fr, fc] = [rr - r, cc - c];
    const upper = fr + fc <= 1;
    texels[texel] = 2 * (r * (columns - 1) + c) + (upper ? 0 : 1) + 1;
    weights.set(upper ? [1 - fr - fc, fc, fr] : [1 - fr, fr + fc - 1, 1 - fc], 3 * texel);
  }
  // All over the mesh, at the same places of it on any grid.
  const keypoints = Int32Array.from({ length: 68 }, (_, i) => {
    const vertex = (i * 97) % TRAN_VERTICES;
    const [r, c] = [Math.floor(vertex / GRID[1]) / (GRID[0] - 1), vertex % GRID[1] / (GRID[1] - 1)];
    return 1 + Math.round(r * (rows - 1)) * columns + Math.round(c * (columns - 1));
  });
  const bytes = (values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>) => new Uint8Array(values.buffer);
  const basis = (mean: Float32Array) =>
    bytes(Float32Array.from([...mean, ...new Float32Array(2 * mean.length).fill(7)]));
  return new Map([
    ["3DMM_shape_basis.dat", basis(sheet.map((value, i) => value + shape[i]!))],
    ["3DMM_exp_basis.dat", basis(spread("mu_exp", 3 * count, 800))],
    ["3DMM_tri.dat", bytes(tri)],
    ["3DMM_vertex_tri.dat", bytes(around)],
    ["vertices_2d_u.dat", bytes(us)],
    ["vertices_2d_v.dat", bytes(vs)],
    ["3DMM_tri_2d.dat", bytes(texels)],
    ["3DMM_tri_2d_barycoord.dat", bytes(weights)],
    ["3DMM_keypoints.dat", bytes(keypoints)],
    ["mean_m.npy", npyOf(Float64Array.of(9e-4, 2e-5, -3e-5, 9e-4, 1e-4, -5e-5, 112, 110))],
    ["std_m.npy", npyOf(Float64Array.of(1e-4, 5e-5, 5e-5, 1e-4, 3e-4, 1e-4, 8, 8))],
  ]);
}

/** Opens files as those of a folder. */
export function folderOf(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): (name: string) => Promise<TensorSource> {
  return (name) => {
    const bytes = files.get(name);
    if (bytes === undefined) return Promise.reject(new TensorFileError(`${name} is not there`));
    return Promise.resolve(bytesSource(bytes, name));
  };
}
